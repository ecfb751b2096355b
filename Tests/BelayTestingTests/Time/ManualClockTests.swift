//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

@Suite struct ManualClockTests {
    @Test("it moves forward only, and only when told")
    func moves() {
        var clock = ManualClock()
        let start = clock.now
        #expect(start == Instant(nanoseconds: 1_000_000_000))
        clock.advance(by: .milliseconds(20))
        #expect(start.duration(to: clock.now) == .milliseconds(20))
        clock.advance(to: start)
        #expect(start.duration(to: clock.now) == .milliseconds(20))
        clock.advance(to: start.advanced(by: .seconds(3)))
        #expect(start.duration(to: clock.now) == .seconds(3))
    }
}
