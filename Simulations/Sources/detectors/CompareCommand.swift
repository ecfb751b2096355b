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

/// Detectors set to the same mean time to detect, on paths that nobody can calculate.
struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Mistakes and the longest time to detect of detectors that take the same mean time.",
        discussion: """
            Exits with 1 unless NFD-E detects within 0.6 s of its mean always, and detectors that start a timer with each \
            arrival exceed their mean by ten times as much as NFD-E does.
            """
    )

    /// The longest time to detect of NFD-E over its mean, in seconds.
    private static let allowedExcess = Duration.milliseconds(600)
    private static let leastRatio = 10.0

    @Option(help: "Decides everything that is random.")
    var seed: UInt64 = 1

    @Option(help: "A document whose blocks \"wide area\" and \"tcp\" get the tables.")
    var markdown: String?

    func run() async throws {
        var failures: [String] = []
        for path in ComparedPath.allCases {
            let results = try await self.compare(on: path)
            let text = Self.text(of: results, on: path)
            print("\(path.rawValue)\n\n\(text)")
            if let markdown { try TextFile.replace(block: path.rawValue, with: text, in: markdown) }
            failures += Self.failures(in: results).map { "\(path.rawValue): \($0)" }
        }
        for failure in failures { print(failure) }
        if !failures.isEmpty { throw ExitCode(1) }
    }

    private func compare(on path: ComparedPath) async throws -> [ComparisonResult] {
        let seed = self.seed
        return try await withThrowingTaskGroup { group in
            for contender in Contender.allCases {
                for target in contender.isAdjustable ? path.meanDetections : [.zero] {
                    group.addTask { try ComparisonResult(of: contender, on: path, target: target, seed: seed) }
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private static func text(of results: [ComparisonResult], on path: ComparedPath) -> String {
        let adjustable = Contender.allCases.filter(\.isAdjustable)
        var table = MarkdownTable(["mean T_D"] + adjustable.map(\.name))
        for target in path.meanDetections {
            let cells = adjustable.map { contender in
                results.first { $0.contender == contender && $0.target == target }?.cell ?? ""
            }
            table.add([Figures.seconds(target / .seconds(1))] + cells)
        }
        let others = results.filter { !$0.contender.isAdjustable }.map { result in
            let mean = Figures.seconds(result.meanDetection / .seconds(1))
            let longest = Figures.seconds(result.longestDetection / .seconds(1))
            return """

                \(result.contender.name), which has nothing to set: a mean T_D of \(mean), at most \(longest), \
                \(Figures.count(result.mistakes)) mistakes.

                """
        }
        return table.text + others.joined()
    }

    private static func failures(in results: [ComparisonResult]) -> [String] {
        results.filter { $0.contender == .nfde }.flatMap { ours in
            var failures: [String] = []
            if ours.excess > Self.allowedExcess {
                failures.append("NFD-E takes \(ours.excess) longer than its mean of \(ours.target)")
            }
            for other in results
            where other.target == ours.target && other.contender.restartsTimer
                && other.excess / ours.excess < Self.leastRatio
            {
                failures.append("\(other.contender.name) at \(other.target): \(other.excess), NFD-E \(ours.excess)")
            }
            return failures
        }
    }
}
