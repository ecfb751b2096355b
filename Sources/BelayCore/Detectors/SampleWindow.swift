//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The last samples of a quantity, with their exact mean and variance.
///
/// Sums are kept in 128-bit integers, so that nothing drifts, cancels or overflows however long it runs: the mean of the
/// squares less the square of the mean, computed in floating point, becomes negative for equal intervals of 0.1 s in
/// nanoseconds, and a 64-bit sum of their squares overflows after nine of a second.
///
/// All memory is allocated by the initializer.
struct SampleWindow: Sendable {
    /// What is held of a sample: up to 104 days, so that a thousand squares fit.
    static let largest: Int64 = 1 << 53

    private var samples: [Int64]
    private var oldest = 0
    private(set) var count = 0
    private var sum: Int128 = 0
    private var squares: Int128 = 0

    /// A window of so many samples, 1 to 1,000.
    init(capacity: Int) {
        self.samples = Array(repeating: 0, count: min(max(capacity, 1), 1_000))
    }

    /// Adds a sample, in nanoseconds; the oldest one goes when the window is full.
    mutating func add(_ nanoseconds: Int64) {
        let sample = min(max(nanoseconds, -Self.largest), Self.largest)
        if self.count == self.samples.count {
            let leaving = Int128(self.samples[self.oldest])
            self.sum -= leaving
            self.squares -= leaving * leaving
        } else {
            self.count += 1
        }
        self.samples[self.oldest] = sample
        self.oldest = self.oldest + 1 == self.samples.count ? 0 : self.oldest + 1
        self.sum += Int128(sample)
        self.squares += Int128(sample) * Int128(sample)
        self.summarize()
    }

    /// The mean in nanoseconds, rounded up; 0 while there is no sample.
    ///
    /// Rounded up, a comparison of whole nanoseconds with it has the same outcome as one with the exact mean.
    private(set) var meanNanoseconds: Int64 = 0

    /// The variance of the samples themselves, not of what they were drawn from, in square nanoseconds.
    private(set) var varianceSquareNanoseconds = 0.0

    /// The standard deviation of the samples in nanoseconds.
    private(set) var deviationNanoseconds = 0.0

    /// Once for each sample: they are asked for several times between two.
    private mutating func summarize() {
        let count = Int128(self.count)
        let (quotient, remainder) = self.sum.quotientAndRemainder(dividingBy: count)
        self.meanNanoseconds = Int64(remainder > 0 ? quotient + 1 : quotient)
        let numerator = Self.double(count * self.squares - self.sum * self.sum)
        self.varianceSquareNanoseconds = numerator / (Double(self.count) * Double(self.count))
        self.deviationNanoseconds = self.varianceSquareNanoseconds.squareRoot()
    }

    /// The nearest double, or the one beside it; the standard library's conversion goes bit by bit.
    private static func double(_ value: Int128) -> Double {
        Double(Int64(truncatingIfNeeded: value >> 64)) * 0x1p64 + Double(UInt64(truncatingIfNeeded: value))
    }
}
