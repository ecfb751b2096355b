//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Report

/// What came of a trial.
struct ScaleResult {
    static let header = [
        "connections", "interval", "heartbeats a second", "processor time per simulated second",
        "for each heartbeat",
        "wake-ups a second", "memory per connection", "died", "found within the bound", "false",
    ]

    let connections: Int
    let timings: LivenessTimings
    let residentBytes: Int
    let simulatedTime: Duration
    let processorTime: Duration
    let heartbeats: Int
    let turns: Int
    let deaths: Int
    /// The dead who were found within the bound.
    let found: Int
    /// The living who were declared dead.
    let falseVerdicts: Int

    init(
        connections: Int,
        timings: LivenessTimings,
        residentBytes: Int,
        simulatedTime: Duration,
        processorTime: Duration,
        heartbeats: Int,
        turns: Int,
        deaths: Int,
        verdicts: [SimulatedFleet.Verdict]
    ) {
        self.connections = connections
        self.timings = timings
        self.residentBytes = residentBytes
        self.simulatedTime = simulatedTime
        self.processorTime = processorTime
        self.heartbeats = heartbeats
        self.turns = turns
        self.deaths = deaths
        // Each connection ends once: there are no more verdicts on the dead than dead.
        self.found = verdicts.count { verdict in
            guard let diedAt = verdict.diedAt else { return false }
            return verdict.sinceLastSignOfLife <= timings.bound && verdict.at - diedAt <= timings.bound
        }
        self.falseVerdicts = verdicts.count { $0.diedAt == nil }
    }

    /// All of the dead, in time, and nobody else.
    var isRight: Bool { self.found == self.deaths && self.falseVerdicts == 0 }

    var cells: [String] {
        let simulatedSeconds = self.simulatedTime / .seconds(1)
        let processorSeconds = self.processorTime / .seconds(1)
        return [
            Figures.count(self.connections),
            "\(Figures.fixed(self.timings.interval / .seconds(1), places: 0)) s",
            Figures.count(Int((Double(self.heartbeats) / simulatedSeconds).rounded())),
            "\(Figures.fixed(processorSeconds / simulatedSeconds * 1e3, places: 1)) ms",
            "\(Figures.fixed(processorSeconds / Double(max(1, self.heartbeats)) * 1e9, places: 0)) ns",
            Figures.count(Int((Double(self.turns) / simulatedSeconds).rounded())),
            "\(Figures.fixed(Double(self.residentBytes) / Double(self.connections), places: 0)) B",
            Figures.count(self.deaths),
            Figures.count(self.found),
            Figures.count(self.falseVerdicts),
        ]
    }

    /// The row, for who waits for the table.
    var line: String { zip(Self.header, self.cells).map { "\($0): \($1)" }.joined(separator: ", ") }
}
