//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

/// Promises 3 and 4: each end closes once, with the reason that is true.
@Suite("every connection ends once, for the reason that is true") struct EndingTests {
    @Test(
        "what one end does is what the other one reports",
        arguments: [
            (SimulatedAction.exit, [], [DisconnectReason.Code.peerClosed]),
            (.reset, [], [.peerReset]),
            (.close, [.localClosed], [.peerGoodbye]),
        ] as [(SimulatedAction, [DisconnectReason.Code], [DisconnectReason.Code])]
    )
    func reasons(action: SimulatedAction, ours: [DisconnectReason.Code], theirs: [DisconnectReason.Code]) throws {
        for promise in PromiseCase.all {
            for seed in PromiseRun.seeds.prefix(50) {
                var run = PromiseRun(promise, seed: seed)
                run.link.loss = promise.loss
                let simulation = try run.simulation()
                let end: LinkEnd = Bool.random(using: &run.random) ? .server : .client
                let time = run.bounds(0...3)
                simulation.schedule(action, by: end, at: time)
                simulation.run(for: time + promise.bound * 3)
                let context = { "\(promise), \(run.context(simulation))" }
                try #require(simulation.codes(of: end) == ours, "\(context())")
                let others = simulation.codes(of: end.other)
                // Something that arrives after an exit is answered with a reset, which overtakes a FIN that was lost.
                let isOvertaken = action == .exit && others == [.peerReset]
                try #require(others == theirs || isOvertaken, "\(context())")
            }
        }
    }

    @Test("a farewell that nobody answers ends at its deadline", arguments: PromiseRun.seeds.prefix(20))
    func unansweredFarewell(seed: UInt64) throws {
        let simulation = try Simulation(server: .init(.lan), client: .init(.lan), seed: seed)
        simulation.schedule(.freeze(for: .seconds(20)), by: .client, at: .seconds(10))
        simulation.schedule(.close, by: .server, at: .milliseconds(10_500))
        simulation.run(for: .seconds(40))
        #expect(simulation.codes(of: .server) == [.localClosed], "seed \(seed)\n\(simulation.beginning)")
        #expect(simulation.codes(of: .client) == [.peerGoodbye], "seed \(seed)\n\(simulation.beginning)")
    }

    @Test("both ends close at once: each reports its own decision", arguments: PromiseRun.seeds.prefix(20))
    func simultaneousClose(seed: UInt64) throws {
        let simulation = try Simulation(server: .init(.lan), client: .init(.lan), seed: seed)
        for end in LinkEnd.allCases { simulation.schedule(.close, by: end, at: .seconds(4)) }
        simulation.run(for: .seconds(20))
        for end in LinkEnd.allCases {
            #expect(simulation.codes(of: end) == [.localClosed], "seed \(seed)\n\(simulation.beginning)")
        }
    }

    @Test("a peer is watched by the bound that it asked for in its hello", arguments: PromiseRun.seeds.prefix(50))
    func negotiation(seed: UInt64) throws {
        var client = SimulatedPeer.Configuration(.wan)
        client.asksFor = .seconds(6)
        var server = LivenessPolicy.wan
        server.requiresHello = true
        let simulation = try Simulation(server: .init(server), client: client, seed: seed)
        simulation.schedule(.freeze(for: nil), by: .client, at: .seconds(20))
        simulation.run(for: .seconds(60))
        #expect(simulation.server.timings.bound == .seconds(6))
        let closes = simulation.timeline.closes(of: .server)
        #expect(closes.map(\.close?.reason.code) == [.peerSilent], "seed \(seed)\n\(simulation.beginning)")
        #expect((closes.first?.sinceLastSignOfLife ?? .zero) <= .seconds(6), "seed \(seed)\n\(simulation.beginning)")
    }

    /// Whatever happens in whatever order: one close at most, nobody spins, and a verdict on silence has its silence.
    @Test(
        "after any script each end has closed at most once, and never a peer that showed itself",
        arguments: PromiseCase.all
    )
    func anyScript(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds {
            var run = PromiseRun(promise, seed: seed)
            run.link.loss = promise.loss / 2
            run.link.sendBufferBytes = 16_384
            run.link.receiveBufferBytes = 32_768
            let simulation = try run.simulation()
            let ends = Self.schedule(in: simulation, &run)
            simulation.run(for: ends + promise.bound * 8 + .seconds(10))
            let context = { run.context(simulation) }
            try #require(!simulation.hasSpun, "\(context())")
            try #require(simulation.timeline.closes(of: .server).count == 1, "\(context())")
            try #require(simulation.timeline.closes(of: .client).count <= 1, "\(context())")
            for entry in simulation.timeline.entries {
                guard let close = entry.close, close.reason.code == .peerSilent else { continue }
                let peer = entry.end == .server ? simulation.server : simulation.client
                try #require(close.silence >= peer.timings.bound * 0.9, "\(context())")
                // An answer that names its ping may be older than any sign of life (rule R15).
                let isStale = run.direction.staleness(promise) > .zero
                let sinceLastSign = try #require(entry.sinceLastSignOfLife)
                try #require(isStale || sinceLastSign >= peer.timings.bound * 0.9, "\(context())")
            }
        }
    }

    private static func schedule(in simulation: Simulation, _ run: inout PromiseRun) -> Duration {
        var time = Duration.zero
        for _ in 0..<Int.random(in: 1...8, using: &run.random) {
            time += run.bounds(0...1.5)
            let end: LinkEnd = Bool.random(using: &run.random) ? .server : .client
            let length = run.bounds(0...1.5)
            switch Int.random(in: 0..<7, using: &run.random) {
            case 0: simulation.schedule(.freeze(for: length), by: end, at: time)
            case 1: simulation.schedule(.pauseReading(for: length), by: end, at: time)
            case 2:
                let bytes = Int.random(in: 1...200_000, using: &run.random)
                simulation.schedule(.send(bytes: bytes), by: end, at: time)
            case 3: simulation.schedule(.talk(every: run.bounds(0.05...0.5), bytes: 100), by: end, at: time)
            case 4: simulation.interrupt(to: end, at: time, for: length)
            case 5: simulation.interrupt(at: time, for: length)
            default:
                let bytesPerSecond = Int(48_000 / (run.bounds(0.5...2) / .seconds(1)))
                simulation.schedule(.readSlowly(bytesPerSecond: bytesPerSecond), by: end, at: time)
            }
        }
        time += run.promise.bound
        switch Int.random(in: 0..<4, using: &run.random) {
        case 0: simulation.schedule(.exit, by: .client, at: time)
        case 1: simulation.schedule(.reset, by: .client, at: time)
        case 2: simulation.schedule(.close, by: .client, at: time)
        default: simulation.interrupt(at: time, for: nil)
        }
        return time
    }
}
