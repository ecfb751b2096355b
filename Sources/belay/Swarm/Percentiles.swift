//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Histogram

/// Where times lie, in milliseconds.
struct Percentiles: Equatable {
    var count: Int
    var least: Double
    var mean: Double
    var median: Double
    var percentile90: Double
    var percentile99: Double
    var most: Double

    /// Exact, by the nearest rank; nil for no samples.
    init?(_ samples: [Double]) {
        guard !samples.isEmpty else { return nil }
        let sorted = samples.sorted()
        func rank(_ percent: Double) -> Double {
            sorted[min(sorted.count - 1, max(0, Int((percent / 100 * Double(sorted.count)).rounded(.up)) - 1))]
        }
        self.count = sorted.count
        self.least = sorted[0]
        self.mean = sorted.reduce(0, +) / Double(sorted.count)
        self.median = rank(50)
        self.percentile90 = rank(90)
        self.percentile99 = rank(99)
        self.most = sorted[sorted.count - 1]
    }

    /// To one percent; nil for no samples.
    init?(_ times: TimeHistogram) {
        let histogram = times.histogram
        guard histogram.totalCount > 0 else { return nil }
        func milliseconds(_ microseconds: UInt64) -> Double { Double(microseconds) / 1_000 }
        self.count = Int(clamping: histogram.totalCount)
        self.least = milliseconds(histogram.min)
        self.mean = histogram.mean / 1_000
        self.median = milliseconds(histogram.valueAtPercentile(50))
        self.percentile90 = milliseconds(histogram.valueAtPercentile(90))
        self.percentile99 = milliseconds(histogram.valueAtPercentile(99))
        self.most = milliseconds(histogram.max)
    }

    /// Writes them as an object.
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.field("count", self.count)
        json.field("leastMs", self.least)
        json.field("meanMs", self.mean)
        json.field("p50Ms", self.median)
        json.field("p90Ms", self.percentile90)
        json.field("p99Ms", self.percentile99)
        json.field("mostMs", self.most)
        json.endObject()
    }

    /// For people.
    var text: String {
        let figures = [self.median, self.percentile99, self.most].map { milliseconds in
            milliseconds < 0
                ? "-\(Duration.microseconds(Int64(-milliseconds * 1_000)).rounded)"
                : Duration.microseconds(Int64(milliseconds * 1_000)).rounded
        }
        return "half within \(figures[0]), 99 % within \(figures[1]), at most \(figures[2])"
    }
}

/// Times of any number in bounded memory, to one percent.
struct TimeHistogram: Codable, Sendable {
    /// In microseconds; an hour counts as the longest there is.
    private static let longest: UInt64 = 3_600_000_000

    fileprivate var histogram = Histogram<UInt32>(
        highestTrackableValue: TimeHistogram.longest,
        numberOfSignificantValueDigits: .two
    )

    mutating func record(nanoseconds: Int64) {
        self.histogram.record(min(UInt64(max(0, nanoseconds)) / 1_000, Self.longest))
    }

    mutating func add(_ other: TimeHistogram) {
        self.histogram.add(other.histogram)
    }
}
