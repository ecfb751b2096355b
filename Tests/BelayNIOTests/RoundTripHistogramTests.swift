//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import BelayNIO

@Suite struct RoundTripHistogramTests {
    @Test("mean and deviation are exact, percentiles to one percent")
    func summary() throws {
        let histogram = RoundTripHistogram()
        #expect(histogram.summary == nil)
        for milliseconds in 1...1_000 { histogram.record(.milliseconds(milliseconds)) }
        let summary = try #require(histogram.summary)
        #expect(summary.count == 1_000)
        #expect(summary.mean == .microseconds(500_500))
        #expect(abs(summary.deviation.milliseconds - 288.675) < 0.001)
        for (percentile, expected) in [
            (summary.median, 500.0), (summary.percentile90, 900), (summary.percentile99, 990),
            (summary.percentile999, 999), (summary.longest, 1_000),
        ] {
            #expect(abs(percentile.milliseconds / expected - 1) < 0.011)
        }
    }

    @Test("times that are too long or before zero are kept within the range")
    func range() throws {
        let histogram = RoundTripHistogram()
        histogram.record(.seconds(-5))
        histogram.record(.seconds(1_000_000))
        let summary = try #require(histogram.summary)
        #expect(summary.count == 2)
        #expect(abs(summary.longest / .seconds(3_600) - 1) < 0.01)
    }
}
