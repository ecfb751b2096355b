//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

@Suite struct SimulatedFleetTests {
    private static let bound = Duration.seconds(9)

    private static func loop(capacity: Int, seed: UInt64 = 1) throws -> SimulatedFleet {
        SimulatedFleet(try LivenessPolicy(detectWithin: Self.bound).timings(), capacity: capacity, seed: seed)
    }

    /// 1,000 connections opened over two seconds, of which every tenth dies in the seventh.
    private static func runWithDeaths(seed: UInt64) throws -> [SimulatedFleet.Verdict] {
        var loop = try Self.loop(capacity: 1_000, seed: seed)
        var random = SplitMix64(seed: seed)
        for number in 0..<1_000 {
            loop.run(until: .milliseconds(2 * number))
            loop.open(roundTrip: .microseconds(Int.random(in: 1...200_000, using: &random)))
        }
        for number in stride(from: 0, to: 1_000, by: 10) {
            loop.run(until: .milliseconds(6_000 + number))
            loop.kill(number)
        }
        loop.run(until: .seconds(30))
        return loop.verdicts
    }

    @Test("the dead are found within the bound, after most of it, and nobody else")
    func deathsAreFound() throws {
        let verdicts = try Self.runWithDeaths(seed: 1)
        #expect(Set(verdicts.map(\.connection)) == Set(stride(from: 0, to: 1_000, by: 10)))
        #expect(verdicts.count == 100)
        for verdict in verdicts {
            #expect(verdict.code == .peerSilent)
            #expect(verdict.diedAt == .milliseconds(6_000 + verdict.connection))
            #expect(verdict.sinceLastSignOfLife <= Self.bound)
            // One margin and one round trip before it at most.
            #expect(verdict.sinceLastSignOfLife >= Self.bound - .milliseconds(10 + 201))
        }
        #expect(verdicts.map(\.at) == verdicts.map(\.at).sorted())
    }

    @Test("the same seed gives the same verdicts, another one others")
    func repeatable() throws {
        let first = try Self.runWithDeaths(seed: 1)
        #expect(try Self.runWithDeaths(seed: 1) == first)
        #expect(try Self.runWithDeaths(seed: 2) != first)
    }

    @Test("each connection is pinged once in 75 to 100 % of the interval, and each ping of the living is answered once")
    func heartbeats() throws {
        var loop = try Self.loop(capacity: 100)
        for _ in 0..<100 { loop.open(roundTrip: .milliseconds(3)) }
        loop.run(until: .seconds(300))
        // An interval of 3 s: 100 to 133 pings of each connection.
        #expect(10_000...13_400 ~= loop.counters.pings)
        loop.run(until: loop.elapsed + .milliseconds(4))
        #expect(loop.counters.pings - loop.counters.pongs <= 100)
        #expect(loop.counters.suspicions == 0)
        #expect(loop.verdicts.isEmpty)
        // One deadline for each ping, and one for each opening at most.
        #expect(loop.counters.deadlines <= loop.counters.pings + 100)
    }

    @Test("a peer that answers later than the bound is declared dead although it lives")
    func tooSlow() throws {
        var loop = try Self.loop(capacity: 2)
        loop.open(roundTrip: .seconds(12))
        loop.open(roundTrip: .milliseconds(1))
        loop.run(until: .seconds(40))
        #expect(loop.verdicts.map(\.connection) == [0])
        #expect(loop.verdicts.first?.diedAt == nil)
    }

    @Test("a suspected peer that answers after all is heard again")
    func recovery() throws {
        var loop = try Self.loop(capacity: 1)
        // Suspected after 6 s; the answer to the first ping comes by then or soon after.
        loop.open(roundTrip: .milliseconds(4_500))
        loop.run(until: .seconds(60))
        #expect(loop.counters.suspicions > 0)
        #expect(loop.counters.recoveries > 0)
        #expect(loop.verdicts.isEmpty)
    }

    @Test("a loop without connections lets time pass without a turn")
    func empty() throws {
        var loop = try Self.loop(capacity: 0)
        loop.run(until: .seconds(86_400))
        #expect(loop.elapsed == .seconds(86_400))
        #expect(loop.counters.turns == 0)
        loop.run(until: .seconds(1))
        #expect(loop.elapsed == .seconds(86_400))
    }
}
