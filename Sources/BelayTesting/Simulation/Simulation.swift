//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// Two peers with real machines and observer clocks over a simulated link, in virtual time.
///
/// A script says what happens to them; the ``timeline`` tells what they decided. Nothing takes real time, and all
/// randomness comes from the seed: the same seed and script give the same timeline.
///
/// ```swift
/// let simulation = try Simulation(
///     server: .init(LivenessPolicy(detectWithin: .seconds(30))),
///     client: .answering(),
///     over: LinkConditions(latency: .milliseconds(20), jitter: .milliseconds(5), loss: 0.01),
///     seed: 1
/// )
/// simulation.schedule(.freeze(for: nil), by: .client, at: .seconds(100))
/// simulation.run(for: .seconds(200))
/// // simulation.timeline.closes(of: .server) holds one close, with the reason peer.silent
/// ```
///
/// A discrete event simulation: in each step time jumps to the next thing that happens in the link, in the script or at
/// one of the peers. What happens at the same time happens in that order, then in the order in which it was scheduled.
public final class Simulation {
    private enum Scheduled {
        case action(SimulatedAction, by: LinkEnd, isRepeated: Bool)
        case outage(to: LinkEnd, for: Duration?)
    }

    /// The seed of everything that is random.
    public let seed: UInt64
    /// The end that accepted the connection.
    public let server: SimulatedPeer
    /// The end that opened it.
    public let client: SimulatedPeer
    private var surroundings: SimulatedPeer.Surroundings
    private var script = EventQueue<Scheduled>()

    /// A simulation whose two directions are alike; the connection is open.
    ///
    /// - Throws: ``BelayCore/ConfigurationError`` if a policy is not valid.
    public convenience init(
        server: SimulatedPeer.Configuration,
        client: SimulatedPeer.Configuration,
        over conditions: LinkConditions = LinkConditions(),
        seed: UInt64
    ) throws(ConfigurationError) {
        try self.init(server: server, client: client, toServer: conditions, toClient: conditions, seed: seed)
    }

    /// A simulation whose two directions differ; the connection is open.
    ///
    /// - Throws: ``BelayCore/ConfigurationError`` if a policy is not valid.
    public init(
        server: SimulatedPeer.Configuration,
        client: SimulatedPeer.Configuration,
        toServer: LinkConditions,
        toClient: LinkConditions,
        seed: UInt64
    ) throws(ConfigurationError) {
        var seeds = SplitMix64(seed: seed)
        self.seed = seed
        self.server = try SimulatedPeer(server, end: .server, seed: seeds.next())
        self.client = try SimulatedPeer(client, end: .client, seed: seeds.next())
        // Timers are aligned to a grid; it must not matter where on the grid a connection begins.
        let start = Instant(nanoseconds: Int64.random(in: 1_000_000_000...2_000_000_000, using: &seeds))
        self.surroundings = SimulatedPeer.Surroundings(
            start: start,
            link: SimulatedLink(toServer: toServer, toClient: toClient, seed: seeds.next(), now: start)
        )
        self.server.open(in: &self.surroundings)
        self.client.open(in: &self.surroundings)
    }

    /// What happened so far.
    public var timeline: Timeline { self.surroundings.timeline }

    /// How much time has passed.
    public var elapsed: Duration { self.surroundings.start.duration(to: self.surroundings.link.now) }

    /// What has happened on the way to this end.
    public func counters(to end: LinkEnd) -> LinkCounters { self.surroundings.link.counters(to: end) }

    /// Lets something happen at one end, at a time since the beginning.
    public func schedule(_ action: SimulatedAction, by end: LinkEnd, at time: Duration) {
        self.script.push(.action(action, by: end, isRepeated: false), at: self.instant(time).nanoseconds)
    }

    /// Lets nothing through towards one end, from a time since the beginning on; nil is for ever.
    public func interrupt(to end: LinkEnd, at time: Duration, for duration: Duration?) {
        self.script.push(.outage(to: end, for: duration), at: self.instant(time).nanoseconds)
    }

    /// Lets nothing through in both directions: a pulled cable, a host without power.
    ///
    /// Nil is for ever.
    public func interrupt(at time: Duration, for duration: Duration?) {
        for end in LinkEnd.allCases { self.interrupt(to: end, at: time, for: duration) }
    }

    /// Lets time pass.
    public func run(for duration: Duration) {
        let deadline = self.instant(self.elapsed + duration)
        while case let next = self.nextTime, next <= deadline.nanoseconds, next < .max {
            self.surroundings.link.advance(to: Instant(nanoseconds: next))
            while let scheduled = self.script.pop(dueAt: next) { self.perform(scheduled, at: next) }
            if self.server.nextTurn(in: self.surroundings) <= next { self.server.turn(in: &self.surroundings) }
            if self.client.nextTurn(in: self.surroundings) <= next { self.client.turn(in: &self.surroundings) }
        }
        self.surroundings.link.advance(to: deadline)
    }

    /// When something happens next; never is the largest number.
    private var nextTime: Int64 {
        let link = self.surroundings.link.nextEvent?.nanoseconds ?? .max
        let peer = min(self.server.nextTurn(in: self.surroundings), self.client.nextTurn(in: self.surroundings))
        return max(min(min(link, peer), self.script.nextTime), self.surroundings.link.now.nanoseconds)
    }

    private func perform(_ scheduled: Scheduled, at time: Int64) {
        switch scheduled {
        case .outage(let end, let duration):
            let begin = self.surroundings.link.now
            self.surroundings.record(.cutOff(for: duration), at: end)
            let outage = begin..<(duration.map(begin.advanced(by:)) ?? .distantFuture)
            self.surroundings.link.interrupt(to: end, during: outage)
        case .action(let action, let end, let isRepeated):
            self.perform(action, by: end, isRepeated: isRepeated, at: time)
        }
    }

    private func perform(_ action: SimulatedAction, by end: LinkEnd, isRepeated: Bool, at time: Int64) {
        let peer = end == .server ? self.server : self.client
        guard !peer.isGone else { return }
        guard !action.needsProcess || peer.stoppedUntil <= time else {
            let stoppedForEver = peer.stoppedUntil == .max
            if !stoppedForEver {
                self.script.push(.action(action, by: end, isRepeated: isRepeated), at: peer.stoppedUntil)
            }
            return
        }
        if !isRepeated { self.surroundings.record(.performed(action), at: end) }
        peer.perform(action, in: &self.surroundings)
        switch action {
        case .talk(let interval, _):
            let next = time + max(1, interval.wholeNanoseconds)
            self.script.push(.action(action, by: end, isRepeated: true), at: next)
        case .pauseReading(.some(let duration)):
            let resumption = Scheduled.action(.resumeReading, by: end, isRepeated: false)
            self.script.push(resumption, at: time + duration.wholeNanoseconds)
        case .pauseReading, .freeze, .resumeReading, .readSlowly, .send, .close, .exit, .reset:
            break
        }
    }

    private func instant(_ time: Duration) -> Instant { self.surroundings.start.advanced(by: time) }
}
