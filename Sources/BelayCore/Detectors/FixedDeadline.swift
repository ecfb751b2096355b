//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Suspects a peer after a fixed multiple of the interval, as BFD does (RFC 5880 section 6.8.4).
///
/// It knows nothing of the path: too long for a fast one, too short for one that is slower than its interval.
public struct FixedDeadline: FailureDetector {
    private var schedule: HeartbeatSchedule
    private let deadlineNanoseconds: Int64
    private var proof: Instant?

    /// A detector that suspects a peer when nothing has come for `multiplier` intervals.
    ///
    /// - Parameters:
    ///   - interval: the interval of the heartbeats, at least 1 ns.
    ///   - multiplier: how many of them may pass, 1 to 255; others are clamped to that.
    public init(interval: Duration, multiplier: Int = 3) {
        self.schedule = HeartbeatSchedule(interval: interval)
        let (deadline, overflow) = self.schedule.intervalNanoseconds.multipliedReportingOverflow(
            by: Int64(min(max(multiplier, 1), 255))
        )
        self.deadlineNanoseconds = overflow ? .max : deadline
    }

    /// A ping was sent.
    public mutating func asked(at now: Instant) { self.schedule.asked(at: now) }

    /// A heartbeat arrived: it proves the peer alive when its ping was sent; without pings of ours, when it arrived.
    public mutating func arrived(sentAt: Instant, at now: Instant) {
        guard self.schedule.arrived(sentAt: sentAt) else { return }
        self.heard(at: self.schedule.isAsking ? sentAt : now)
    }

    /// Something else proved the peer alive.
    public mutating func heard(at now: Instant) {
        self.proof = self.proof.map { max($0, now) } ?? now
    }

    /// The last proof of life and the multiple of the interval.
    public var suspicionAt: Instant {
        self.proof?.advanced(byNanoseconds: self.deadlineNanoseconds) ?? .distantFuture
    }
}
