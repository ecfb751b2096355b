//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Testing

@testable import BelayCore

@Suite("plans")
struct QoSPlannerTests {
    private static func requirements(_ row: PlanningVectors.Row) -> QoSRequirements {
        var requirements = QoSRequirements(detectWithin: .seconds(row.TD_U))
        requirements.loss = row.pL
        requirements.delay = .seconds(row.E)
        requirements.deviation = .seconds(row.sd)
        requirements.mistakesEvery = .seconds(row.TMR == "1d" ? 86_400 : 30 * 86_400)
        requirements.minimumHeartbeats = 1
        return requirements
    }

    @Test(
        "the planner's table: interval, margin, heartbeats and bytes",
        arguments: PlanningVectors.shared.plannerTable.rows
    )
    func table(row: PlanningVectors.Row) throws {
        let figures = try #require(try QoSPlanner.plan(Self.requirements(row)).figures)
        let interval = figures.interval / .seconds(1)
        #expect(relativeError(interval, row.result.eta) < 1e-4)
        #expect(relativeError(figures.margin / .seconds(1), row.result.alpha) < 1e-3)
        #expect(figures.heartbeatsPerWindow == row.result.heartbeatsPerWindow)
        #expect(relativeError(HeartbeatTraffic.heartbeatBytes / interval, row.result.bytesPerSec_oneWay_74B) < 1e-3)
        #expect(relativeError(figures.bytesPerSecond, 214 / interval) < 1e-9)
        #expect(figures.mistakeRecurrence.independentSeconds >= Self.requirements(row).mistakesEvery / .seconds(1))
    }

    @Test("by default three heartbeats fit into the bound, and the plan is the policy's")
    func defaults() throws {
        let plan = try QoSPlanner.plan(QoSRequirements(detectWithin: .seconds(30)))
        let figures = try #require(plan.figures)
        #expect(plan.isFeasible && plan.remedies.isEmpty && plan.why.count == 8)
        #expect(figures.interval == .microseconds(9_983_333))
        #expect(figures.heartbeatsPerWindow == 3)
        #expect(figures.replyWithin == .seconds(30) - figures.interval)
        #expect(figures.margin == figures.replyWithin - .milliseconds(50))
        #expect(figures.kernel == KernelTimeouts(try figures.policy.timings()))
        #expect(try figures.policy.timings().bound == .seconds(30))
        // 9.983 (V + 19.967^2) / V: about 18 days, less than asked for, and the plan says so.
        #expect(relativeError(figures.mistakeRecurrence.dependenceFreeSeconds, 1_591_990) < 1e-3)
        #expect(plan.why.contains { $0.contains("18.4 days apart") && $0.contains("less than the 30 days") })
    }

    @Test("the tolerated blackout is that of the plan's own kernel options, and older kernels' is told")
    func blackout() throws {
        var requirements = QoSRequirements(detectWithin: .seconds(3))
        requirements.delay = .milliseconds(4)
        requirements.deviation = .milliseconds(1)
        let plan = try QoSPlanner.plan(requirements)
        let figures = try #require(plan.figures)
        // 0.204, 0.408, 0.816, 1.632, then after a pause of 1 s, beyond the margin of 1.997 s.
        #expect(figures.kernel.longestRetransmissionMilliseconds == 1_000)
        #expect(figures.toleratedBlackout == .milliseconds(1_632))
        requirements.detectWithin = .seconds(6)
        let longer = try #require(try QoSPlanner.plan(requirements).figures)
        #expect(longer.toleratedBlackout == .milliseconds(3_264))
    }

    @Test("a byte ceiling lengthens no interval but forbids short ones; the answer names what is needed")
    func byteCeiling() throws {
        var requirements = QoSRequirements(detectWithin: .seconds(1))
        requirements.maximumBytesPerSecond = 100
        let plan = try QoSPlanner.plan(requirements)
        #expect(!plan.isFeasible)
        #expect(plan.why[0].contains("2.14s"))
        #expect(plan.remedies.contains { if case .maximumBytesPerSecond = $0 { true } else { false } })
        requirements.maximumBytesPerSecond = 10_000
        #expect(try QoSPlanner.plan(requirements).isFeasible)
    }

    @Test("each requirement that stands in the way has its remedy")
    func remedies() throws {
        func kinds(_ change: (inout QoSRequirements) -> Void) throws -> Set<String> {
            var requirements = QoSRequirements(detectWithin: .seconds(1))
            requirements.delay = .milliseconds(20)
            requirements.deviation = .milliseconds(20)
            requirements.mistakesEvery = .seconds(86_400)
            #expect(try QoSPlanner.plan(requirements).isFeasible)
            change(&requirements)
            let plan = try QoSPlanner.plan(requirements)
            #expect(!plan.isFeasible)
            for remedy in plan.remedies {
                #expect(try QoSPlanner.plan(remedy.applied(to: requirements)).isFeasible, "\(remedy)")
            }
            return Set(plan.remedies.map { String("\($0)".prefix { $0 != "(" }) })
        }
        let bound = "a bound of"
        func contains(_ kinds: Set<String>, _ text: String) -> Bool { kinds.contains { $0.contains(text) } }
        let rare = try kinds {
            $0.mistakesEvery = .seconds(10_000_000 * 3_600)
            $0.loss = 0.9
        }
        #expect(contains(rare, bound) && contains(rare, "apart can be certified"))
        #expect(contains(try kinds { $0.mistakeLasts = .milliseconds(1) }, "a mistake may last"))
        let slow = try kinds {
            $0.minimumInterval = .milliseconds(400)
            $0.mistakesEvery = .seconds(3_600)
        }
        #expect(contains(slow, "2 heartbeats") && contains(slow, "as short as"))
        #expect(contains(try kinds { $0.maximumBytesPerSecond = 1 }, "bytes a second"))
        #expect(contains(try kinds { $0.delay = .seconds(2) }, bound))
    }

    @Test("the bound that is named is the shortest, to two thousandths")
    func shortestBound() throws {
        var requirements = QoSRequirements(detectWithin: .milliseconds(100))
        requirements.loss = 0.05
        let plan = try QoSPlanner.plan(requirements)
        let bound = try #require(
            plan.remedies.compactMap { if case .detectWithin(let bound) = $0 { bound } else { nil } }.first
        )
        requirements.detectWithin = bound
        #expect(try QoSPlanner.plan(requirements).isFeasible)
        requirements.detectWithin = bound * 0.997
        #expect(try !QoSPlanner.plan(requirements).isFeasible)
    }

    @Test("a known distribution certifies more than its mean and deviation, so it pings less")
    func knownDistribution() throws {
        var requirements = QoSRequirements(detectWithin: .seconds(2))
        requirements.loss = 0.01
        requirements.minimumHeartbeats = 1
        let unknown = try #require(try QoSPlanner.plan(requirements).figures)
        requirements.distribution = .exponential
        let known = try #require(try QoSPlanner.plan(requirements).figures)
        #expect(known.interval > unknown.interval)
        #expect(known.mistakeDuration < unknown.mistakeDuration)
    }

    @Test("everything that is out of range is reported at once")
    func validation() {
        var requirements = QoSRequirements(detectWithin: .milliseconds(1))
        requirements.loss = .nan
        requirements.delay = .seconds(-1)
        requirements.deviation = .seconds(90_000)
        requirements.mistakesEvery = .seconds(-1)
        requirements.mistakeLasts = .seconds(-1)
        requirements.minimumHeartbeats = 0
        requirements.minimumInterval = .milliseconds(4)
        requirements.maximumBytesPerSecond = .infinity
        let error = #expect(throws: ConfigurationError.self) { try QoSPlanner.plan(requirements) }
        #expect(
            error?.problems.map(\.key) == [
                "detectWithin", "loss", "delay", "deviation", "mistakesEvery", "mistakeLasts", "minimumHeartbeats",
                "minimumInterval", "maximumBytesPerSecond",
            ]
        )
        for loss in [1, -0.1, .infinity] {
            var lossy = QoSRequirements(detectWithin: .seconds(1))
            lossy.loss = loss
            #expect(throws: ConfigurationError.self) { try lossy.validate() }
        }
    }

    @Test("the margin certifies the recurrence however delays depend on each other, and no shorter one does")
    func margin() {
        let margin = QoSPlanner.margin(
            interval: .seconds(5),
            deviation: .milliseconds(20),
            mistakesEvery: .seconds(30 * 86_400)
        )
        let variance = 0.02 * 0.02
        func recurrence(_ alpha: Double) -> Double { 5 * (variance + alpha * alpha) / variance }
        #expect(recurrence(margin / .seconds(1)) >= 2_592_000)
        #expect(recurrence(margin / .seconds(1) - 2e-9) < 2_592_000)
    }

    @Test("the margin is total")
    func marginOfAnything() {
        func margin(_ interval: Duration, _ deviation: Duration, _ every: Duration) -> Duration {
            QoSPlanner.margin(interval: interval, deviation: deviation, mistakesEvery: every)
        }
        let longest = Duration(attoseconds: .max)
        #expect(margin(.seconds(5), .seconds(1), .seconds(5)) == .zero)
        #expect(margin(.seconds(5), .seconds(1), .zero) == .zero)
        #expect(margin(.seconds(5), .zero, .seconds(50)) == .zero)
        #expect(margin(.seconds(5), .seconds(-1), .seconds(50)) == .zero)
        #expect(margin(.zero, .seconds(1), .seconds(50)) == .nanoseconds(Int64.max))
        #expect(margin(.seconds(-5), .seconds(1), .seconds(50)) == .nanoseconds(Int64.max))
        #expect(margin(.nanoseconds(1), longest, longest) == .nanoseconds(Int64.max))
        #expect(margin(longest, longest, longest) == .zero)
        #expect(margin(Duration(attoseconds: .min), longest, longest) == .nanoseconds(Int64.max))
    }

    @Test("the curve shows what the same heartbeats certify when judged earlier or later")
    func curve() throws {
        var requirements = QoSRequirements(detectWithin: .seconds(10))
        requirements.loss = 0.02
        let plan = try QoSPlanner.plan(requirements)
        let figures = try #require(plan.figures)
        let curve = plan.curve(count: 50)
        #expect(curve.count == 50)
        #expect(curve.first?.detectWithin == figures.interval + requirements.delay)
        #expect(curve.last?.detectWithin == .seconds(20))
        for (earlier, later) in zip(curve, curve.dropFirst()) {
            #expect(earlier.detectWithin < later.detectWithin)
            #expect(earlier.mistakeRecurrence.independentSeconds <= later.mistakeRecurrence.independentSeconds)
            #expect(earlier.mistakeRecurrence.dependenceFreeSeconds <= later.mistakeRecurrence.dependenceFreeSeconds)
        }
        #expect(plan.curve(count: -1).count == 2)
        requirements.mistakeLasts = .zero
        #expect(try QoSPlanner.plan(requirements).curve().isEmpty)
    }

    @Test(
        "figures for people are short",
        arguments: [
            (0, "0s"), (12.345678, "12.34s"), (5_400, "1h30m"), (172_800, "2 days"), (1_591_990, "18.4 days"),
            (3.2e9, "101 years"), (3.2e12, "101,400 years"), (1e300, "a million years"),
        ]
    )
    func spans(seconds: Double, text: String) {
        #expect(PlanText.span(seconds: seconds) == text)
    }
}
