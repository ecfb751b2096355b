//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Finds the cheapest heartbeats that detect within a bound and are seldom wrong.
///
/// The longer the interval the cheaper, and the fewer heartbeats in the bound the more mistakes. So: the longest
/// interval with which mistakes are rare and short enough, by the configurators of Chen, Toueg and Aguilera (IEEE
/// Transactions on Computers 51(5), 2002, Theorems 6 and 8). These take delays for independent; what holds without that
/// is told beside it.
///
/// Pure and bounded: whatever the input, a plan takes at most some forty solutions, most of them to find what would
/// help, each of a few searches of at most 4,000 steps.
public enum QoSPlanner {
    /// The plan for these requirements.
    ///
    /// That they cannot be met is no error: the plan then says what stands in the way and what would help.
    ///
    /// - Throws: ``ConfigurationError`` with every requirement that is out of its range.
    public static func plan(_ requirements: QoSRequirements) throws(ConfigurationError) -> QoSPlan {
        try requirements.validate()
        let problem = PlanProblem(requirements)
        guard let interval = problem.solution() else {
            let rarest = problem.rarestMistakes()
            let remedies = problem.remedies(rarest: rarest?.seconds)
            return QoSPlan(
                requirements: requirements,
                figures: nil,
                remedies: remedies,
                why: problem.obstacles(rarest: rarest) + Self.lines(of: remedies)
            )
        }
        let figures = try problem.figures(interval: .microseconds(interval))
        return QoSPlan(
            requirements: requirements,
            figures: figures,
            remedies: [],
            why: problem.reasons(for: figures)
        )
    }

    /// The least margin with which mistakes are at least `mistakesEvery` apart, however the delays depend on each
    /// other.
    ///
    /// For detectors that measure the deviation as they run: alpha = sqrt(V (M / eta - 1)), the solution of eta (V +
    /// alpha^2) / V = M, with nothing lost. Total: 0 where a mistake with every heartbeat is rare enough (M not above
    /// eta) or nothing varies; 292 years where no margin is long enough (no interval). Rounded up to the nanosecond.
    ///
    /// - Parameters:
    ///   - interval: the time between heartbeats, eta.
    ///   - deviation: the standard deviation of the delay, the root of V.
    ///   - mistakesEvery: how long it must be from mistake to mistake on average, M.
    /// - Returns: the margin, never negative.
    public static func margin(interval: Duration, deviation: Duration, mistakesEvery: Duration) -> Duration {
        guard mistakesEvery > interval, deviation > .zero else { return .zero }
        guard interval > .zero else { return .nanoseconds(Int64.max) }
        let ratio = mistakesEvery.inSeconds / interval.inSeconds
        let nanoseconds = deviation.inSeconds * max(ratio - 1, 0).squareRoot() * 1e9
        return nanoseconds < 9.2e18 ? .nanoseconds(Int64(nanoseconds.rounded(.up))) : .nanoseconds(Int64.max)
    }

    private static func lines(of remedies: [PlanRemedy]) -> [String] {
        guard !remedies.isEmpty else { return ["No single change of the requirements makes it possible."] }
        return remedies.map { remedy in
            let sentence = remedy.description
            return "Possible instead: \(sentence), all else as asked."
        }
    }
}
