//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Report

/// The figure as SVG: lines are theory, marks are simulated.
struct RecurrenceChart {
    private static let (width, height) = (760.0, 470.0)
    private static let (left, right, top, bottom) = (84.0, 740.0, 24.0, 412.0)
    private static let bounds = 1.0...3.5
    /// Powers of ten on the vertical axis.
    private static let powers = 0...6
    private static let topPower = 6.4

    private let points: [RecurrencePoint]

    init(_ points: [RecurrencePoint]) {
        self.points = points
    }

    var svg: String {
        ([self.opening] + self.axes + self.lines + self.marks + self.legend + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    // MARK: - Parts

    /// Colours that are told apart in light and in dark, and by those who see fewer; shapes differ too.
    private var opening: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" \
        font-family="system-ui, sans-serif" font-size="13">
        <title>Mean time between mistakes by the longest time to detect</title>
        <style>
        :root { --ink: #24292f; --grid: #d8dee4; --nfde: #0b5cad; --nfds: #24292f; --large: #b35900; --small: #a0307f; }
        @media (prefers-color-scheme: dark) {
        :root { --ink: #d6dde4; --grid: #363d45; --nfde: #6cb6ff; --nfds: #d6dde4; --large: #f0a04b; --small: #f084cc; }
        }
        text { fill: var(--ink); }
        .grid { stroke: var(--grid); }
        .line { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
        </style>
        """
    }

    private var axes: [String] {
        var parts = Self.powers.flatMap { power in
            let y = Self.y(Double(power))
            return [
                #"<path class="grid" d="M\#(Self.pixel(Self.left)) \#(Self.pixel(y))H\#(Self.pixel(Self.right))"/>"#,
                #"<text x="\#(Self.pixel(Self.left - 8))" y="\#(Self.pixel(y + 4))" text-anchor="end">"#
                    + #"10<tspan dy="-5" font-size="10">\#(power)</tspan></text>"#,
            ]
        }
        for bound in stride(from: Self.bounds.lowerBound, through: Self.bounds.upperBound, by: 0.5) {
            let x = Self.pixel(Self.x(bound))
            parts.append(#"<path class="grid" d="M\#(x) \#(Self.pixel(Self.top))V\#(Self.pixel(Self.bottom))"/>"#)
            parts.append(
                #"<text x="\#(x)" y="\#(Self.pixel(Self.bottom + 20))" text-anchor="middle">\#(bound)</text>"#
            )
        }
        let middle = (Self.top + Self.bottom) / 2
        return parts + [
            #"<text x="\#(Self.pixel((Self.left + Self.right) / 2))" y="\#(Self.pixel(Self.height - 14))" "#
                + #"text-anchor="middle">longest time to detect, in intervals of 1 s</text>"#,
            #"<text transform="translate(22 \#(Self.pixel(middle))) rotate(-90)" "#
                + #"text-anchor="middle">mean time between mistakes, in seconds</text>"#,
        ]
    }

    private var lines: [String] {
        [FigureDetector.cutoff80, .cutoff160, .nfds].map { detector in
            let heartbeats = IndependentHeartbeats(seed: 0)
            var path = ""
            for step in 0...500 {
                let bound = Self.bounds.lowerBound + Double(step) / 200
                let expected = detector.expectedRecurrence(bound: .seconds(bound), on: heartbeats)
                guard bound <= Self.bounds.upperBound, let power = expected.map(Self.power) else { continue }
                path += "\(path.isEmpty ? "M" : "L")\(Self.pixel(Self.x(bound))) \(Self.pixel(Self.y(power)))"
            }
            return #"<path class="line" stroke="\#(detector.colour)"\#(detector.dashes) d="\#(path)"/>"#
        }
    }

    private var marks: [String] {
        self.points.sorted { ($0.detector.rawValue, $0.bound) > ($1.detector.rawValue, $1.bound) }.map { point in
            point.detector.mark(x: Self.x(point.bound / .seconds(1)), y: Self.y(Self.power(point.simulated)))
        }
    }

    private var legend: [String] {
        let x = Self.left + 22
        let rows = FigureDetector.allCases.enumerated().flatMap { index, detector in
            let y = Self.top + 22 + Double(index) * 22
            let line =
                #"<path class="line" stroke="\#(detector.colour)"\#(detector.dashes) "#
                + #"d="M\#(Self.pixel(x - 12)) \#(Self.pixel(y))h24"/>"#
            return [
                // What NFD-E is held against is the line of NFD-S.
                detector == .nfde ? "" : line,
                detector.mark(x: x, y: y),
                #"<text x="\#(Self.pixel(x + 22))" y="\#(Self.pixel(y + 4))">\#(detector.name)</text>"#,
            ]
        }
        let y = Self.top + 22 + Double(FigureDetector.allCases.count) * 22
        return rows.filter { !$0.isEmpty } + [
            #"<text x="\#(Self.pixel(x - 12))" y="\#(Self.pixel(y + 4))">lines: theory; marks: simulated</text>"#
        ]
    }

    // MARK: - Places

    private static func x(_ bound: Double) -> Double {
        let share = (bound - Self.bounds.lowerBound) / (Self.bounds.upperBound - Self.bounds.lowerBound)
        return Self.left + share * (Self.right - Self.left)
    }

    private static func y(_ power: Double) -> Double {
        Self.bottom - power / Self.topPower * (Self.bottom - Self.top)
    }

    private static func power(_ recurrence: Duration) -> Double { Figures.decimalLogarithm(recurrence / .seconds(1)) }

    static func pixel(_ value: Double) -> String { Figures.fixed(value, places: 1) }
}

extension FigureDetector {
    fileprivate var colour: String {
        switch self {
        case .nfde: "var(--nfde)"
        case .nfds: "var(--nfds)"
        case .cutoff160: "var(--large)"
        case .cutoff80: "var(--small)"
        }
    }

    fileprivate var dashes: String {
        switch self {
        case .nfde, .nfds: ""
        case .cutoff160: #" stroke-dasharray="7 4""#
        case .cutoff80: #" stroke-dasharray="2 4""#
        }
    }

    fileprivate func mark(x: Double, y: Double) -> String {
        func at(_ value: Double) -> String { RecurrenceChart.pixel(value) }
        switch self {
        case .nfde:
            return #"<circle cx="\#(at(x))" cy="\#(at(y))" r="3.4" fill="\#(self.colour)"/>"#
        case .nfds:
            let ring = #"fill="none" stroke="\#(self.colour)" stroke-width="1.2""#
            return #"<circle cx="\#(at(x))" cy="\#(at(y))" r="6" \#(ring)/>"#
        case .cutoff160:
            return #"<rect x="\#(at(x - 3.5))" y="\#(at(y - 3.5))" width="7" height="7" fill="\#(self.colour)"/>"#
        case .cutoff80:
            return #"<path d="M\#(at(x)) \#(at(y - 4.5))l4.5 8h-9z" fill="\#(self.colour)"/>"#
        }
    }
}
