//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import RealModule

/// The longest interval that meets requirements: the configurators of Chen, Toueg and Aguilera (Theorem 6 for a known
/// distribution of the delay, Theorem 8 for mean and deviation only), and the one that assumes no independence.
///
/// For detectors without synchronised clocks (NFD-U, NFD-E) the same formulas hold with the bound counted from the mean
/// delay on, which here is bound - mean.
struct ChenConfigurator {
    let quality: ChenQuality

    init(delay: HeartbeatDelay, bound: Double) {
        self.quality = ChenQuality(delay: delay, bound: bound)
    }

    /// What the mean delay leaves of the bound where the distribution is unknown (T in the paper), else the bound.
    var window: Double { self.quality.bound - self.quality.delay.shortestUsefulAge }

    /// eta_max: from longer intervals a mistake takes longer than `mistakeLasts` to be corrected, on average.
    func longestInterval(mistakeLasts: Double) -> Double {
        min(self.quality.delay.answered(within: self.quality.bound) * mistakeLasts, self.window)
    }

    /// The longest interval in the range with mistakes at least `mistakesEvery` seconds apart, delays being
    /// independent.
    ///
    /// - Returns: nil where there is none.
    func longestInterval(in range: ClosedRange<Double>, mistakesEvery: Double) -> Double? {
        var search = IntervalSearch(assurance: self.quality.assurance)
        return search.longest(in: range, reaching: self.target(mistakesEvery))
    }

    /// The interval in the range with the rarest mistakes, delays being independent.
    func bestInterval(in range: ClosedRange<Double>) -> Double {
        var search = IntervalSearch(assurance: self.quality.assurance)
        return search.best(in: range)
    }

    /// The longest interval in the range with mistakes at least `mistakesEvery` seconds apart however delays depend on
    /// each other.
    ///
    /// - Returns: nil where there is none.
    func longestIntervalOfOne(in range: ClosedRange<Double>, mistakesEvery: Double) -> Double? {
        var search = IntervalSearch(assurance: self.quality.assuranceOfOne)
        return search.longest(in: range, reaching: .log(max(mistakesEvery, 1e-18)))
    }

    /// The interval in the range with the rarest mistakes however delays depend on each other.
    func bestIntervalOfOne(in range: ClosedRange<Double>) -> Double {
        var search = IntervalSearch(assurance: self.quality.assuranceOfOne)
        return search.best(in: range)
    }

    /// What ln eta + assurance must reach.
    private func target(_ mistakesEvery: Double) -> Double {
        .log(max(mistakesEvery, 1e-18)) - self.quality.logRecurrenceOffset
    }

    /// The interval that certifies the rarest mistakes without independence where nothing is lost, and how rare they
    /// are.
    ///
    /// (2T - sqrt(T^2 - 3V)) / 3 maximises eta (V + (T - eta)^2) / V, about 4 T^3 / 27 V at about T / 3. Where the
    /// deviation is so large that there is no such maximum, or a lower one, it is T itself.
    ///
    /// - Parameters:
    ///   - window: T, what the mean delay leaves of the bound, in seconds.
    ///   - variance: V, above 0.
    /// - Returns: the interval and the recurrence, in seconds.
    static func bestOfOne(window: Double, variance: Double) -> (interval: Double, recurrence: Double) {
        let root = window * window - 3 * variance
        guard root > 0 else { return (window, window) }
        let interval = (2 * window - root.squareRoot()) / 3
        let margin = window - interval
        let recurrence = interval * (variance + margin * margin) / variance
        return recurrence > window ? (interval, recurrence) : (window, window)
    }

    /// The shortest window within which some interval certifies a recurrence without independence, nothing being lost.
    ///
    /// To a millionth. What an interval certifies only grows with the window.
    static func shortestWindowOfOne(mistakesEvery: Double, variance: Double) -> Double {
        // An interval as long as the recurrence certifies it by itself.
        var (tooShort, enough) = (0.0, max(mistakesEvery, 1e-6))
        while enough - tooShort > enough * 1e-6 {
            let middle = tooShort + (enough - tooShort) / 2
            let isEnough = Self.bestOfOne(window: middle, variance: variance).recurrence >= mistakesEvery
            if isEnough { enough = middle } else { tooShort = middle }
        }
        return enough
    }
}
