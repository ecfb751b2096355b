//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Says from when on a peer is to be suspected, from the heartbeats that it was asked for and those that arrived.
///
/// A detector is told what happens and answers with one time, ``suspicionAt``; it reads no clock, and allocates
/// nothing after its initializer. It never declares anybody dead: the verdict falls at the bound of
/// ``LivenessPolicy``, whatever the detector thinks, so a detector can only make suspicion earlier.
///
/// Heartbeats come in two ways, and the same detectors serve both:
///
/// * *Ping and pong.* ``asked(at:)`` is called when a ping is sent, ``arrived(sentAt:at:)`` when it is answered, with the
///   time at which that ping was sent. Both times are on our own clock: the round trip itself is the sample.
/// * *Heartbeats of the peer's own*, sent once every interval. ``asked(at:)`` is never called, and `sentAt` is the time by
///   the sender's clock, or its number times the interval. The clocks need the same pace, not the same origin.
public protocol FailureDetector: Sendable {
    /// A ping was sent.
    ///
    /// Of several that are unanswered the first one counts.
    mutating func asked(at now: Instant)

    /// A heartbeat arrived.
    ///
    /// One that was sent before another that has arrived is ignored: it proves nothing new (rule R15).
    ///
    /// - Parameters:
    ///   - sentAt: when it was sent; with ping and pong, when the ping was.
    ///   - now: when it arrived.
    mutating func arrived(sentAt: Instant, at now: Instant)

    /// Something else proved the peer alive: it counts, but is no sample.
    mutating func heard(at now: Instant)

    /// From when on the peer is suspected if nothing arrives; ``Instant/distantFuture`` while too little is known.
    ///
    /// Changes only with the calls above, so that a timer can be set to it.
    var suspicionAt: Instant { get }
}

extension FailureDetector {
    /// Whether the peer is suspected.
    public func verdict(at now: Instant) -> Verdict {
        now < self.suspicionAt ? .alive : .suspect
    }
}
