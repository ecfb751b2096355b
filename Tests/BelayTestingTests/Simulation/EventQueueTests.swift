//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import BelayTesting

@Suite struct EventQueueTests {
    @Test("events come out by time, those of one time in the order in which they went in")
    func order() {
        var random = SplitMix64(seed: 1)
        var queue = EventQueue<Int>()
        var expected: [(time: Int64, event: Int)] = []
        for event in 0..<500 {
            let time = Int64.random(in: 0..<50, using: &random)
            queue.push(event, at: time)
            expected.append((time, event))
        }
        // The sort of the standard library is stable.
        expected.sort { $0.time < $1.time }
        for (time, event) in expected {
            #expect(queue.nextTime == time)
            let (early, due) = (queue.pop(dueAt: time - 1), queue.pop(dueAt: time))
            #expect(early == nil)
            #expect(due == event)
        }
        let last = queue.pop(dueAt: .max)
        #expect(queue.nextTime == .max)
        #expect(last == nil)
    }
}
