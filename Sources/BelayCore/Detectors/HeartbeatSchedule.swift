//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What a detector knows of the order of heartbeats: what was asked, what has arrived, what is awaited since when.
///
/// Kept without a list of pings in flight. Of the pings that are unanswered only the first and the last are known, which is
/// exact for up to two; with more, the one after an answer is taken to have been sent one interval after it, or with the
/// last one, whichever was earlier.
struct HeartbeatSchedule: Hashable, Sendable {
    /// The interval between heartbeats.
    var intervalNanoseconds: Int64
    /// When the newest heartbeat that arrived was sent; nil before the first.
    private(set) var freshest: Instant?
    /// When the newest heartbeat was sent that is a sample, or that must not be one.
    private var newestSample: Instant?
    private var firstUnanswered: Instant?
    private var lastAsked: Instant?

    init(interval: Duration) {
        self.intervalNanoseconds = max(1, interval.wholeNanoseconds)
    }

    /// Whether heartbeats are answers to pings of ours, so that both times are of our clock.
    var isAsking: Bool { self.lastAsked != nil }

    /// When the heartbeat that is awaited was sent, or will be at the latest; nil before the first has arrived or was asked
    /// for.
    var awaitedSince: Instant? {
        self.firstUnanswered ?? self.freshest?.advanced(byNanoseconds: self.intervalNanoseconds)
    }

    mutating func asked(at now: Instant) {
        self.lastAsked = now
        self.firstUnanswered = self.firstUnanswered ?? now
    }

    /// Takes note of a heartbeat; false when a newer one has arrived before.
    ///
    /// One that arrives behind other bytes proves nothing that they did not, but how long it took is a sample all the same.
    mutating func arrived(sentAt: Instant) -> Bool {
        guard self.newestSample.map({ sentAt > $0 }) ?? true else { return false }
        self.newestSample = sentAt
        self.fresh(from: sentAt)
        return true
    }

    /// Answers to what was asked until now tell nothing of the path: they waited for us.
    mutating func discard(until now: Instant) {
        self.newestSample = self.newestSample.map { max($0, now) } ?? now
        self.fresh(from: now)
    }

    /// Everything sent until `instant` is as good as answered.
    mutating func fresh(from instant: Instant) {
        guard self.freshest.map({ instant > $0 }) ?? true else { return }
        self.freshest = instant
        guard let firstUnanswered, firstUnanswered <= instant else { return }
        guard let lastAsked, lastAsked > instant else {
            self.firstUnanswered = nil
            return
        }
        self.firstUnanswered = min(lastAsked, instant.advanced(byNanoseconds: self.intervalNanoseconds))
    }
}
