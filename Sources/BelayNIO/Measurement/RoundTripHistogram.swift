//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Histogram
import Synchronization

/// Collects round trips of many connections in bounded memory, 28 KB: a connection itself keeps mean and deviation only.
package final class RoundTripHistogram: Sendable {
    /// In microseconds; an hour counts as the longest there is.
    private static let longest: UInt64 = 3_600_000_000

    private struct Samples {
        var histogram = Histogram<UInt64>(
            highestTrackableValue: RoundTripHistogram.longest,
            numberOfSignificantValueDigits: .two
        )
        // Welford's sums, in microseconds: exact where the histogram is to a percent.
        var count = 0
        var mean = 0.0
        var squares = 0.0

        mutating func add(microseconds: UInt64) {
            self.histogram.record(min(microseconds, RoundTripHistogram.longest))
            self.count += 1
            let difference = Double(microseconds) - self.mean
            self.mean += difference / Double(self.count)
            self.squares += difference * (Double(microseconds) - self.mean)
        }

        func percentile(_ percent: Double) -> Duration {
            .microseconds(Int64(clamping: self.histogram.valueAtPercentile(percent)))
        }
    }

    private let samples = Mutex(Samples())

    package init() {}

    package func record(_ roundTrip: Duration) {
        let microseconds = UInt64(clamping: roundTrip.wholeNanoseconds / 1_000)
        self.samples.withLock { $0.add(microseconds: microseconds) }
    }

    /// What was measured; nil before the first.
    package var summary: RoundTripSummary? {
        self.samples.withLock { samples in
            guard samples.count > 0 else { return nil }
            return RoundTripSummary(
                count: samples.count,
                mean: .nanoseconds(Int64(samples.mean * 1_000)),
                deviation: .nanoseconds(Int64((samples.squares / Double(samples.count)).squareRoot() * 1_000)),
                median: samples.percentile(50),
                percentile90: samples.percentile(90),
                percentile99: samples.percentile(99),
                percentile999: samples.percentile(99.9),
                longest: .microseconds(Int64(clamping: samples.histogram.max))
            )
        }
    }
}
