//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Foundation

/// How rare mistakes are against the bound, drawn with characters: at most 80 columns and 16 lines.
///
/// The interval is that of the plan, so the chart shows what waiting longer is worth at the same cost. The scale of the
/// recurrence is logarithmic, because each heartbeat more multiplies it.
struct RecurrenceChart {
    private let curve: [QoSPlan.CurvePoint]
    private let goalSeconds: Double
    private let bound: Duration
    private let columns: Int
    /// log10 of the recurrences at the bottom and the top.
    private let scale: ClosedRange<Double>

    private static let rows = 11
    private static let labelWidth = 9

    /// - Parameters:
    ///   - plan: what to draw; nothing is where it is not feasible.
    ///   - width: columns in all, at most 80.
    init(plan: QoSPlan, width: Int) {
        self.columns = min(max(width, 40), 80) - Self.labelWidth - 2
        self.curve = plan.curve(count: self.columns)
        self.goalSeconds = max(plan.requirements.mistakesEvery / .seconds(1), 1e-3)
        self.bound = plan.requirements.detectWithin
        let goal = log10(self.goalSeconds)
        let lowest = self.curve.map { log10(max($0.mistakeRecurrence.dependenceFreeSeconds, 1e-3)) }.min() ?? 0
        // Independence certifies astronomical times within a few heartbeats; what is far above the goal is cut off.
        let most = self.curve.map { log10(max($0.mistakeRecurrence.dependenceFreeSeconds, 1)) }.max() ?? 0
        let bottom = min(lowest, goal).rounded(.down)
        self.scale = bottom...max(most.rounded(.up), goal.rounded(.up) + 3, bottom + 1)
    }

    /// The lines, each with its end; empty where there is nothing to draw.
    var text: String {
        guard let first = self.curve.first, let last = self.curve.last else { return "" }
        var grid = Array(repeating: Array(repeating: Character(" "), count: self.columns), count: Self.rows)
        let goal = self.row(of: self.goalSeconds)
        let bound = self.curve.lastIndex { $0.detectWithin <= self.bound } ?? 0
        for column in 0..<self.columns { grid[goal][column] = "-" }
        for row in 0..<Self.rows { grid[row][bound] = "|" }
        for (column, point) in self.curve.enumerated() {
            grid[self.row(of: point.mistakeRecurrence.independentSeconds)][column] = "*"
            grid[self.row(of: point.mistakeRecurrence.dependenceFreeSeconds)][column] = "o"
        }
        let labels = self.labels
        var lines = ["Time from mistake to mistake against the bound, with the interval of the plan"]
        for row in (0..<Self.rows).reversed() {
            let label = labels[row] ?? ""
            lines.append(Self.padding(Self.labelWidth - label.count) + label + " |" + String(grid[row]))
        }
        lines.append(Self.padding(Self.labelWidth + 1) + "+" + String(repeating: "-", count: self.columns))
        lines.append(self.axis(from: first.detectWithin, to: last.detectWithin, bound: bound))
        lines.append("* independent delays (top: or more)   o any delays, as over TCP   - asked for")
        return lines.map { Self.trimmed($0) + "\n" }.joined()
    }

    private func row(of seconds: Double) -> Int {
        let height =
            (log10(max(seconds, 1e-300)) - self.scale.lowerBound) / (self.scale.upperBound - self.scale.lowerBound)
        return Int((min(max(height, 0), 1) * Double(Self.rows - 1)).rounded())
    }

    /// Round times beside the rows nearest to them.
    private var labels: [Int: String] {
        var labels: [Int: String] = [:]
        for (seconds, label) in Self.ticks where self.scale.contains(log10(seconds)) {
            let row = self.row(of: seconds)
            if labels[row] == nil { labels[row] = label }
        }
        return labels
    }

    private static let ticks: [(seconds: Double, label: String)] = [
        (1e-3, "1 ms"), (1, "1 s"), (60, "1 min"), (3_600, "1 h"), (86_400, "1 day"), (2_592_000, "30 days"),
        (31_557_600, "1 year"), (3.155_76e8, "10 years"), (3.155_76e9, "100 years"), (3.155_76e10, "1e3 years"),
        (3.155_76e12, "1e5 years"), (3.155_76e14, "1e7 years"), (3.155_76e16, "1e9 years"),
    ]

    /// The shortest bound, the longest one, and the one that was asked for below its column where there is room.
    private func axis(from first: Duration, to last: Duration, bound: Int) -> String {
        let start = PlanText.duration(first)
        let end = PlanText.duration(last)
        let middle = "| \(PlanText.duration(self.bound))"
        var line = Array(Self.padding(self.columns))
        func put(_ text: String, at column: Int) {
            guard column >= 0, column + text.count <= line.count else { return }
            line.replaceSubrange(column..<column + text.count, with: Array(text))
        }
        put(start, at: 0)
        put(end, at: self.columns - end.count)
        if bound > start.count, bound + middle.count < self.columns - end.count { put(middle, at: bound) }
        return Self.padding(Self.labelWidth + 2) + String(line)
    }

    private static func padding(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

    private static func trimmed(_ line: String) -> String {
        var line = Substring(line)
        while line.last == " " { line.removeLast() }
        return String(line)
    }
}
