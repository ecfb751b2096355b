//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// A ``LivenessPolicy`` worked out to exact times: what one connection is judged by.
///
/// Nanoseconds in 64-bit integers, because each tick of the timing wheel compares several of them. A reference inside,
/// because all connections of a listener are judged by the same: one that negotiates others pays for them alone.
public struct LivenessTimings: Hashable, Sendable {
    /// The bound: silence of this length is death.
    public var bound: Duration { .nanoseconds(self.boundNanoseconds) }
    /// The nominal ping interval; each is drawn from 75 to 100 % of it (RFC 5880 section 6.8.7).
    public var interval: Duration { .nanoseconds(self.intervalNanoseconds) }
    /// How long a peer has to answer the last ping before the verdict.
    public var replyWithin: Duration { .nanoseconds(self.replyNanoseconds) }
    /// Silence of this length is suspicion.
    public var suspectAfter: Duration { .nanoseconds(self.suspectNanoseconds) }
    /// The write deadline.
    public var writeWithin: Duration { .nanoseconds(self.writeNanoseconds) }
    /// The handshake deadline.
    public var handshakeWithin: Duration { .nanoseconds(self.handshakeNanoseconds) }
    /// The deadline of an orderly close.
    public var closeWithin: Duration { .nanoseconds(self.closeNanoseconds) }
    /// How long our own program may leave the connection unread.
    public var readPauseLimit: Duration { .nanoseconds(self.readPauseNanoseconds) }
    /// What may suspect a peer earlier than ``suspectAfter``.
    public var detector: Detector { self.fixed.detector }
    /// Whether this side sends pings.
    public var sendsPings: Bool { self.fixed.sendsPings }
    /// Whether this side answers pings.
    public var answersPings: Bool { self.fixed.answersPings }
    /// Whether pings go out under traffic too.
    public var pingAlways: Bool { self.fixed.pingAlways }
    /// Whether the peer must say hello before its first message.
    public var requiresHello: Bool { self.fixed.requiresHello }
    /// Whether a peer that closed its writing half may go on reading.
    public var allowHalfClosure: Bool { self.fixed.allowHalfClosure }
    /// How many pings beyond the permitted rate are forgiven.
    public var pingStrikes: Int { self.fixed.pingStrikes }

    private let negotiable: Negotiable

    private var fixed: Fixed { self.negotiable.fixed }

    var boundNanoseconds: Int64 { self.negotiable.boundNanoseconds }
    var intervalNanoseconds: Int64 { self.negotiable.intervalNanoseconds }
    var replyNanoseconds: Int64 { self.negotiable.replyNanoseconds }
    var suspectNanoseconds: Int64 { self.negotiable.suspectNanoseconds }

    var writeNanoseconds: Int64 { self.fixed.writeNanoseconds ?? self.boundNanoseconds }
    var handshakeNanoseconds: Int64 { self.fixed.handshakeNanoseconds }
    var closeNanoseconds: Int64 { self.fixed.closeNanoseconds }
    var messageNanoseconds: Int64 { self.fixed.messageNanoseconds ?? max(self.boundNanoseconds, 60_000_000_000) }
    var idleNanoseconds: Int64? { self.fixed.idleNanoseconds }
    var readPauseNanoseconds: Int64 {
        self.fixed.readPauseNanoseconds ?? max(self.boundNanoseconds * 10, 300_000_000_000)
    }
    var minimumPeerIntervalNanoseconds: Int64 { self.fixed.minimumPeerIntervalNanoseconds }

    init(_ policy: LivenessPolicy, bound: Duration, interval: Duration) {
        let (bound, interval) = (bound.wholeNanoseconds, interval.wholeNanoseconds)
        self.negotiable = Negotiable(
            boundNanoseconds: bound,
            intervalNanoseconds: interval,
            replyNanoseconds: Self.reply(bound: bound, interval: interval),
            suspectNanoseconds: policy.suspectAfter?.wholeNanoseconds
                ?? Self.suspicion(bound: bound, interval: interval),
            fixed: Fixed(policy, bound: bound)
        )
    }

    private init(_ negotiable: Negotiable) {
        self.negotiable = negotiable
    }

    /// Two thirds of the bound; where the first ping goes out so late that its answer could not come before, a quarter of
    /// the time for that answer after it.
    private static func suspicion(bound: Int64, interval: Int64) -> Int64 {
        max(bound / 3 * 2, interval + (bound - interval) / 4)
    }

    /// The time after the last scheduled ping of a bound, at least half an interval where there is more than one ping.
    private static func reply(bound: Int64, interval: Int64) -> Int64 {
        let pings = max(1, (bound - 1) / interval)
        let rest = bound - pings * interval
        return pings > 1 && rest < interval / 2 ? rest + interval : rest
    }

    /// These timings with the interval and bound that a peer asked for, clamped to what is permitted (rule R12).
    ///
    /// A bound is clamped to the policy's `peerBounds`, an interval to 5 ms ... half the bound. With only one of the two
    /// the other keeps its ratio. A peer can make detection faster or slower within the range; it cannot switch it off.
    public func negotiated(every: Duration?, within: Duration?) -> LivenessTimings {
        guard every != nil || within != nil else { return self }
        let wanted = within ?? self.bound
        let bound = min(max(wanted, self.fixed.peerBounds.lowerBound), self.fixed.peerBounds.upperBound)
            .wholeNanoseconds
        let ratio = Double(self.intervalNanoseconds) / Double(self.boundNanoseconds)
        let interval = every?.wholeNanoseconds ?? Int64(Double(bound) * ratio)
        return self.with(bound: bound, interval: min(max(interval, 5_000_000), max(bound / 2, 5_000_000)))
    }

    /// These timings with the interval and bound that a server's welcome puts in force, within what can be asked for.
    ///
    /// A client takes the server's word, so that both ends detect by the same bound.
    public func adopting(every: Duration, within: Duration) -> LivenessTimings {
        let allowed = LivenessPolicy.allowedBounds
        let bound = min(max(within, allowed.lowerBound), allowed.upperBound).wholeNanoseconds
        return self.with(bound: bound, interval: min(max(every.wholeNanoseconds, 5_000_000), bound - bound / 20))
    }

    /// These timings with an interval of at most `every`, and at least 5 ms; the bound stays.
    public func pinging(atLeastEvery every: Duration) -> LivenessTimings {
        let interval = max(every.wholeNanoseconds, 5_000_000)
        guard interval < self.intervalNanoseconds else { return self }
        return self.with(bound: self.boundNanoseconds, interval: interval)
    }

    /// These timings with another interval and the same time to answer: the bound changes with the interval.
    public func pinging(every: Duration) -> LivenessTimings {
        let reply = self.fixed.replyNanoseconds ?? self.replyNanoseconds
        let interval = min(max(every.wholeNanoseconds, 5_000_000), 86_400_000_000_000 - reply)
        return self.with(bound: interval + reply, interval: interval)
    }

    private func with(bound: Int64, interval: Int64) -> LivenessTimings {
        let ratio = Double(self.suspectNanoseconds) / Double(self.boundNanoseconds)
        return LivenessTimings(
            Negotiable(
                boundNanoseconds: bound,
                intervalNanoseconds: interval,
                replyNanoseconds: Self.reply(bound: bound, interval: interval),
                suspectNanoseconds: self.fixed.hasOwnSuspicion
                    ? Int64(Double(bound) * ratio) : Self.suspicion(bound: bound, interval: interval),
                fixed: self.fixed
            )
        )
    }
}

/// What a hello or welcome may change, and what follows from it.
private final class Negotiable: Hashable, Sendable {
    let boundNanoseconds: Int64
    let intervalNanoseconds: Int64
    let replyNanoseconds: Int64
    let suspectNanoseconds: Int64
    let fixed: Fixed

    init(
        boundNanoseconds: Int64,
        intervalNanoseconds: Int64,
        replyNanoseconds: Int64,
        suspectNanoseconds: Int64,
        fixed: Fixed
    ) {
        self.boundNanoseconds = boundNanoseconds
        self.intervalNanoseconds = intervalNanoseconds
        self.replyNanoseconds = replyNanoseconds
        self.suspectNanoseconds = suspectNanoseconds
        self.fixed = fixed
    }

    static func == (lhs: Negotiable, rhs: Negotiable) -> Bool {
        if lhs === rhs { return true }
        // The time to answer follows from the two.
        return lhs.boundNanoseconds == rhs.boundNanoseconds && lhs.intervalNanoseconds == rhs.intervalNanoseconds
            && lhs.suspectNanoseconds == rhs.suspectNanoseconds && lhs.fixed == rhs.fixed
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(self.boundNanoseconds)
        hasher.combine(self.intervalNanoseconds)
        hasher.combine(self.suspectNanoseconds)
        hasher.combine(self.fixed)
    }
}

/// What a hello or welcome does not change: shared by all connections of a listener instead of held by each.
private final class Fixed: Hashable, Sendable {
    // What follows the bound in force where the policy does not say it is nil.
    let writeNanoseconds: Int64?
    let handshakeNanoseconds: Int64
    let closeNanoseconds: Int64
    let messageNanoseconds: Int64?
    let idleNanoseconds: Int64?
    let readPauseNanoseconds: Int64?
    let minimumPeerIntervalNanoseconds: Int64
    let peerBounds: ClosedRange<Duration>
    let sendsPings: Bool
    let answersPings: Bool
    let pingAlways: Bool
    let pingsAtWholeIntervals: Bool
    let requiresHello: Bool
    let allowHalfClosure: Bool
    let pingStrikes: Int
    /// The time to answer that the policy gives.
    let replyNanoseconds: Int64?
    let detector: Detector
    /// Whether the policy says when to suspect.
    let hasOwnSuspicion: Bool
    private let policy: LivenessPolicy

    init(_ policy: LivenessPolicy, bound: Int64) {
        self.policy = policy
        self.writeNanoseconds = policy.writeWithin?.wholeNanoseconds
        let longestHandshake = policy.requiresHello ? min(bound, 10_000_000_000) : bound
        self.handshakeNanoseconds = policy.handshakeWithin?.wholeNanoseconds ?? longestHandshake
        self.closeNanoseconds = policy.closeWithin.wholeNanoseconds
        self.messageNanoseconds = policy.messageWithin?.wholeNanoseconds
        self.idleNanoseconds = policy.idleLimit?.wholeNanoseconds
        self.readPauseNanoseconds = policy.readPauseLimit?.wholeNanoseconds
        self.minimumPeerIntervalNanoseconds = policy.minimumPeerInterval.wholeNanoseconds
        self.sendsPings = policy.heartbeats == .both || policy.heartbeats == .ping
        self.answersPings = policy.heartbeats == .both || policy.heartbeats == .answer
        self.pingAlways = policy.pingAlways
        self.pingsAtWholeIntervals = policy.pingsAtWholeIntervals
        self.requiresHello = policy.requiresHello
        self.allowHalfClosure = policy.allowHalfClosure
        self.pingStrikes = policy.pingStrikes
        self.replyNanoseconds = policy.replyWithin?.wholeNanoseconds
        self.detector = policy.detector
        self.hasOwnSuspicion = policy.suspectAfter != nil
        let shortest = max(LivenessPolicy.allowedBounds.lowerBound, .nanoseconds(bound / 10))
        self.peerBounds = policy.peerBounds ?? shortest...max(shortest, .nanoseconds(bound))
    }

    // Everything here follows from the policy.
    static func == (lhs: Fixed, rhs: Fixed) -> Bool { lhs === rhs || lhs.policy == rhs.policy }

    func hash(into hasher: inout Hasher) { hasher.combine(self.policy) }
}

extension LivenessTimings {
    /// The earliest a ping goes out: 75 % of the interval, or all of it.
    var shortestIntervalNanoseconds: Int64 {
        self.fixed.pingsAtWholeIntervals ? self.intervalNanoseconds : self.intervalNanoseconds / 4 * 3
    }

    /// The latest suspicion, however much a node that is late itself puts it off: half of the time between the usual one and
    /// the bound is left for the peer to answer.
    var latestSuspicionNanoseconds: Int64 {
        self.suspectNanoseconds + (self.boundNanoseconds - self.suspectNanoseconds) / 2
    }

    /// How much before a deadline its timer is armed, so that waking up late still falls before the bound.
    ///
    /// One percent of the bound, at least 2 ms and at most 10 ms, but never more than 8 % of it or a third of the time to
    /// answer.
    var marginNanoseconds: Int64 {
        let usual = min(max(self.boundNanoseconds / 100, 2_000_000), 10_000_000)
        return min(usual, self.boundNanoseconds / 25 * 2, self.replyNanoseconds / 3)
    }

    /// The grid on which pings go out, so that those of many connections leave together: at most 1/16 of the interval.
    var pingGridNanoseconds: Int64 { min(self.intervalNanoseconds / 16, 16_000_000) }

    /// How often a backlog is looked at, so that the write deadline is kept to 1/32 and its end is seen within a bound.
    var backlogSampleNanoseconds: Int64 { max(min(self.writeNanoseconds, self.boundNanoseconds) / 32, 1_000_000) }

    /// How late a loop that watches this connection may be without it being a stall (rule R6).
    public var stallTolerance: Duration { .nanoseconds(max(self.intervalNanoseconds / 8, 4_000_000)) }

    /// How long a stall must be to be worth an event and a fresh ping for each peer: one interval, at most 250 ms.
    ///
    /// A shorter one beyond the tolerance is only left out of the clock.
    public var stallThreshold: Duration { .nanoseconds(min(self.intervalNanoseconds, 250_000_000)) }
}
