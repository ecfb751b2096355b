//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// The detector with synchronised clocks, which nothing can surpass: NFD-S of Chen, Toueg and Aguilera.
///
/// A yardstick, not to be used: a heartbeat is fresh for the interval and the shift from when it was *sent*, by a clock
/// that both ends have to share. What detectors without such a clock reach is judged by it.
public struct NFDS: FailureDetector {
    private let freshNanoseconds: Int64
    private var newest: Instant?

    /// A detector that knows nothing yet.
    ///
    /// - Parameters:
    ///   - interval: the time between two heartbeats.
    ///   - shift: how long after the next heartbeat is sent the suspicion falls (delta in the paper).
    public init(interval: Duration, shift: Duration) {
        self.freshNanoseconds = (interval + shift).wholeNanoseconds
    }

    /// Nothing follows from a ping.
    public mutating func asked(at now: Instant) {}

    /// A heartbeat arrived; when it was sent is what counts.
    public mutating func arrived(sentAt: Instant, at now: Instant) {
        self.newest = self.newest.map { max($0, sentAt) } ?? sentAt
    }

    /// As good as a heartbeat that was sent now.
    public mutating func heard(at now: Instant) {
        self.arrived(sentAt: now, at: now)
    }

    /// The freshness point of the next heartbeat.
    public var suspicionAt: Instant {
        self.newest?.advanced(byNanoseconds: self.freshNanoseconds) ?? .distantFuture
    }
}
