//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("instants of the observer clock")
struct InstantTests {
    @Test("an instant moves by a duration and back")
    func arithmetic() {
        let instant = Instant(nanoseconds: 5_000_000_000)
        #expect(instant.advanced(by: .milliseconds(1)).nanoseconds == 5_001_000_000)
        #expect(instant.advanced(by: .seconds(-2)).nanoseconds == 3_000_000_000)
        #expect(instant.duration(to: Instant(nanoseconds: 7_000_000_001)) == .nanoseconds(2_000_000_001))
        #expect(instant.duration(to: Instant(nanoseconds: 0)) == .seconds(-5))
        #expect(instant < instant.advanced(by: .nanoseconds(1)))
    }

    @Test("instants saturate at both ends instead of overflowing")
    func saturation() {
        let last = Instant(nanoseconds: .max)
        let first = Instant(nanoseconds: .min)
        #expect(last == .distantFuture)
        #expect(last.advanced(by: .nanoseconds(1)) == last)
        #expect(last.advanced(by: .seconds(Int64.max)) == last)
        #expect(first.advanced(by: .nanoseconds(-1)) == first)
        #expect(first.advanced(by: .seconds(Int64.min)) == first)
        #expect(Instant(nanoseconds: 0).advanced(by: .seconds(Int64.max)) == last)
        #expect(Instant(nanoseconds: 0).advanced(by: .seconds(Int64.min)) == first)
        #expect(first.duration(to: last) == .nanoseconds(Int64.max))
        #expect(last.duration(to: first) == .nanoseconds(Int64.min))
    }

    @Test("durations become whole nanoseconds, rounded towards zero and saturating")
    func wholeNanoseconds() {
        let rows: [(Duration, Int64)] = [
            (.zero, 0), (.nanoseconds(1), 1), (.nanoseconds(-1), -1), (.seconds(1), 1_000_000_000),
            (.nanoseconds(1) / 2, 0), (.nanoseconds(-3) / 2, -1), (.nanoseconds(3) / 2, 1),
            (.nanoseconds(Int64.max), .max), (.nanoseconds(Int64.min), .min),
            (.nanoseconds(Int64.max) + .nanoseconds(1), .max), (.nanoseconds(Int64.min) - .nanoseconds(1), .min),
            (.seconds(Int64.max), .max), (.seconds(Int64.min), .min),
        ]
        for (duration, expected) in rows { #expect(duration.wholeNanoseconds == expected, "\(duration)") }
    }

    @Test("durations become milliseconds for people")
    func milliseconds() {
        #expect(Duration.milliseconds(29_990).milliseconds == 29_990)
        #expect(Duration.microseconds(1_500).milliseconds == 1.5)
        #expect(Duration.zero.milliseconds == 0)
        #expect(Duration.milliseconds(-250).milliseconds == -250)
    }

    @Test("the longest durations there are saturate instead of trapping")
    func longestDurations() {
        #expect(Duration(attoseconds: .max).wholeNanoseconds == .max)
        #expect(Duration(attoseconds: .min).wholeNanoseconds == .min)
        #expect(Duration(attoseconds: .max).milliseconds > 1e23)
        #expect(Duration.nanoseconds(-1_500_000).wholeNanoseconds == -1_500_000)
        #expect(Duration(attoseconds: -1_999_999_999).wholeNanoseconds == -1)
    }
}
