//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Testing

@testable import BelayCore

@Suite("the longest interval that meets requirements")
struct ChenConfiguratorTests {
    /// The shortest interval that is looked at, in seconds.
    private static let shortest = 1e-6

    @Test(
        "Theorem 8: with mean and deviation only, the interval, the bounds and eta_max are those of the vectors",
        arguments: PlanningVectors.shared.chen.momentCases
    )
    func moments(vector: PlanningVectors.MomentCase) throws {
        let configurator = vector.input.configurator()
        let quality = configurator.quality
        #expect(relativeError(quality.delay.answered(within: vector.input.TD_U), vector.gamma) < 1e-9)
        let longest = configurator.longestInterval(mistakeLasts: vector.input.TM_U)
        #expect(relativeError(longest, vector.eta_max) < 1e-9)
        let interval = try #require(
            configurator.longestInterval(in: Self.shortest...longest, mistakesEvery: vector.input.TMR_L)
        )
        #expect(relativeError(interval, vector.eta) < 1e-9)
        #expect(relativeError(vector.input.TD_U - interval, vector.delta) < 1e-9)
        #expect(relativeError(configurator.window - interval, vector.alpha) < 1e-9)
        let recurrence = ChenQuality.recurrence(log: quality.logRecurrence(interval: interval))
        #expect(relativeError(recurrence, vector.f_at_eta) < 1e-6)
        #expect(relativeError(recurrence, vector.bound_ETMR_lower) < 1e-6)
        let duration = quality.mistakeDuration(interval: interval)
        #expect(relativeError(duration, vector.bound_ETM_upper) < 1e-6)
        #expect(abs(1 - duration / recurrence - vector.bound_PA_lower) < 1e-12)
    }

    @Test(
        "Theorem 6: with an exponential delay, the interval and the exact quality are those of the vectors",
        arguments: PlanningVectors.shared.chen.exactCases
    )
    func exact(vector: PlanningVectors.ExactCase) throws {
        let configurator = vector.input.configurator(.exponential)
        let quality = configurator.quality
        #expect(relativeError(quality.delay.answered(within: vector.input.TD_U), vector.q0) < 1e-9)
        let longest = configurator.longestInterval(mistakeLasts: vector.input.TM_U)
        #expect(relativeError(longest, vector.eta_max) < 1e-9)
        let interval = try #require(
            configurator.longestInterval(in: Self.shortest...longest, mistakesEvery: vector.input.TMR_L)
        )
        #expect(relativeError(interval, vector.eta) < 1e-9)
        #expect(relativeError(vector.input.TD_U - interval, vector.delta) < 1e-9)
        let recurrence = ChenQuality.recurrence(log: quality.logRecurrence(interval: interval))
        #expect(relativeError(recurrence, vector.f_at_eta) < 1e-6)
        #expect(relativeError(recurrence, vector.ETMR) < 1e-6)
        let duration = quality.mistakeDuration(interval: interval)
        #expect(relativeError(duration, vector.ETM) < 1e-6)
        // One vector is printed as 0: its figure lies below a double's last digit.
        if vector.one_minus_PA > 0 { #expect(relativeError(duration / recurrence, vector.one_minus_PA) < 1e-6) }
    }

    @Test("without independence, the interval is that of the vectors, or there is none")
    func dependenceFree() throws {
        let vectors = PlanningVectors.shared.chen.dependenceFree
        #expect(vectors.cases.count == 5 && vectors.cases_from_independent_table.count == 11)
        for vector in vectors.cases + vectors.cases_from_independent_table {
            let configurator = vector.input.configurator()
            let longest = configurator.longestInterval(mistakeLasts: vector.input.TM_U)
            let interval = configurator.longestIntervalOfOne(
                in: Self.shortest...longest,
                mistakesEvery: vector.input.TMR_L
            )
            guard let expected = vector.result else {
                #expect(interval == nil, "\(vector.input)")
                continue
            }
            let found = try #require(interval, "\(vector.input)")
            #expect(relativeError(found, expected.eta) < 1e-9)
            #expect(relativeError(configurator.window - found, expected.alpha) < 1e-6)
        }
    }

    @Test("without independence, the best interval and what it certifies are those of the vectors")
    func bestWithoutIndependence() throws {
        for vector in PlanningVectors.shared.chen.dependenceFree.cases {
            let window = vector.input.TD_U - vector.input.E
            let best = ChenConfigurator.bestOfOne(window: window, variance: vector.input.V)
            #expect(relativeError(best.interval, try #require(vector.best_eta)) < 1e-9)
            #expect(relativeError(best.recurrence, try #require(vector.best_certifiable_TMR)) < 1e-9)
        }
    }

    @Test(
        "no interval certifies more without independence than the best one",
        arguments: [0.01, 0.3, 0.57, 0.58, 1, 20]
    )
    func bestIsBest(deviation: Double) {
        let variance = deviation * deviation
        let best = ChenConfigurator.bestOfOne(window: 1, variance: variance)
        for step in 1...1_000 {
            let interval = Double(step) / 1_000
            let margin = 1 - interval
            #expect(interval * (variance + margin * margin) / variance <= best.recurrence * (1 + 1e-12))
        }
    }

    @Test("the shortest window that certifies a recurrence without independence does, and a shorter one does not")
    func shortestWindow() {
        for (recurrence, variance) in [(2_592_000.0, 0.0025), (60, 0.01), (1e9, 1e-12), (5, 400), (1e-9, 1)] {
            let window = ChenConfigurator.shortestWindowOfOne(mistakesEvery: recurrence, variance: variance)
            #expect(ChenConfigurator.bestOfOne(window: window, variance: variance).recurrence >= recurrence)
            guard window > 1e-6 else { continue }
            let shorter = window * (1 - 2e-6)
            #expect(ChenConfigurator.bestOfOne(window: shorter, variance: variance).recurrence < recurrence)
        }
    }

    @Test("NFD-U: the bound counted from the mean delay on gives the same interval, and the margin")
    func relativeBound() throws {
        let delay = HeartbeatDelay(loss: 0.01, mean: 0, deviation: 0.02.squareRoot())
        let configurator = ChenConfigurator(delay: delay, bound: 29.98)
        let interval = try #require(configurator.longestInterval(in: 0.1...29.98, mistakesEvery: 2_592_000))
        #expect(relativeError(interval, 9.709_803_868_86) < 1e-9)
        #expect(relativeError(29.98 - interval, 20.270_196_131_1) < 1e-9)
    }

    @Test("the published figures: 9.97 s is enough and 9.98 s is not; 9.71 s is a rounding up")
    func publishedFigures() throws {
        let exact = PlanningVectors.shared.chen.exactCases[0].input.configurator(.exponential).quality
        func recurrence(_ quality: ChenQuality, _ interval: Double) -> Double {
            ChenQuality.recurrence(log: quality.logRecurrence(interval: interval))
        }
        #expect(recurrence(exact, 9.97).rounded() == 4_796_053)
        #expect(recurrence(exact, 9.98).rounded() == 1_700_277)
        let moments = PlanningVectors.shared.chen.momentCases[0].input.configurator().quality
        #expect(recurrence(moments, 9.71).rounded() == 2_589_512)
        #expect(recurrence(moments, 9.70) > 2_592_000)
    }
}
