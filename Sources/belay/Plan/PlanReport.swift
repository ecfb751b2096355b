//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayNIO

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A plan for people.
struct PlanReport {
    var plan: QoSPlan
    /// What it was made from, where that was measured.
    var measured: MeasuredPath?
    /// How many columns there are.
    var width: Int

    init(plan: QoSPlan, measured: MeasuredPath? = nil, width: Int? = Terminal.width) {
        self.plan = plan
        self.measured = measured
        self.width = min(max(width ?? 100, 40), 120)
    }

    /// Prints it on standard output.
    func show(asJSON: Bool) {
        Output.write(asJSON ? self.json : Array(self.text.utf8), to: STDOUT_FILENO)
    }

    /// The table, the chart where there is something to draw, or what stands in the way and what would help.
    var text: String {
        let measured = self.measured.map { self.wrapped($0.text, after: "") } ?? ""
        guard let figures = self.plan.figures else {
            return measured + (["Not possible."] + self.plan.why).map { self.wrapped($0, after: "") }.joined()
        }
        let bound = "A dead peer is known this long after it last proved alive."
        let rows = zip(Self.rows(of: figures), [bound] + self.plan.why)
        let labels = Self.columnWidth(rows.map(\.0.label))
        let values = Self.columnWidth(rows.map(\.0.value))
        let table = rows.map { row, reason in
            self.wrapped(reason, after: row.label.padded(to: labels) + row.value.padded(to: values))
        }
        let chart = RecurrenceChart(plan: self.plan, width: min(self.width, 80))
        return measured + table.joined() + "\n" + chart.text
    }

    private typealias Row = (label: String, value: String)

    /// Label and figure of the bound, and of each line of the plan's reasoning in its order.
    private static func rows(of figures: QoSPlan.Figures) -> [Row] {
        [
            ("bound", PlanText.duration(figures.detectWithin)),
            ("interval", PlanText.duration(figures.interval)),
            ("margin", PlanText.duration(figures.margin)),
            ("mistakes", PlanText.span(seconds: figures.mistakeRecurrence.independentSeconds)),
            ("  at worst", PlanText.span(seconds: figures.mistakeRecurrence.dependenceFreeSeconds)),
            ("mistake lasts", PlanText.duration(figures.mistakeDuration)),
            ("blackout", PlanText.duration(figures.toleratedBlackout)),
            ("traffic", "\(PlanText.number(figures.bytesPerSecond)) B/s"),
            ("kernel ends it", PlanText.duration(.milliseconds(figures.kernel.userTimeoutMilliseconds))),
        ]
    }

    private static func columnWidth(_ cells: [String]) -> Int { (cells.map(\.count).max() ?? 0) + 2 }

    /// The text behind a start of the line, continued under itself.
    private func wrapped(_ text: String, after start: String) -> String {
        let indentation = String(repeating: " ", count: start.isEmpty ? 2 : start.count)
        var lines: [String] = []
        var line = start
        var isEmpty = true
        for word in text.split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > self.width {
                lines.append(line)
                line = indentation
                isEmpty = true
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return (lines + [line]).map { $0 + "\n" }.joined()
    }
}

extension MeasuredPath {
    /// One sentence for people.
    fileprivate var text: String {
        let times = self.roundTrips
        let lost = self.connectionsLost == 0 ? "" : "; \(self.connectionsLost) connections were lost"
        return "Measured with \(self.sent) heartbeats, \(self.sent - self.answered) unanswered\(lost): mean "
            + "\(times.mean.rounded), deviation \(times.deviation.rounded), half within \(times.median.rounded), 99 % within "
            + "\(times.percentile99.rounded), the longest \(times.longest.rounded)."
    }
}

extension String {
    fileprivate func padded(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - self.count))
    }
}
