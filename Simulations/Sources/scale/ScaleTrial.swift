//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting

/// So many connections with one interval.
///
/// They open evenly over the first interval. After it one in a hundred dies, within an eighth of an interval, and the
/// loop runs on for the bound. What is measured begins when all are open.
struct ScaleTrial: ~Copyable {
    /// There is less memory than the connections need.
    struct NotEnoughMemory: Error, CustomStringConvertible {
        let connections: Int
        let needed: Int
        let available: Int

        var description: String {
            "\(self.connections) connections need about \(self.needed >> 20) MiB of memory, \(self.available >> 20) MiB are available"
        }
    }

    /// Connections for each that dies.
    private static let connectionsPerDeath = 100
    private static let roundTripMicroseconds = 5_000...200_000
    /// Links of the wheel, verdicts, answers on their way, and what the wheel copies while it grows.
    private static let otherBytes = 48

    private let connections: Int
    private let interval: Duration
    private let timings: LivenessTimings
    private var random: SplitMix64
    private var loop: SimulatedFleet

    init(connections: Int, interval: Duration, timings: LivenessTimings, seed: UInt64) {
        self.connections = connections
        self.interval = interval
        self.timings = timings
        self.random = SplitMix64(seed: seed)
        self.loop = SimulatedFleet(timings, capacity: connections, seed: self.random.next())
    }

    /// The result for so many connections with a bound of two intervals.
    ///
    /// - Throws: ``NotEnoughMemory``.
    static func result(connections: Int, interval: Duration, seed: UInt64) throws -> ScaleResult {
        let needed = connections * (SimulatedFleet.bytesPerConnection + Self.otherBytes)
        let available = try Memory.available()
        guard needed < available else {
            throw NotEnoughMemory(connections: connections, needed: needed, available: available)
        }
        let timings = try LivenessPolicy(interval: interval, detectWithin: interval * 2).timings()
        var trial = Self(connections: connections, interval: interval, timings: timings, seed: seed)
        return try trial.run()
    }

    private mutating func run() throws -> ScaleResult {
        let before = try Memory.resident()
        self.open()
        let memory = try Memory.resident() - before
        let counters = self.loop.counters
        let (from, begin) = (self.loop.elapsed, ProcessorTime.spent)
        let deaths = self.kill()
        self.loop.run(until: self.loop.elapsed + self.timings.bound)
        let processorTime = ProcessorTime.spent - begin
        return ScaleResult(
            connections: self.connections,
            timings: self.timings,
            residentBytes: memory,
            simulatedTime: self.loop.elapsed - from,
            processorTime: processorTime,
            heartbeats: self.loop.counters.pongs - counters.pongs,
            turns: self.loop.counters.turns - counters.turns,
            deaths: deaths,
            verdicts: self.loop.verdicts
        )
    }

    private mutating func open() {
        for number in 0..<self.connections {
            self.loop.run(until: self.interval * number / self.connections)
            let roundTrip = Int.random(in: Self.roundTripMicroseconds, using: &self.random)
            self.loop.open(roundTrip: .microseconds(roundTrip))
        }
        self.loop.run(until: self.interval)
    }

    /// One of each hundred connections dies, at times that are spread evenly; returns how many.
    private mutating func kill() -> Int {
        let deaths = self.connections / Self.connectionsPerDeath
        let begin = self.loop.elapsed
        for death in 0..<deaths {
            self.loop.run(until: begin + self.interval / 8 * death / deaths)
            let victim = Int.random(in: 0..<Self.connectionsPerDeath, using: &self.random)
            self.loop.kill(death * Self.connectionsPerDeath + victim)
        }
        self.loop.run(until: begin + self.interval / 8)
        return deaths
    }
}
