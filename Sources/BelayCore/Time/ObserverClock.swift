//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The clock of all deadlines (rule R6): monotonic time less the time in which this process could not observe.
///
/// A verdict on silence is only fair if we would have heard the peer. A process that was stopped, starved or blocked
/// heard nobody, and a timer that compares with plain monotonic time then declares every peer dead at once. This clock
/// is told when it will next be looked at (``expectReading(at:)``); a look that comes later than that by more than
/// the tolerance is a stall, and the excess is left out of the time it shows.
///
/// A sleep that was scheduled is therefore no stall, however long; one that overran is. Rejected alternative: a fixed
/// tick that is counted instead of measured. It needs a wake-up per tick even when nothing is due.
///
/// The value is pure: readings of the monotonic clock are parameters.
public struct ObserverClock: Sendable {
    /// A time in which nothing was observed.
    public struct Stall: Hashable, Sendable {
        /// How long the process overslept, in total, not only the part that was left out of the clock.
        public var length: Duration
        /// When it ended, on the monotonic clock, in nanoseconds.
        public var endedAtMonotonicNanoseconds: Int64

        /// A stall of this length that ended then.
        public init(length: Duration, endedAtMonotonicNanoseconds: Int64) {
            self.length = length
            self.endedAtMonotonicNanoseconds = endedAtMonotonicNanoseconds
        }

        /// When it began, on the monotonic clock, in nanoseconds.
        public var beganAtMonotonicNanoseconds: Int64 {
            self.endedAtMonotonicNanoseconds - self.length.wholeNanoseconds
        }
    }

    /// Overruns up to this long count as normal time.
    public private(set) var tolerance: Duration

    /// All time that was left out so far.
    public private(set) var timeLeftOut: Duration = .zero

    /// How much was left out of this clock at once, and when that ended on the monotonic clock, in nanoseconds.
    private struct Gap {
        var length: Int64
        var end: Int64
    }

    private static let gapsKept = 32

    private var toleranceNanoseconds: Int64
    private var leftOutNanoseconds: Int64 = 0
    /// From the oldest to the last; one that is long ago may stand for several that were close to each other.
    private var gaps: [Gap] = []
    private var expectedNanoseconds: Int64 = .max
    private var lastReadingNanoseconds: Int64 = .min

    /// A clock that left nothing out yet.
    ///
    /// - Parameter tolerance: how late a look may be without being a stall; at least zero. Small against the shortest
    ///   ping interval, large against the jitter of a healthy scheduler (an eighth of an interval, and at least 4 ms, is good).
    public init(tolerance: Duration) {
        self.tolerance = tolerance
        self.toleranceNanoseconds = max(0, tolerance.wholeNanoseconds)
    }

    /// Lowers the tolerance, because a connection with a shorter interval is now watched by this clock.
    public mutating func lowerTolerance(to tolerance: Duration) {
        guard tolerance < self.tolerance else { return }
        self.tolerance = tolerance
        self.toleranceNanoseconds = max(0, tolerance.wholeNanoseconds)
    }

    /// Announces when the next look is due.
    ///
    /// No look before that is late.
    ///
    /// A time before the last reading means that the next look is due at once: what was due already is not late by a
    /// stall, but a stall that comes before the next look shows.
    ///
    /// - Parameter monotonicNanoseconds: the time of the next wake-up; `Int64.max` when none is scheduled.
    public mutating func expectReading(at monotonicNanoseconds: Int64) {
        self.expectedNanoseconds = max(monotonicNanoseconds, self.lastReadingNanoseconds)
    }

    /// The observer's time for a reading of the monotonic clock, and the stall that this reading reveals, if any.
    ///
    /// After a stall the time shown is that of the expected wake-up plus the tolerance, and the next reading counts from
    /// there: one stall is returned once.
    public mutating func read(monotonicNanoseconds now: Int64) -> (now: Instant, stall: Stall?) {
        self.lastReadingNanoseconds = now
        // A look that was due before time began, as far as anybody said, is not late.
        let (overrun, isBeyondTime) = now.subtractingReportingOverflow(self.expectedNanoseconds)
        guard self.expectedNanoseconds < now, !isBeyondTime, overrun > self.toleranceNanoseconds else {
            return (Instant(nanoseconds: now - self.leftOutNanoseconds), nil)
        }
        self.leaveOut(overrun - self.toleranceNanoseconds, until: now)
        // The wake-up that was due is this one. What it leads to is due now.
        self.expectedNanoseconds = now
        let stall = Stall(length: .nanoseconds(overrun), endedAtMonotonicNanoseconds: now)
        return (Instant(nanoseconds: now - self.leftOutNanoseconds), stall)
    }

    private mutating func leaveOut(_ length: Int64, until end: Int64) {
        self.leftOutNanoseconds += length
        self.timeLeftOut = .nanoseconds(self.leftOutNanoseconds)
        self.gaps.append(Gap(length: length, end: end))
        if self.gaps.count > Self.gapsKept { self.joinClosestGaps() }
    }

    /// Two become one, those whose distance is the smallest part of their age: the older, the coarser.
    private mutating func joinClosestGaps() {
        let now = self.gaps[self.gaps.count - 1].end
        var (closest, smallest) = (0, Double.infinity)
        for index in 0..<self.gaps.count - 1 {
            let age = now - self.gaps[index].end
            let distance = self.gaps[index + 1].end - self.gaps[index].end
            let part = Double(distance) / Double(max(1, age))
            if part < smallest { (closest, smallest) = (index, part) }
        }
        let older = self.gaps.remove(at: closest)
        self.gaps[closest].length += older.length
    }

    /// What this clock showed at an earlier reading of the monotonic clock.
    ///
    /// The time that was left out since then is left out of the distance as well: for ages that somebody tells who counted on,
    /// such as a kernel. Of a reading before the last 32 stalls, a time that may be too late, by a part of what was left out about
    /// then, and is never too early.
    public func instant(ofMonotonicNanoseconds earlier: Int64) -> Instant {
        var leftOut = self.leftOutNanoseconds
        for gap in self.gaps.reversed() {
            guard earlier < gap.end else { break }
            leftOut -= earlier > gap.end - gap.length ? gap.end - earlier : gap.length
        }
        return Instant(nanoseconds: earlier).advanced(byNanoseconds: -leftOut)
    }

    /// The reading of the monotonic clock at which this clock will show `instant`, if no stall comes between.
    public func monotonicNanoseconds(of instant: Instant) -> Int64 {
        instant.advanced(byNanoseconds: self.leftOutNanoseconds).nanoseconds
    }
}
