//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation
import Testing

@testable import belay

@Suite("what a swarm counts")
struct SwarmTallyTests {
    @Test("what another process counted is added, also after it was written and read")
    func adding() throws {
        var one = SwarmTally()
        one.made = 3
        one.failures = ["ECONNREFUSED": 1]
        one.drops.goodbyes = ["local.shutdown": 2]
        one.drops.reset = 1
        one.violations = 2
        one.struck = [.silence: 4]
        one.roundTrips.record(nanoseconds: 1_000_000)
        one.longestRoundNanoseconds = 5
        var two = try JSONDecoder().decode(SwarmTally.self, from: JSONEncoder().encode(one))
        two.roundTrips.record(nanoseconds: 9_000_000)
        one.add(two)
        #expect(one.made == 6 && one.failed == 2 && one.drops.count == 6 && one.violations == 4)
        #expect(one.struck == [.silence: 8])
        #expect(one.longestRoundNanoseconds == 5)
        let times = try #require(Percentiles(one.roundTrips))
        #expect(times.count == 3)
        #expect(abs(times.median - 1) < 0.02 && abs(times.most - 9) < 0.2)
    }

    @Test("percentiles of samples are samples, by the nearest rank")
    func percentiles() throws {
        #expect(Percentiles([]) == nil)
        #expect(Percentiles(TimeHistogram()) == nil)
        let one = try #require(Percentiles([-3]))
        #expect(one.median == -3 && one.percentile99 == -3 && one.most == -3 && one.least == -3)
        let hundred = try #require(Percentiles((1...100).reversed().map(Double.init)))
        #expect(hundred.median == 50 && hundred.percentile90 == 90 && hundred.percentile99 == 99 && hundred.most == 100)
        #expect(hundred.mean == 50.5)
    }
}
