//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import BelayTesting

@Suite struct AnswerRingTests {
    @Test("answers come out at the tick of their arrival, also across growth and turns of the ring")
    func order() {
        var random = SplitMix64(seed: 3)
        var ring = AnswerRing()
        var expected: [UInt64: [UInt32]] = [:]
        var now: UInt64 = 1_000
        var taken = 0
        for connection in 0..<UInt32(2_000) {
            let arrival = now + UInt64.random(in: 1...(connection < 1_000 ? 10 : 300), using: &random)
            ring.add(.init(connection: connection, token: UInt64(connection)), at: arrival, now: now)
            expected[arrival, default: []].append(connection)
            while connection % 3 == 0 || connection == 1_999, let next = ring.nextTick(after: now) {
                #expect(next == expected.keys.min())
                now = next
                let answers = ring.take(at: now)
                #expect(answers.map(\.connection) == expected.removeValue(forKey: now))
                taken += answers.count
                ring.giveBack(answers, at: now)
                if connection < 1_999 { break }
            }
        }
        #expect(taken == 2_000)
        #expect(ring.count == 0)
        #expect(ring.nextTick(after: now) == nil)
    }
}
