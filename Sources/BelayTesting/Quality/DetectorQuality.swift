//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// How well a detector watched a peer that was alive all the time: the metrics of Chen, Toueg and Aguilera.
///
/// Made from transitions: a detector that begins to suspect a living peer makes a mistake, which lasts until it trusts it
/// again. ``DetectorTrial`` takes note of them; with other sources of transitions, call ``suspected(at:)`` and
/// ``trusted(at:)`` in the order of time. (W. Chen, S. Toueg, M. K. Aguilera, IEEE Transactions on Computers 51(5), 2002,
/// section 2.)
public struct DetectorQuality: Hashable, Sendable {
    /// How often a living peer became suspected.
    public private(set) var mistakes = 0

    /// When the time that is judged begins.
    private var start: Instant
    private var end: Instant
    private var firstMistakeAt: Instant?
    private var lastMistakeAt: Instant?
    /// Since when the peer is suspected, in the time that is judged.
    private var suspectedSince: Instant?
    private var suspicionNanoseconds: Int128 = 0
    private var correctedMistakes = 0
    private var correctedNanoseconds: Int128 = 0
    private var detections = 0
    private var detectionNanoseconds: Int128 = 0
    private var longestDetectionNanoseconds: Int64 = 0

    /// Nothing known yet.
    ///
    /// - Parameters:
    ///   - start: when the time that is judged begins.
    ///   - isSuspected: whether the peer is suspected then, which is no mistake but counts as time of suspicion.
    public init(from start: Instant, isSuspected: Bool = false) {
        self.start = start
        self.end = start
        self.suspectedSince = isSuspected ? start : nil
    }

    // MARK: - What happened

    /// The time that is judged begins only now.
    mutating func begin(at now: Instant, isSuspected: Bool) {
        self.start = now
        self.end = now
        self.suspectedSince = isSuspected ? now : nil
    }

    /// The peer became suspected; ignored while it is.
    public mutating func suspected(at now: Instant) {
        guard self.suspectedSince == nil else { return }
        self.suspectedSince = now
        self.mistakes += 1
        self.firstMistakeAt = self.firstMistakeAt ?? now
        self.lastMistakeAt = now
        self.ended(at: now)
    }

    /// The peer is trusted again; ignored while it is.
    public mutating func trusted(at now: Instant) {
        guard let since = self.suspectedSince else { return }
        self.suspectedSince = nil
        self.suspicionNanoseconds += Int128(now.nanoseconds) - Int128(since.nanoseconds)
        // A suspicion from before the time that is judged is no mistake in it.
        if self.mistakes > self.correctedMistakes {
            self.correctedMistakes += 1
            self.correctedNanoseconds += Int128(now.nanoseconds) - Int128(since.nanoseconds)
        }
        self.ended(at: now)
    }

    /// A crash would have been detected after this time.
    public mutating func detected(in time: Duration) {
        let nanoseconds = max(0, time.wholeNanoseconds)
        self.detections += 1
        self.detectionNanoseconds += Int128(nanoseconds)
        self.longestDetectionNanoseconds = max(self.longestDetectionNanoseconds, nanoseconds)
    }

    /// The time that is judged goes on until here, at least.
    public mutating func ended(at now: Instant) {
        self.end = max(self.end, now)
    }

    // MARK: - What follows

    /// The mean time from one mistake to the next (T_MR); nil with fewer than two.
    public var meanRecurrence: Duration? {
        guard let firstMistakeAt, let lastMistakeAt, self.mistakes > 1 else { return nil }
        return firstMistakeAt.duration(to: lastMistakeAt) / (self.mistakes - 1)
    }

    /// The mean duration of the mistakes that were corrected (T_M); nil when there was none.
    public var meanMistakeDuration: Duration? {
        Self.mean(self.correctedNanoseconds, of: self.correctedMistakes)
    }

    /// The share of the time in which the answer was right (P_A), 0 to 1; 1 for no time at all.
    public var queryAccuracy: Double {
        let whole = Int128(self.end.nanoseconds) - Int128(self.start.nanoseconds)
        guard whole > 0 else { return 1 }
        let open = self.suspectedSince.map { Int128(self.end.nanoseconds) - Int128($0.nanoseconds) } ?? 0
        return 1 - Double(self.suspicionNanoseconds + open) / Double(whole)
    }

    /// The mean time from a crash to the suspicion that stays (T_D); nil when none was measured.
    public var meanDetection: Duration? { Self.mean(self.detectionNanoseconds, of: self.detections) }

    /// The longest time from a crash to the suspicion that stays; nil when none was measured.
    public var longestDetection: Duration? {
        self.detections > 0 ? .nanoseconds(self.longestDetectionNanoseconds) : nil
    }

    private static func mean(_ sum: Int128, of count: Int) -> Duration? {
        count > 0 ? .nanoseconds(Int64(sum / Int128(count))) : nil
    }
}
