//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite struct FixedDeadlineTests {
    @Test("suspects after its multiple of the interval without anything")
    func multiple() {
        var detector = FixedDeadline(interval: .seconds(1), multiplier: 3)
        #expect(detector.suspicionAt == .distantFuture)
        detector.arrived(sentAt: .at(500), at: .at(2))
        #expect(detector.verdict(at: .at(4.999)) == .alive)
        #expect(detector.verdict(at: .at(5)) == .suspect)
        detector.heard(at: .at(4))
        #expect(detector.suspicionAt == .at(7))
    }

    @Test("an answer proves its ping, not its arrival")
    func staleAnswer() {
        var detector = FixedDeadline(interval: .seconds(1), multiplier: 3)
        detector.asked(at: .at(1))
        detector.arrived(sentAt: .at(1), at: .at(3))
        #expect(detector.suspicionAt == .at(4))
    }

    @Test("intervals and multiples out of range do not trap")
    func neverTraps() {
        let longest = FixedDeadline(interval: .nanoseconds(Int64.max), multiplier: 10_000)
        #expect(longest.suspicionAt == .distantFuture)
        var shortest = FixedDeadline(interval: .seconds(-5), multiplier: -3)
        shortest.heard(at: .at(1))
        #expect(shortest.suspicionAt == Instant(nanoseconds: 1_000_000_001))
    }
}
