//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import BelayTesting
import Report

/// The figure of Chen, Toueg and Aguilera: how the time between mistakes grows with the time to detect.
struct FigureCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "figure",
        abstract: "The time between mistakes by the time to detect, simulated and as theory has it.",
        discussion: """
            Exits with 1 if a point of NFD-E is off by more than 10 % from what theory says of NFD-S, or any point from what \
            theory says of its own detector.
            """
    )

    /// Bounds on the time to detect, in seconds; denser where the next heartbeat begins to count.
    private static let bounds =
        [1, 1.02, 1.05, 1.1, 1.15, 1.25, 1.5, 1.75]
        + [2, 2.02, 2.05, 2.1, 2.15, 2.25, 2.5, 2.75]
        + [3, 3.02, 3.05, 3.1, 3.15, 3.25, 3.5]
    private static let tolerance = 0.1

    @Option(help: "Decides everything that is random.")
    var seed: UInt64 = 1

    @Option(help: "Mistakes for each point; the paper has 500, with which one point in 40 is off by 10 % by chance.")
    var mistakes = 8_000

    @Option(help: "Where to write the figure.")
    var svg: String?

    @Option(help: "A document whose block \"figure\" gets the table.")
    var markdown: String?

    func validate() throws {
        guard self.mistakes >= 2 else { throw ValidationError("--mistakes must be at least 2") }
    }

    func run() async throws {
        let points = await self.simulate()
        let table = Self.table(points)
        print(table)
        if let svg { try TextFile.write(RecurrenceChart(points).svg, to: svg) }
        if let markdown { try TextFile.replace(block: "figure", with: table, in: markdown) }
        let failures = points.filter { point in
            let ownDetectorIsOff = point.detector == .nfde && abs(point.deviationFromBest) > Self.tolerance
            return ownDetectorIsOff || abs(point.deviation) > Self.tolerance
        }
        for point in failures {
            print("off by more than 10 %: \(point.detector.name) at \(point.bound): \(point.simulated)")
        }
        let missing = Self.bounds.count * FigureDetector.allCases.count - points.count
        if missing > 0 { print("points without a value: \(missing)") }
        if !failures.isEmpty || missing > 0 { throw ExitCode(1) }
    }

    private func simulate() async -> [RecurrencePoint] {
        let (seed, mistakes) = (self.seed, self.mistakes)
        return await withTaskGroup { group in
            for bound in Self.bounds {
                for detector in FigureDetector.allCases {
                    group.addTask {
                        RecurrencePoint(of: detector, bound: .seconds(bound), mistakes: mistakes, seed: seed)
                    }
                }
            }
            var points: [RecurrencePoint] = []
            for await case let point? in group { points.append(point) }
            return points
        }
    }

    private static func table(_ points: [RecurrencePoint]) -> String {
        var table = MarkdownTable(
            [
                "T_D at most", "NFD-S, theory", "NFD-S", "deviation", "NFD-E", "from NFD-S theory", "from its own",
                "SFD-L", "deviation", "SFD-S", "deviation",
            ]
        )
        for bound in Self.bounds {
            func point(_ detector: FigureDetector) -> RecurrencePoint? {
                points.first { $0.detector == detector && $0.bound == .seconds(bound) }
            }
            func cells(_ detector: FigureDetector) -> [String] {
                guard let point = point(detector) else { return ["", ""] }
                return [Figures.significant(point.simulated), Figures.percent(point.deviation)]
            }
            let nfde = point(.nfde)
            table.add(
                [Figures.seconds(bound), point(.nfds).map { Figures.significant($0.expected) } ?? ""] + cells(.nfds)
                    + [
                        nfde.map { Figures.significant($0.simulated) } ?? "",
                        nfde.map { Figures.percent($0.deviationFromBest) } ?? "",
                        nfde.map { Figures.percent($0.deviation) } ?? "",
                    ] + cells(.cutoff160) + cells(.cutoff80)
            )
        }
        return table.text
    }
}
