//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation
import Testing

@testable import BelayCore

@Suite("plans for random requirements")
struct QoSPlannerPropertyTests {
    private static let inputs = 5_000
    /// What a microsecond of deviation makes of the last digits of a day in seconds.
    private static let rounding = 1e-4

    @Test(
        "a plan meets its own certificate by the paper's formulas, or names changes that make it possible",
        arguments: [1, 2, 3, 4] as [UInt64]
    )
    func anything(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var feasible = 0
        var helped = 0
        for number in 0..<Self.inputs {
            let requirements = Self.requirements(&random)
            let plan = try QoSPlanner.plan(requirements)
            let name: Comment = "input \(number) of seed \(seed): \(requirements)"
            #expect(plan.why.allSatisfy { !$0.isEmpty } && !plan.why.isEmpty, name)
            #expect(plan.why.allSatisfy { !$0.contains("nan") && !$0.contains("inf") }, name)
            if let figures = plan.figures {
                feasible += 1
                Self.check(figures, against: requirements, name)
                if number % 50 == 0 { Self.check(plan.curve(count: 5), name) }
            } else {
                helped += plan.remedies.isEmpty ? 0 : 1
                #expect(plan.why.count == 1 + max(plan.remedies.count, 1), name)
                for remedy in plan.remedies {
                    let changed = try QoSPlanner.plan(remedy.applied(to: requirements))
                    #expect(changed.isFeasible, "\(remedy), \(name)")
                }
            }
        }
        // Every kind of answer is well represented.
        #expect(feasible > Self.inputs / 10 && helped > Self.inputs / 10, "\(feasible) feasible, \(helped) helped")
    }

    /// Any requirement from its whole range, on a logarithmic scale and with the ends often.
    private static func requirements(_ random: inout SplitMix64) -> QoSRequirements {
        var requirements = QoSRequirements(
            detectWithin: Self.duration(.milliseconds(20), .seconds(86_400), &random)
        )
        switch Int.random(in: 0..<8, using: &random) {
        case 0...2: requirements.loss = 0
        case 3: requirements.loss = (1.0).nextDown
        case 4: requirements.loss = .leastNonzeroMagnitude
        case 5: requirements.loss = 1 - exp(Double.random(in: -36...0, using: &random))
        default: requirements.loss = .random(in: 0..<0.3, using: &random)
        }
        requirements.delay = Self.duration(.nanoseconds(1), .seconds(86_400), &random)
        requirements.deviation = Self.duration(.nanoseconds(1), .seconds(86_400), &random)
        if Bool.random(using: &random) {
            // As on a real network: well within the bound.
            requirements.delay = requirements.detectWithin / Int.random(in: 2...10_000, using: &random)
            requirements.deviation = requirements.delay / Int.random(in: 1...20, using: &random)
        }
        if Int.random(in: 0..<12, using: &random) == 0 { requirements.delay = .zero }
        if Int.random(in: 0..<12, using: &random) == 0 { requirements.deviation = .zero }
        if Int.random(in: 0..<3, using: &random) == 0 { requirements.distribution = .exponential }
        requirements.mistakesEvery = Self.duration(.nanoseconds(1), .seconds(31_557_600_000), &random)
        if Int.random(in: 0..<12, using: &random) == 0 { requirements.mistakesEvery = .zero }
        requirements.toleratesDependence = Int.random(in: 0..<3, using: &random) == 0
        if Bool.random(using: &random) {
            requirements.mistakeLasts = Self.duration(.milliseconds(1), .seconds(1_000_000), &random)
            if Int.random(in: 0..<20, using: &random) == 0 { requirements.mistakeLasts = .zero }
        }
        requirements.minimumHeartbeats = Bool.random(using: &random) ? 3 : .random(in: 1...100, using: &random)
        if Bool.random(using: &random) {
            requirements.minimumInterval = Self.duration(.milliseconds(5), .seconds(86_400), &random)
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            requirements.maximumBytesPerSecond = exp(Double.random(in: -40...20, using: &random))
            if Int.random(in: 0..<12, using: &random) == 0 {
                requirements.maximumBytesPerSecond = .leastNonzeroMagnitude
            }
        }
        return requirements
    }

    private static func duration(_ low: Duration, _ high: Duration, _ random: inout SplitMix64) -> Duration {
        switch Int.random(in: 0..<20, using: &random) {
        case 0: return low
        case 1: return high
        default:
            let seconds = exp(Double.random(in: log(low / .seconds(1))...log(high / .seconds(1)), using: &random))
            return min(max(.seconds(seconds), low), high)
        }
    }

    private static func check(
        _ figures: QoSPlan.Figures,
        against requirements: QoSRequirements,
        _ name: Comment
    ) {
        let window = requirements.detectWithin - requirements.delay
        #expect(figures.interval >= requirements.minimumInterval, name)
        #expect(figures.interval * requirements.minimumHeartbeats <= window, name)
        #expect(figures.heartbeatsPerWindow >= requirements.minimumHeartbeats, name)
        #expect(figures.margin == window - figures.interval && figures.margin >= .zero, name)
        #expect(figures.replyWithin + figures.interval == requirements.detectWithin, name)
        #expect(figures.bytesPerSecond <= requirements.maximumBytesPerSecond ?? .infinity, name)
        #expect(figures.toleratedBlackout >= .zero && figures.toleratedBlackout <= figures.margin, name)
        // The policy is one that can be used.
        #expect(throws: Never.self, name) { try figures.policy.validate() }

        let paper = Paper(requirements, interval: figures.interval)
        let recurrence = figures.mistakeRecurrence
        let wanted = requirements.mistakesEvery / .seconds(1)
        #expect(recurrence.independentSeconds >= wanted && recurrence.independentSeconds <= 1e300, name)
        if requirements.toleratesDependence { #expect(recurrence.dependenceFreeSeconds >= wanted, name) }
        #expect(recurrence.dependenceFreeSeconds >= 0 && recurrence.dependenceFreeSeconds <= 1e300, name)
        if paper.isComplete {
            #expect(paper.logRecurrence >= log(max(wanted, 1e-18)) - Self.rounding, name)
            // The plan may count fewer heartbeats than there are, never more.
            #expect(log(recurrence.independentSeconds) <= paper.logRecurrence + Self.rounding, name)
        }
        #expect(
            abs(log(recurrence.dependenceFreeSeconds) - min(paper.logRecurrenceOfOne, log(1e300))) < Self.rounding,
            name
        )
        let lasts = (requirements.mistakeLasts ?? requirements.detectWithin) / .seconds(1)
        #expect(figures.mistakeDuration / .seconds(1) <= lasts * (1 + 1e-9), name)
        #expect(figures.mistakeDuration >= .zero, name)
    }

    private static func check(_ curve: [QoSPlan.CurvePoint], _ name: Comment) {
        #expect(curve.count == 5, name)
        for point in curve {
            #expect(LivenessPolicy.allowedBounds.contains(point.detectWithin), name)
            #expect((0...1e300).contains(point.mistakeRecurrence.independentSeconds), name)
            #expect((0...1e300).contains(point.mistakeRecurrence.dependenceFreeSeconds), name)
        }
    }

    /// Theorems 5 and 7 as the paper writes them, by delta and k, in place of the planner's form of them.
    private struct Paper {
        let logRecurrence: Double
        let logRecurrenceOfOne: Double
        /// Whether all heartbeats were counted; it takes too long where millions fit into the bound.
        let isComplete: Bool
        private static let mostHeartbeats = 4_000

        init(_ requirements: QoSRequirements, interval: Duration) {
            let eta = interval / .seconds(1)
            let delta = (requirements.detectWithin - interval) / .seconds(1)
            let loss = requirements.loss
            let mean = requirements.delay / .seconds(1)
            self.isComplete = delta / eta < Double(Self.mostHeartbeats)
            if requirements.distribution == .exponential {
                // k = ceil(delta / eta), p_j = p_L + (1 - p_L) Pr(D > delta - j eta), q_0 = (1 - p_L) Pr(D < delta +
                // eta)
                let mean = max(mean, 1e-6)
                func logMissing(_ index: Int) -> Double {
                    let age = delta - Double(index) * eta
                    guard age > 0 else { return 0 }
                    return loss == 0 ? -age / mean : log(loss + (1 - loss) * exp(-age / mean))
                }
                let last = Int(min((delta / eta).rounded(.up), Double(Self.mostHeartbeats)))
                let product = (0...last).reduce(0.0) { $0 + logMissing($1) }
                let arrived = (1 - loss) * -expm1(-(delta + eta) / mean)
                self.logRecurrence = log(eta) - product - log(arrived)
                self.logRecurrenceOfOne = log(eta) - logMissing(0)
            } else {
                // k_0 = ceil((delta - E) / eta) - 1, beta = prod (V + p_L x^2) / (V + x^2), x = delta - E - j eta
                let deviation = max(requirements.deviation / .seconds(1), 1e-6)
                let variance = deviation * deviation
                func logMissing(_ index: Int) -> Double {
                    let x = max(delta - mean - Double(index) * eta, 0)
                    return log((variance + loss * x * x) / (variance + x * x))
                }
                let last = Int(min(((delta - mean) / eta).rounded(.up), Double(Self.mostHeartbeats))) - 1
                let product = last < 0 ? 0 : (0...last).reduce(0.0) { $0 + logMissing($1) }
                self.logRecurrence = log(eta) - product
                self.logRecurrenceOfOne = log(eta) - logMissing(0)
            }
        }
    }
}
