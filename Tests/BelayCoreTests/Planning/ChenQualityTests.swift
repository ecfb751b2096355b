//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation
import Testing

@testable import BelayCore

@Suite("what heartbeats achieve")
struct ChenQualityTests {
    private static func quality(bound: Double) -> ChenQuality {
        let delay = HeartbeatDelay(loss: 0.01, mean: 0.02, deviation: 0.02, distribution: .exponential)
        return ChenQuality(delay: delay, bound: bound)
    }

    @Test("Theorem 5: recurrence, duration and accuracy are those of the vectors")
    func vectors() {
        let cases = PlanningVectors.shared.chen.qualityCases
        #expect(cases.count == 8)
        for vector in cases {
            let quality = Self.quality(bound: vector.TD_U)
            let recurrence = ChenQuality.recurrence(log: quality.logRecurrence(interval: 1))
            let duration = quality.mistakeDuration(interval: 1)
            #expect(relativeError(recurrence, vector.ETMR) < 1e-9, "delta \(vector.delta)")
            #expect(relativeError(1 / recurrence, vector.ps) < 1e-9, "delta \(vector.delta)")
            #expect(relativeError(duration, vector.ETM) < 1e-9, "delta \(vector.delta)")
            #expect(relativeError(duration / recurrence, vector.one_minus_PA) < 1e-9, "delta \(vector.delta)")
        }
    }

    @Test(
        "the analytic points of figure 12 of the paper",
        arguments: [
            (1.00, 1.010_101_010_1, 0.030101), (1.25, 100.972_848_22, 0.779821), (1.50, 101.010_100_87, 0.530101),
            (2.00, 101.010_101_01, 0.030101), (2.25, 10_097.284_822, 0.779821), (2.50, 10_101.010_087, 0.530101),
            (3.00, 10_101.010_101, 0.030101), (3.50, 1_010_101.008_7, 0.530101),
        ]
    )
    func figureOfThePaper(bound: Double, recurrence: Double, duration: Double) {
        let quality = Self.quality(bound: bound)
        #expect(relativeError(ChenQuality.recurrence(log: quality.logRecurrence(interval: 1)), recurrence) < 1e-9)
        #expect(abs(quality.mistakeDuration(interval: 1) - duration) < 1e-6)
    }

    @Test("the simple detector with a cutoff of the paper's section 7 has its closed form")
    func simpleDetector() {
        let cases = PlanningVectors.shared.chen.simpleDetector.cases
        #expect(cases.count == 6)
        for vector in cases {
            // An answer that is later than the cutoff is as good as lost.
            let missing = Self.quality(bound: 1).delay.logMissing(within: vector.c)
            #expect(relativeError(exp(missing), vector.p) < 1e-9)
            let recurrence = exp(-missing * Double(vector.k)) / (1 - exp(missing))
            #expect(relativeError(recurrence, vector.ETMR) < 1e-9)
        }
    }

    @Test("what is said without independence is never more than what is said with it")
    func dependenceFreeIsLess() {
        for bound in [0.5, 1.0, 2.5, 30] {
            for interval in [0.01, 0.1, 0.4, 0.9] {
                let quality = Self.quality(bound: bound)
                #expect(quality.logRecurrenceOfOne(interval: interval) <= quality.logRecurrence(interval: interval))
            }
        }
    }

    @Test("counting many heartbeats in groups understates by at most 2 %, and never rises with the interval")
    func groups() {
        for (loss, deviation) in [(0.9, 0.1), (0.99, 0.01), (0.9999, 1), (0.0, 10), (0, 50), (0.3, 30)] {
            let quality = ChenQuality(delay: HeartbeatDelay(loss: loss, mean: 0.1, deviation: deviation), bound: 10)
            var longer = 0.0
            for interval in stride(from: 0.1, through: 0.0005, by: -0.0005) {
                let grouped = quality.assurance(interval: interval)
                #expect(grouped >= longer)
                longer = grouped
                guard grouped < 700 else { break }
                let single = (1...Int(9.9 / interval)).reduce(0.0) {
                    $0 - quality.delay.logMissing(within: 10 - Double($1) * interval)
                }
                #expect(
                    grouped <= single * (1 + 1e-12) && grouped >= single * 0.98,
                    "\(loss), \(deviation), \(interval)"
                )
            }
        }
    }

    @Test("a recurrence beyond all doubles is told as 1e300 s")
    func clamped() {
        #expect(ChenQuality.recurrence(log: 690) < 1e300)
        #expect(ChenQuality.recurrence(log: 691) == 1e300)
        #expect(ChenQuality.recurrence(log: 1e17) == 1e300)
    }
}
