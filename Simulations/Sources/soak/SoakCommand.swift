//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import BelayTesting
import Foundation

/// Plays scenarios drawn from random seeds for as long as one likes, and shows the first that breaks a promise.
@main
struct SoakCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "soak",
        abstract: "Plays random scenarios, with an oracle that knows the truth, until one breaks a promise."
    )

    @Option(name: .customLong("for"), help: "For how long: 30s, 10m, 2h.")
    var length: String = "1m"

    @Option(help: "Plays this seed only, and shows what happens in it.")
    var seed: UInt64?

    @Option(help: "Plays seeds one after the other from this one on, instead of random ones.")
    var from: UInt64?

    @Option(help: "Ends after so many scenarios.")
    var count: Int?

    @Flag(help: "Goes on after a scenario that breaks a promise.")
    var all = false

    @Flag(help: "Shows the first complaint of a scenario and nothing more.")
    var brief = false

    func run() throws {
        guard let length = Duration(text: self.length), length > .zero else {
            throw ValidationError("--for takes a duration such as 30s or 10m, not \(self.length)")
        }
        CurrentSeed.printWhenTrapped()
        if let seed {
            guard self.play(seed).isEmpty else { throw ExitCode.failure }
            return
        }
        try self.soak(for: length)
    }

    private func play(_ seed: UInt64) -> [String] {
        let scenario = Scenario(seed: seed)
        CurrentSeed.set(seed)
        let outcome = scenario.run()
        print(scenario, outcome.timeline, separator: "\n\n")
        if !outcome.complaints.isEmpty { self.report(scenario, outcome.complaints) }
        return outcome.complaints
    }

    private func soak(for length: Duration) throws {
        var progress = Progress()
        var random = SystemRandomNumberGenerator()
        var next = self.from
        let end = ContinuousClock.now + length
        while ContinuousClock.now < end, progress.scenarios < self.count ?? .max {
            let seed = next ?? random.next()
            next = next.map { $0 &+ 1 }
            CurrentSeed.set(seed)
            let scenario = Scenario(seed: seed)
            let outcome = scenario.run()
            progress.add(scenario, outcome)
            guard !outcome.complaints.isEmpty else { continue }
            self.report(scenario, outcome.complaints)
            if !self.all { throw ExitCode.failure }
        }
        progress.finish()
        if progress.failures > 0 { throw ExitCode.failure }
    }

    private func report(_ scenario: Scenario, _ complaints: [String]) {
        print("\nseed \(scenario.seed) breaks a promise:")
        for complaint in complaints { print("  \(complaint)") }
        guard !self.brief else { return }
        let shrunk = scenario.shrunk()
        let outcome = shrunk.run()
        print("\nthe smallest scenario that does so:\n\(shrunk)\n")
        for entry in outcome.timeline.entries.suffix(60) { print("  \(entry)") }
        for complaint in outcome.complaints { print("  \(complaint)") }
        print("\nplay it again: make soak SEED=\(scenario.seed)\n")
    }
}
