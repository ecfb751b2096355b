//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("an interval changes when both ends know")
struct AgreedIntervalTests {
    @Test("who sends slows down only once that is confirmed")
    func slowingDown() {
        var interval = AgreedInterval(.seconds(10), for: .sending)
        #expect(interval.propose(.seconds(30)) == .seconds(10))
        #expect(interval.proposed == .seconds(30))
        #expect(interval.inForce == .seconds(10))
        #expect(interval.confirmed(every: .seconds(30)) == .seconds(30))
        #expect(interval.inForce == .seconds(30))
    }

    @Test("who sends speeds up at once")
    func speedingUp() {
        var interval = AgreedInterval(.seconds(30), for: .sending)
        #expect(interval.propose(.seconds(10)) == .seconds(10))
        #expect(interval.confirmed(every: .seconds(10)) == .seconds(10))
    }

    @Test("who waits waits longer at once, and shorter only once that is confirmed")
    func waiting() {
        var interval = AgreedInterval(.seconds(10), for: .expecting)
        #expect(interval.propose(.seconds(30)) == .seconds(30))
        #expect(interval.confirmed(every: .seconds(30)) == .seconds(30))
        #expect(interval.propose(.seconds(10)) == .seconds(30))
        #expect(interval.confirmed(every: .seconds(10)) == .seconds(10))
    }

    @Test("a confirmation of less is in force, one of more is not waited for")
    func clamped() {
        var interval = AgreedInterval(.seconds(10), for: .sending)
        interval.propose(.seconds(300))
        #expect(interval.confirmed(every: .seconds(15)) == .seconds(15))
        #expect(interval.confirmed(every: .seconds(900)) == .seconds(300))
        interval = AgreedInterval(.seconds(10), for: .expecting)
        interval.propose(.seconds(5))
        #expect(interval.confirmed(every: .seconds(7)) == .seconds(7))
    }

    @Test("the answer to an earlier proposal does not put a later one in force")
    func overtaken() {
        var interval = AgreedInterval(.seconds(10), for: .sending)
        interval.propose(.seconds(30))
        #expect(interval.propose(.seconds(300)) == .seconds(10))
        #expect(interval.confirmed(every: .seconds(30)) == .seconds(30))
        #expect(interval.confirmed(every: .seconds(300)) == .seconds(300))
    }

    @Test("a proposal that is taken back was perhaps heard: the safest of all stays in force until the end")
    func takenBack() {
        var sending = AgreedInterval(.seconds(100), for: .sending)
        sending.propose(.seconds(60))
        #expect(sending.propose(.seconds(80)) == .seconds(60))
        #expect(sending.confirmed(every: .seconds(80)) == .seconds(80))
        var expecting = AgreedInterval(.seconds(100), for: .expecting)
        expecting.propose(.seconds(300))
        #expect(expecting.propose(.seconds(200)) == .seconds(300))
        #expect(expecting.confirmed(every: .seconds(200)) == .seconds(200))
    }
}
