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
    mutating func arrived(sentAt: Instant) -> Bool {
        if let freshest, sentAt <= freshest { return false }
        self.fresh(from: sentAt)
        return true
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
