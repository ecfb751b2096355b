//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// How fast you must know that a peer is gone, and what follows from it.
///
/// Say one of three things; the rest is derived (see ``LivenessTimings``):
///
/// * ``init(detectWithin:attempts:)``: a silent peer is known within the bound; pings go out `attempts` times in it.
/// * ``init(interval:detectWithin:)``: ping this often, judge at the bound.
/// * ``init(interval:replyWithin:)``: ping this often, an answer must come this soon; the bound is the sum.
///
/// A policy never traps on its values: they come from files, flags and peers. ``validate()`` reports everything that is
/// wrong with one at once.
public struct LivenessPolicy: Hashable, Sendable {
    /// Which heartbeats this side sends.
    public enum Heartbeats: String, CaseIterable, Hashable, Sendable {
        /// We ping, and we answer the peer's pings. The default.
        case both
        /// We ping only; pings of the peer prove it alive but are not answered.
        case ping
        /// We answer only; the peer is expected to ping.
        case answer
        /// Neither: the peer's bytes alone are watched.
        case listen
    }

    /// The bound: a silent peer is declared dead no later than this after its last proof of life.
    ///
    /// 20 ms to 24 h. Nil when it follows from ``interval`` and ``replyWithin``.
    public var detectWithin: Duration?

    /// How many pings may stay unanswered within the bound, 1 to 100; gives the interval bound / (attempts + 1).
    ///
    /// Nil when an interval is given.
    public var attempts: Int?

    /// How long nothing must have been received before a ping is sent.
    ///
    /// 5 ms to 24 h, shorter than the bound.
    public var interval: Duration?

    /// How soon an answer must come.
    ///
    /// 5 ms to 24 h; needs an interval.
    public var replyWithin: Duration?

    /// Which heartbeats this side sends.
    ///
    /// Default: both.
    public var heartbeats: Heartbeats = .both

    /// Whether to ping under traffic too, for a fresh round trip time.
    ///
    /// Default: false.
    public var pingAlways = false

    /// Whether pings go out after the whole interval, instead of 75 to 100 % of it (rule R2).
    ///
    /// Only the whole interval tells how long a path stays open: see ``SmartInterval``. Default: false.
    public var pingsAtWholeIntervals = false

    /// Silence after which a peer is suspected (rule R4).
    ///
    /// Default: two thirds of the bound. Shorter than the bound.
    public var suspectAfter: Duration?

    /// What may suspect a peer earlier than ``suspectAfter``.
    ///
    /// Default: fixed, nothing.
    public var detector: Detector = .fixed

    /// How long bytes may wait for a peer without any of them moving (rule R8).
    ///
    /// Default: the bound in force, also where a peer asked for another one. 20 ms to 24 h.
    public var writeWithin: Duration?

    /// How long the first element, or the hello where one is required, may take (rule R10).
    ///
    /// 20 ms to 24 h.
    ///
    /// Default: the bound; where a hello is required, at most 10 s.
    public var handshakeWithin: Duration?

    /// How long an orderly close may take before the connection is reset.
    ///
    /// Default: 5 s. 1 ms to 24 h.
    public var closeWithin: Duration = .seconds(5)

    /// How long an unfinished line or frame may stay unfinished.
    ///
    /// Default: the longer of the bound and 60 s. 20 ms to 24 h.
    public var messageWithin: Duration?

    /// How long heartbeats alone keep a connection (`policy.idle`).
    ///
    /// 20 ms to 24 h. Default: nil, for ever.
    public var idleLimit: Duration?

    /// How long our own program may leave a connection unread (rule R7).
    ///
    /// 20 ms to 24 h.
    ///
    /// Default: the longer of ten bounds and 5 minutes.
    public var readPauseLimit: Duration?

    /// How often a peer may ping (rule R12), as a long-term average.
    ///
    /// Default: 5 ms, what the shortest bound needs.
    public var minimumPeerInterval: Duration = .milliseconds(5)

    /// How many pings beyond ``minimumPeerInterval`` are forgiven, 0 to 1,000.
    ///
    /// Default: 2, as in gRPC.
    public var pingStrikes = 2

    /// Whether the peer must say hello before its first message.
    ///
    /// Default: false.
    public var requiresHello = false

    /// Whether a peer that closed its writing half may go on reading (rule R9).
    ///
    /// Default: false.
    public var allowHalfClosure = false

    /// The range to which a bound that a peer asks for is clamped.
    ///
    /// Default: a tenth of our bound to our bound.
    public var peerBounds: ClosedRange<Duration>?

    /// A policy that detects within a bound.
    ///
    /// - Parameters:
    ///   - detectWithin: the bound, 20 ms to 24 h.
    ///   - attempts: pings that may stay unanswered within it; default 2.
    public init(detectWithin: Duration, attempts: Int = 2) {
        self.detectWithin = detectWithin
        self.attempts = attempts
    }

    /// A policy that pings at an interval and judges at a bound.
    public init(interval: Duration, detectWithin: Duration) {
        self.interval = interval
        self.detectWithin = detectWithin
    }

    /// A policy that pings at an interval and wants an answer within a time; the bound is their sum.
    public init(interval: Duration, replyWithin: Duration) {
        self.interval = interval
        self.replyWithin = replyWithin
    }

    /// A policy from parts that may contradict each other, as flags and files give them; ``validate()`` tells.
    ///
    /// With none of the four given the bound is 30 s.
    public init(detectWithin: Duration?, attempts: Int?, interval: Duration?, replyWithin: Duration?) {
        self.detectWithin = detectWithin ?? (interval == nil && replyWithin == nil ? .seconds(30) : nil)
        self.attempts = attempts
        self.interval = interval
        self.replyWithin = replyWithin
    }
}

extension LivenessPolicy {
    /// For peers in the same data centre: 3 s.
    public static var lan: LivenessPolicy { LivenessPolicy(detectWithin: .seconds(3)) }

    /// For peers across the internet: 30 s.
    public static var wan: LivenessPolicy { LivenessPolicy(detectWithin: .seconds(30)) }

    /// For mobile devices that pay for each wake-up of the radio: 2 min, one attempt, and patience while they sleep.
    public static var mobile: LivenessPolicy {
        var policy = LivenessPolicy(detectWithin: .seconds(120), attempts: 1)
        policy.writeWithin = .seconds(180)
        return policy
    }

    /// For tests on one machine: 300 ms.
    public static var localTesting: LivenessPolicy { LivenessPolicy(detectWithin: .milliseconds(300)) }
}
