//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The longest interval between heartbeats that keeps a path open, learned for each network that a client uses.
///
/// Between a client and its server stand middleboxes (address translators, firewalls, load balancers) that forget a
/// connection after some minutes in which nothing crossed it, and tell nobody. A heartbeat more often than that keeps
/// it; each one more than needed wakes the radio of a phone for nothing. How long a network waits can only be found out
/// by trying, and what holds in one network says nothing about another. This tries as Tencent Mars does
/// (`mars/stn/src/smart_heartbeat.cc`): 210 s, and a minute more after every five answers, until two heartbeats stay
/// unanswered or 600 s is reached; what is learned lies 20 s below what held. A binary search would need fewer steps
/// and lose more connections, which cost more than steps.
///
/// A client uses it so:
///
/// 1. It asks for ``inForce(on:)`` with the `every=` of its hello, and goes by it once the server's welcome has
///    confirmed it (``AgreedInterval``).
/// 2. It sends its heartbeat when nothing has crossed the path in either direction for the whole interval, not for 75
///    to 100 % of it: only the whole interval proves anything.
/// 3. It says what became of each heartbeat, and how long the path had been idle before it, with
///    ``answered(on:idleFor:at:)`` or ``unanswered(on:idleFor:at:)``. One that went out after anything else than the
///    interval in force tells nothing and is ignored: after less because there was traffic, the server pings too, or
///    it confirmed less; after more because the machine slept.
/// 4. It keeps ``json`` where it survives a restart, whenever this value has changed.
///
/// The networks are bounded in number: the one used least recently is forgotten.
public struct SmartInterval: Hashable, Sendable {
    struct Network: Hashable, Sendable {
        let label: String
        var lesson: IntervalLesson
    }

    /// How it learns.
    public let configuration: Configuration
    /// The one used least recently comes first.
    private(set) var networks: [Network] = []
    /// How many networks were forgotten because there were too many, since this value was made or restored.
    public private(set) var forgotten: UInt64 = 0

    /// Nothing is learned yet.
    ///
    /// - Throws: ``ConfigurationError`` with every problem of the configuration.
    public init(_ configuration: Configuration = Configuration()) throws(ConfigurationError) {
        try configuration.validate()
        self.configuration = configuration
    }

    init(_ configuration: Configuration, networks: [Network]) throws(ConfigurationError) {
        try self.init(configuration)
        for network in networks { self.keep(network) }
    }

    // MARK: What is in force

    /// Whether a network can be remembered by this label: 1 to 128 bytes of UTF-8.
    public static func isLabel(_ text: some StringProtocol) -> Bool { 1...128 ~= text.utf8.count }

    /// The interval to use on a network now.
    ///
    /// - Parameter network: whatever tells networks apart, such as the name of a wireless network or a carrier. Where
    ///   it is no label (``isLabel(_:)``) nothing is learned, and the unlearned interval stays.
    /// - Returns: the learned interval, the one to be tried, or the unlearned one.
    public func inForce(on network: String) -> Duration {
        self.lesson(on: network)?.inForce(self.configuration) ?? self.configuration.unlearned
    }

    /// The interval that was learned for a network; nil where it is not learned, or is being tried again.
    public func learned(on network: String) -> Duration? {
        guard case .learned(let interval, _) = self.lesson(on: network)?.stage else { return nil }
        return interval
    }

    private func lesson(on network: String) -> IntervalLesson? {
        self.networks.last { $0.label == network }?.lesson
    }

    // MARK: Events

    /// A heartbeat was answered.
    ///
    /// - Parameters:
    ///   - network: the label of the network that it crossed.
    ///   - idleFor: for how long nothing had crossed the path, in either direction, when it was sent.
    ///   - now: the time; only weeks are counted on it, so it may jump.
    public mutating func answered(on network: String, idleFor: Duration, at now: WallClock) {
        self.learn(on: network, idleFor: idleFor) { $0.answered($1, at: now) }
    }

    /// A heartbeat was not answered, and the connection was given up.
    ///
    /// - Parameters:
    ///   - network: the label of the network that it should have crossed.
    ///   - idleFor: for how long nothing had crossed the path, in either direction, when it was sent.
    ///   - now: the time; only weeks are counted on it, so it may jump.
    public mutating func unanswered(on network: String, idleFor: Duration, at now: WallClock) {
        self.learn(on: network, idleFor: idleFor) { $0.unanswered($1, at: now) }
    }

    private mutating func learn(
        on label: String,
        idleFor: Duration,
        _ event: (inout IntervalLesson, Configuration) -> Void
    ) {
        guard Self.isLabel(label) else { return }
        var lesson = self.lesson(on: label) ?? IntervalLesson(self.configuration)
        let interval = lesson.inForce(self.configuration)
        if interval <= idleFor, idleFor <= interval + self.configuration.backOff {
            event(&lesson, self.configuration)
        }
        self.keep(Network(label: label, lesson: lesson))
    }

    /// Makes a network the one used last.
    private mutating func keep(_ network: Network) {
        if let index = self.networks.firstIndex(where: { $0.label == network.label }) {
            self.networks.remove(at: index)
        } else if self.networks.count >= self.configuration.maximumNetworks {
            self.networks.removeFirst()
            self.forgotten += 1
        }
        self.networks.append(network)
    }
}
