//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import Foundation
import Report

/// What many connections cost one event loop: machines and timing wheel in virtual time.
@main
struct ScaleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scale",
        abstract: "What millions of connections cost one event loop, in virtual time.",
        discussion: """
            Real machines on one real timing wheel, simulated peers of which one in a hundred dies. Exits with 1 unless \
            each of the dead is found within the bound and nobody else is declared dead, and when there is not enough \
            memory.
            """
    )

    @Option(help: "How many connections; several give several rows.")
    var connections: [Int] = [1_000_000, 10_000_000]

    @Option(help: "The interval in seconds; several give several rows. The bound is two intervals.")
    var interval: [Int] = [15, 60, 300]

    @Option(help: "Decides everything that is random.")
    var seed: UInt64 = 1

    @Option(help: "A document whose block \"scale\" gets the table.")
    var markdown: String?

    func validate() throws {
        guard self.connections.allSatisfy({ 100...1_000_000_000 ~= $0 }) else {
            throw ValidationError("--connections must be between 100 and 1,000,000,000")
        }
        guard self.interval.allSatisfy({ 1...3_600 ~= $0 }) else {
            throw ValidationError("--interval must be between 1 and 3,600")
        }
    }

    func run() throws {
        var results: [ScaleResult] = []
        for connections in self.connections {
            for interval in self.interval {
                let interval = Duration.seconds(interval)
                let result = try ScaleTrial.result(connections: connections, interval: interval, seed: self.seed)
                FileHandle.standardError.write(Data("\(result.line)\n".utf8))
                results.append(result)
            }
        }
        let table = Self.table(of: results)
        print("\n\(table)")
        if let markdown { try TextFile.replace(block: "scale", with: table, in: markdown) }
        let failures = results.filter { !$0.isRight }
        for failure in failures { print("wrong: \(failure.line)") }
        if !failures.isEmpty { throw ExitCode(1) }
    }

    private static func table(of results: [ScaleResult]) -> String {
        var table = MarkdownTable(ScaleResult.header)
        for result in results { table.add(result.cells) }
        return table.text
    }
}
