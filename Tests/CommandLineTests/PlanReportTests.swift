//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Foundation
import Testing

@testable import belay

@Suite("the report of belay plan")
struct PlanReportTests {
    private static func plan(
        _ bound: Duration = .seconds(30),
        _ change: (inout QoSRequirements) -> Void = { _ in }
    ) throws -> QoSPlan {
        var requirements = QoSRequirements(detectWithin: bound)
        change(&requirements)
        return try QoSPlanner.plan(requirements)
    }

    private static func report(_ bound: Duration = .seconds(30), width: Int? = nil) throws -> PlanReport {
        PlanReport(plan: try Self.plan(bound), width: width)
    }

    private static func object(_ report: PlanReport) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(report.json)) as? [String: Any])
    }

    @Test("a loss is a number or a percentage", arguments: [("0.02", 0.02), ("2%", 0.02), ("0", 0), ("0.5%", 0.005)])
    func loss(text: String, expected: Double) throws {
        #expect(try PlanOptions.probability(text) == expected)
    }

    @Test("what is no probability is refused", arguments: ["x", "", "%", "nan", "inf", "1e999"])
    func badLoss(text: String) {
        #expect(throws: (any Error).self) { try PlanOptions.probability(text) }
    }

    @Test("the JSON of a plan has all its figures")
    func figures() throws {
        let report = try Self.report(.seconds(10))
        let figures = try #require(report.plan.figures)
        let object = try Self.object(report)
        #expect(
            Set(object.keys) == [
                "feasible", "measured", "detectWithinMs", "intervalMs", "marginMs", "heartbeatsPerWindow",
                "mistakeRecurrenceSeconds",
                "mistakeDurationSeconds", "toleratedBlackoutMs", "bytesPerSecond", "kernel", "why",
            ]
        )
        #expect(object["feasible"] as? Bool == true)
        #expect(object["intervalMs"] as? Double == figures.interval / .milliseconds(1))
        #expect(object["heartbeatsPerWindow"] as? Int == 3)
        let recurrence = try #require(object["mistakeRecurrenceSeconds"] as? [String: Double])
        #expect(abs((recurrence["independent"] ?? 0) - figures.mistakeRecurrence.independentSeconds) < 0.001)
        #expect(abs((recurrence["dependenceFree"] ?? 0) - figures.mistakeRecurrence.dependenceFreeSeconds) < 0.001)
        #expect((object["kernel"] as? [String: Any])?["userTimeoutMs"] as? Int == 20_000)
        #expect(object["why"] as? [String] == report.plan.why)
    }

    @Test("the JSON of what is impossible has the same keys, and null for figures")
    func impossible() throws {
        let possible = try Self.object(Self.report())
        let object = try Self.object(Self.report(.milliseconds(20)))
        #expect(Set(object.keys) == Set(possible.keys))
        #expect(object["feasible"] as? Bool == false)
        #expect(object["intervalMs"] is NSNull && object["kernel"] is NSNull)
        #expect((object["mistakeRecurrenceSeconds"] as? [String: Any])?["independent"] is NSNull)
        #expect((object["why"] as? [String])?.isEmpty == false)
    }

    @Test("no line is wider than the terminal, and every reason is there", arguments: [40, 60, 80, 100, 200])
    func width(columns: Int) throws {
        let report = try Self.report(width: columns)
        let lines = report.text.split(separator: "\n")
        let table = report.text.prefix { $0 != "*" }.split(separator: "\n\n")[0].split(separator: "\n")
        #expect(table.allSatisfy { $0.count <= max(columns, 46) })
        let words = report.text.split { $0.isWhitespace }.joined(separator: " ")
        if columns == 200 { #expect(words.contains("3 heartbeats fit into the bound")) }
        for label in ["interval", "margin", "mistakes", "at worst", "blackout", "traffic", "kernel"] {
            #expect(lines.contains { $0.trimmingCharacters(in: .whitespaces).hasPrefix(label) }, "\(label)")
        }
    }

    @Test("what is impossible is said in a line, with what would help")
    func impossibleText() throws {
        let text = try Self.report(.milliseconds(20)).text
        #expect(text.hasPrefix("Not possible.\n") && text.contains("Possible instead: a bound of"))
    }

    @Test("the chart is at most 80 columns by 16 lines of ASCII and shows both recurrences and the goal")
    func chart() throws {
        let plans = try [
            Self.plan(), Self.plan(.seconds(86_400)), Self.plan(.seconds(30)) { $0.loss = 0.3 },
            Self.plan(.milliseconds(20)) {
                $0.delay = .milliseconds(1)
                $0.deviation = .microseconds(200)
            },
            Self.plan { $0.mistakesEvery = .zero }, Self.plan { $0.delay = .zero },
            Self.plan {
                $0.minimumHeartbeats = 1
                $0.loss = 0.01
            },
            Self.plan(.seconds(3_600)) {
                $0.delay = .seconds(600)
                $0.mistakesEvery = .seconds(31_557_600_000)
            },
        ]
        for plan in plans {
            try #require(plan.isFeasible)
            for width in [40, 80, 500] {
                let text = RecurrenceChart(plan: plan, width: width).text
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
                #expect(lines.count <= 16 && lines.allSatisfy { $0.count <= 80 })
                #expect(text.utf8.allSatisfy { $0 == 10 || 32..<127 ~= $0 })
                let plot = lines.dropFirst().prefix(11).joined()
                #expect(plot.contains("*") && plot.contains("o") && plot.contains("-"))
            }
        }
    }

    @Test("there is no chart of what is impossible")
    func noChart() throws {
        let plan = try Self.plan(.milliseconds(20))
        #expect(RecurrenceChart(plan: plan, width: 80).text.isEmpty)
    }
}
