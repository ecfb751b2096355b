//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

@Suite struct WideAreaHeartbeatsTests {
    @Test("losses and delays have the moments of the trace that they stand for")
    func moments() {
        let moments = WorkloadMoments(WideAreaHeartbeats(seed: 1).prefix(1_000_000))
        // 28.5 of 28.5 + 7153; some 140 bursts, so that a tenth is little.
        #expect(abs(moments.loss - 0.003_97) < 0.000_8)
        #expect(abs(moments.meanBurst - 28.5) < 6)
        #expect(abs(moments.mean - 0.148_4) < 0.000_05)
        #expect(abs(moments.deviation - 0.006_7 * 2.0.squareRoot()) < 0.000_05)
        #expect(moments.shortest >= 0.135)
    }

    @Test("a seed makes the same heartbeats each time, one every interval")
    func repeatable() {
        let heartbeats = Array(WideAreaHeartbeats(seed: 2).prefix(100))
        #expect(heartbeats == Array(WideAreaHeartbeats(seed: 2).prefix(100)))
        #expect(heartbeats != Array(WideAreaHeartbeats(seed: 3).prefix(100)))
        #expect(heartbeats.map(\.number) == Array(0..<100))
        #expect(heartbeats.allSatisfy { $0.sentAt == .at(Double($0.number) * 0.103_5) })
    }
}
