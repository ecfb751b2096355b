//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// A timeout that starts anew with each heartbeat and throws away those that were too long on their way.
///
/// The detector that Chen, Toueg and Aguilera compare theirs with (SFD): without the cutoff its time to detect has no bound,
/// with it, it is the sum of both. To throw away, both ends have to share a clock: a yardstick, not to be used.
public struct CutoffTimeout: FailureDetector {
    private let timeoutNanoseconds: Int64
    private let cutoffNanoseconds: Int64
    private var newest: Instant?
    private var lastArrival: Instant?

    /// A detector that knows nothing yet.
    ///
    /// - Parameters:
    ///   - timeout: so long after the last heartbeat the suspicion falls.
    ///   - cutoff: heartbeats that took longer are ignored.
    public init(timeout: Duration, cutoff: Duration) {
        self.timeoutNanoseconds = timeout.wholeNanoseconds
        self.cutoffNanoseconds = cutoff.wholeNanoseconds
    }

    /// Nothing follows from a ping.
    public mutating func asked(at now: Instant) {}

    /// A heartbeat arrived; unless it took too long, the timeout starts anew.
    public mutating func arrived(sentAt: Instant, at now: Instant) {
        guard now.nanoseconds(since: sentAt) <= self.cutoffNanoseconds, self.newest.map({ sentAt > $0 }) ?? true
        else { return }
        self.newest = sentAt
        self.lastArrival = now
    }

    /// The timeout starts anew.
    public mutating func heard(at now: Instant) {
        self.arrived(sentAt: now, at: now)
    }

    /// The end of the timeout.
    public var suspicionAt: Instant {
        self.lastArrival?.advanced(byNanoseconds: self.timeoutNanoseconds) ?? .distantFuture
    }
}
