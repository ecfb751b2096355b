//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R6: the clock that leaves out what we could not observe")
struct ObserverClockTests {
    private static let millisecond: Int64 = 1_000_000
    private static let start: Int64 = 7_000_000_000

    /// A clock with a tolerance of 8 ms that was read at ``start``.
    private static func clock() -> ObserverClock {
        var clock = ObserverClock(tolerance: .milliseconds(8))
        _ = clock.read(monotonicNanoseconds: self.start)
        return clock
    }

    @Test("a first look that was due at any time at all is no stall")
    func firstLook() {
        var clock = ObserverClock(tolerance: .milliseconds(8))
        clock.expectReading(at: .min)
        let (now, stall) = clock.read(monotonicNanoseconds: 0)
        #expect(now == Instant(nanoseconds: 0))
        #expect(stall == nil)
    }

    @Test("R6: a sleep that was scheduled is no stall, however long")
    func scheduledSleep() {
        for length in [1, 1_000, 86_400_000, 86_400_000_000] as [Int64] {
            var clock = Self.clock()
            let due = Self.start + length * Self.millisecond
            clock.expectReading(at: due)
            let (now, stall) = clock.read(monotonicNanoseconds: due)
            #expect(stall == nil)
            #expect(now == Instant(nanoseconds: due))
            #expect(clock.timeLeftOut == .zero)
        }
    }

    @Test("R6: a sleep without an end is no stall")
    func nothingScheduled() {
        var clock = Self.clock()
        clock.expectReading(at: .max)
        #expect(clock.read(monotonicNanoseconds: Self.start + 86_400_000 * Self.millisecond).stall == nil)
        var fresh = ObserverClock(tolerance: .milliseconds(8))
        #expect(fresh.read(monotonicNanoseconds: .max / 2).stall == nil)
    }

    @Test("R6: a sleep that overran is a stall of its overrun, and the excess over the tolerance is left out")
    func overrun() {
        var clock = Self.clock()
        let due = Self.start + 100 * Self.millisecond
        clock.expectReading(at: due)
        let late = due + 750 * Self.millisecond
        let (now, stall) = clock.read(monotonicNanoseconds: late)
        #expect(stall == .init(length: .milliseconds(750), endedAtMonotonicNanoseconds: late))
        #expect(stall?.beganAtMonotonicNanoseconds == due)
        #expect(now == Instant(nanoseconds: due + 8 * Self.millisecond))
        #expect(clock.timeLeftOut == .milliseconds(742))
    }

    @Test("R6: an overrun up to the tolerance is normal time, one nanosecond more is a stall")
    func tolerance() {
        for (overrun, isStall) in [(0, false), (1, false), (8_000_000, false), (8_000_001, true)] as [(Int64, Bool)] {
            var clock = Self.clock()
            let due = Self.start + 100 * Self.millisecond
            clock.expectReading(at: due)
            let (now, stall) = clock.read(monotonicNanoseconds: due + overrun)
            #expect((stall != nil) == isStall, "\(overrun) ns")
            #expect(now == Instant(nanoseconds: due + min(overrun, 8_000_000)), "\(overrun) ns")
        }
    }

    @Test("R6: one stall is returned once, and time goes on from there")
    func once() {
        var clock = Self.clock()
        let due = Self.start + 100 * Self.millisecond
        clock.expectReading(at: due)
        let late = due + 1_000 * Self.millisecond
        #expect(clock.read(monotonicNanoseconds: late).stall != nil)
        let (now, again) = clock.read(monotonicNanoseconds: late + 5 * Self.millisecond)
        #expect(again == nil)
        #expect(now == Instant(nanoseconds: due + 13 * Self.millisecond))
    }

    @Test("R6: a stop while the loop still works off what was due is a stall of its own")
    func stallInCatchingUp() {
        var clock = Self.clock()
        let due = Self.start + 100 * Self.millisecond
        clock.expectReading(at: due)
        let late = due + 1_000 * Self.millisecond
        _ = clock.read(monotonicNanoseconds: late)
        let second = clock.read(monotonicNanoseconds: late + 300 * Self.millisecond).stall
        #expect(second?.length == .milliseconds(300))
        #expect(clock.timeLeftOut == .milliseconds(992 + 292))
    }

    @Test("R6: what is announced for a time that has passed is due now and no stall by itself")
    func announcedLate() {
        var clock = Self.clock()
        clock.expectReading(at: Self.start - 1_000 * Self.millisecond)
        #expect(clock.read(monotonicNanoseconds: Self.start + 2 * Self.millisecond).stall == nil)
        clock.expectReading(at: 0)
        let stall = clock.read(monotonicNanoseconds: Self.start + 502 * Self.millisecond).stall
        #expect(stall?.length == .milliseconds(500))
    }

    @Test("R6: the time that was left out adds up")
    func accumulates() {
        var clock = Self.clock()
        var now = Self.start
        for stalls in 1...100 as ClosedRange<Int64> {
            clock.expectReading(at: now + 50 * Self.millisecond)
            now += 70 * Self.millisecond
            #expect(clock.read(monotonicNanoseconds: now).stall?.length == .milliseconds(20))
            #expect(clock.timeLeftOut == .milliseconds(12 * stalls))
            #expect(
                clock.read(monotonicNanoseconds: now).now == Instant(nanoseconds: now - 12 * stalls * Self.millisecond)
            )
        }
    }

    @Test("R6: the tolerance can be lowered and not raised again")
    func lowerTolerance() {
        var clock = Self.clock()
        clock.lowerTolerance(to: .milliseconds(20))
        #expect(clock.tolerance == .milliseconds(8))
        clock.lowerTolerance(to: .milliseconds(5))
        #expect(clock.tolerance == .milliseconds(5))
        clock.expectReading(at: Self.start + 10 * Self.millisecond)
        #expect(clock.read(monotonicNanoseconds: Self.start + 16 * Self.millisecond).stall?.length == .milliseconds(6))
        #expect(clock.timeLeftOut == .milliseconds(1))
        clock.lowerTolerance(to: .seconds(-1))
        clock.expectReading(at: Self.start + 20 * Self.millisecond)
        let (now, stall) = clock.read(monotonicNanoseconds: Self.start + 20 * Self.millisecond + 1)
        #expect(stall?.length == .nanoseconds(1))
        #expect(now == Instant(nanoseconds: Self.start + 19 * Self.millisecond))
    }

    @Test("R6: an instant of the clock can be told as a time to wake up at")
    func wakeUps() {
        var clock = Self.clock()
        let deadline = Instant(nanoseconds: Self.start + 900 * Self.millisecond)
        #expect(clock.monotonicNanoseconds(of: deadline) == deadline.nanoseconds)
        clock.expectReading(at: Self.start)
        _ = clock.read(monotonicNanoseconds: Self.start + 508 * Self.millisecond)
        #expect(clock.monotonicNanoseconds(of: deadline) == deadline.nanoseconds + 500 * Self.millisecond)
        #expect(clock.monotonicNanoseconds(of: .distantFuture) == .max)
    }

    @Test("R6: an age that somebody counted through our stalls is told on our clock")
    func earlierReadings() {
        var clock = Self.clock()
        let millisecond = Self.millisecond
        // Stalls of 100 ms that end at 200 ms and at 500 ms, less the tolerance of 8 ms.
        for end in [200, 500] as [Int64] {
            clock.expectReading(at: Self.start + (end - 100) * millisecond)
            _ = clock.read(monotonicNanoseconds: Self.start + end * millisecond)
        }
        let times: [(monotonic: Int64, shown: Int64)] = [
            (-1_000, -1_000), (0, 0), (100, 100), (108, 108), (150, 108), (200, 108), (300, 208), (408, 316),
            (450, 316),
            (500, 316), (600, 416),
        ]
        for (monotonic, shown) in times {
            let earlier = clock.instant(ofMonotonicNanoseconds: Self.start + monotonic * millisecond)
            #expect(earlier == Instant(nanoseconds: Self.start + shown * millisecond), "at \(monotonic) ms")
        }
        for extreme in [Int64.min, .max] { _ = clock.instant(ofMonotonicNanoseconds: extreme) }
    }

    @Test("R6: of readings before many stalls the clock tells what it showed or, by a part of their age, a later time")
    func readingsLongAgo() {
        var generator = SplitMix64(seed: 16)
        var clock = Self.clock()
        var shown: [(monotonic: Int64, instant: Instant)] = []
        var (now, stalls) = (Self.start, 0)
        for _ in 0..<20_000 {
            let due = now + Int64.random(in: 0...30_000_000, using: &generator)
            clock.expectReading(at: due)
            now = due + Int64.random(in: 0...20_000_000, using: &generator)
            let reading = clock.read(monotonicNanoseconds: now)
            if reading.stall != nil { stalls += 1 }
            shown.append((now, reading.now))
        }
        #expect(stalls > 10_000)
        var worst = 0.0
        for (monotonic, instant) in shown.dropLast() {
            let told = clock.instant(ofMonotonicNanoseconds: monotonic)
            guard told >= instant else {
                Issue.record("\(told) for \(instant)")
                return
            }
            worst = max(worst, instant.duration(to: told) / .nanoseconds(now - monotonic))
        }
        // A seventh of the time was left out.
        #expect(worst < 0.125)
    }

    @Test("R6: whatever happens, the clock never goes back and never runs faster than monotonic time")
    func monotonic() {
        var generator = SplitMix64(seed: 6)
        var clock = Self.clock()
        var (monotonic, observed) = (Self.start, Instant(nanoseconds: Self.start))
        for step in 0..<200_000 {
            if Bool.random(using: &generator) {
                clock.expectReading(at: monotonic + Int64.random(in: -20_000_000...50_000_000, using: &generator))
            }
            let elapsed = Int64.random(in: 0...40_000_000, using: &generator)
            monotonic += elapsed
            let (now, stall) = clock.read(monotonicNanoseconds: monotonic)
            let shown = observed.duration(to: now)
            guard now >= observed, shown <= .nanoseconds(elapsed), stall != nil || shown == .nanoseconds(elapsed),
                stall.map({ $0.length <= .nanoseconds(elapsed) + .milliseconds(8) }) ?? true
            else {
                Issue.record("step \(step): \(observed) to \(now) in \(elapsed) ns, \(String(describing: stall))")
                return
            }
            observed = now
        }
    }
}
