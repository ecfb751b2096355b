//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

/// Promise 2: a live peer is never declared dead.
@Suite("no false verdicts") struct LivePeerTests {
    @Test("jitter and up to 5 % of losses are no death", arguments: PromiseCase.all)
    func jitterAndLoss(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds {
            var run = PromiseRun(promise, seed: seed)
            run.link.loss = Double.random(in: 0...promise.loss, using: &run.random)
            let simulation = try run.simulation()
            simulation.run(for: promise.bound * 8)
            try #require(simulation.isCalm, "\(run.context(simulation))")
        }
    }

    @Test("stalls of our own, up to 2.5 bounds, are nobody's silence", arguments: PromiseCase.all)
    func ownStalls(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds {
            var run = PromiseRun(promise, seed: seed)
            let simulation = try run.simulation(patience: 8)
            var time = Duration.zero
            for _ in 0..<3 {
                time += run.bounds(0.05...2)
                let length = run.bounds(0.5...2.5)
                simulation.schedule(.freeze(for: length), by: .server, at: time)
                time += length
            }
            simulation.run(for: time + promise.bound * 2)
            try #require(simulation.isCalm, "\(run.context(simulation))")
        }
    }

    /// The bound counts from the last proof of life, which may be one beat and one round trip old when a pause begins.
    @Test("a peer may pause for the bound less a beat and a round trip", arguments: PromiseCase.all)
    func peerPauses(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds {
            var run = PromiseRun(promise, seed: seed)
            let margin = max(promise.bound / 10, .milliseconds(2))
            let longest =
                promise.bound - run.direction.beat(promise) - promise.roundTrip - min(margin, .milliseconds(12))
            let simulation = try run.simulation()
            var time = Duration.zero
            for _ in 0..<3 {
                time += run.bounds(1...2)
                let length = longest * Double.random(in: 0.8...1, using: &run.random)
                simulation.schedule(.freeze(for: length), by: .client, at: time)
                time += length
            }
            simulation.run(for: time + promise.bound * 2)
            try #require(simulation.isCalm, "\(run.context(simulation))")
        }
    }

    @Test("a slow reader that moves is alive, however long it takes", arguments: PromiseCase.all)
    func slowReaders(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds.prefix(100) {
            var run = PromiseRun(promise, seed: seed)
            run.link.sendBufferBytes = 16_384
            run.link.receiveBufferBytes = 32_768
            // What the kernels hold delays an answer; who answers late, or only then begins to ping, has less time.
            let beat = run.direction == .clientPings ? run.direction.beat(promise) : .zero
            let longest = promise.bound * 0.85 - beat - promise.roundTrip
            let delay = longest * Double.random(in: 0.2...1, using: &run.random)
            let bytesPerSecond = Int(49_152 / (delay / .seconds(1)))
            let simulation = try run.simulation()
            simulation.schedule(.readSlowly(bytesPerSecond: bytesPerSecond), by: .client, at: .zero)
            simulation.schedule(.send(bytes: 160_000), by: .server, at: run.bounds(0...2))
            simulation.run(for: promise.bound * 7)
            try #require(simulation.isCalm, "\(bytesPerSecond) B/s, \(run.context(simulation))")
        }
    }

    @Test("while we do not read, silence means nothing", arguments: PromiseCase.all)
    func ownPauses(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds {
            var run = PromiseRun(promise, seed: seed)
            let simulation = try run.simulation(patience: 8)
            if Bool.random(using: &run.random) {
                simulation.schedule(.talk(every: promise.bound / 5, bytes: 4_000), by: .client, at: .zero)
            }
            var time = Duration.zero
            for _ in 0..<2 {
                time += run.bounds(0.1...2)
                let length = run.bounds(0.2...4)
                simulation.schedule(.pauseReading(for: length), by: .server, at: time)
                time += length
            }
            simulation.run(for: time + promise.bound * 2)
            try #require(simulation.isCalm, "\(run.context(simulation))")
        }
    }

    @Test("what waits unread for a slow program of ours is a sign of life", arguments: PromiseCase.all)
    func ownSlowReading(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds.prefix(50) {
            var run = PromiseRun(promise, seed: seed)
            let simulation = try run.simulation(patience: 100)
            // Each message of 4 KiB takes the program longer than a bound.
            let bytesPerSecond = 4_096 / (run.bounds(1.1...2) / .seconds(1))
            simulation.schedule(.send(bytes: 5 * 4_096), by: .client, at: run.bounds(0.5...2))
            simulation.schedule(.readSlowly(bytesPerSecond: Int(bytesPerSecond)), by: .server, at: .zero)
            simulation.run(for: promise.bound * 16)
            try #require(simulation.isCalm, "\(run.context(simulation))")
        }
    }

    /// An outage becomes up to twice its length of silence, because retransmissions back off; with TCP_RTO_MAX_MS, as
    /// ``BelayCore/KernelTimeouts`` sets it, it becomes its length and at most that time.
    @Test("an outage that is short against the bound is survived", arguments: PromiseCase.all.prefix(5), [false, true])
    func outages(promise: PromiseCase, hasRetransmissionLimit: Bool) throws {
        let kernel = KernelTimeouts(promise.timings)
        for seed in PromiseRun.seeds {
            var run = PromiseRun(promise, seed: seed)
            // The retransmission itself, and the answer, take a round trip each.
            var budget = promise.bound - run.direction.beat(promise) - promise.roundTrip * 2 - .milliseconds(20)
            if hasRetransmissionLimit {
                let longest = Duration.milliseconds(Int(kernel.longestRetransmissionMilliseconds))
                run.link.longestRetransmission = longest
                budget -= longest + promise.roundTrip
            } else {
                budget = (budget - .milliseconds(400) - promise.roundTrip * 2) / 2
            }
            guard budget > .zero else { continue }
            let simulation = try run.simulation()
            let length = budget * Double.random(in: 0.5...1, using: &run.random)
            let time = run.bounds(1...3)
            switch seed % 3 {
            case 0: simulation.interrupt(at: time, for: length)
            case 1: simulation.interrupt(to: .server, at: time, for: length)
            default: simulation.interrupt(to: .client, at: time, for: length)
            }
            simulation.run(for: time + promise.bound * 4)
            try #require(simulation.isCalm, "\(run.context(simulation))")
        }
    }

    @Test("pings that piled up while we did not read are no flood", arguments: PromiseRun.seeds.prefix(50))
    func piledUpPings(seed: UInt64) throws {
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        policy.minimumPeerInterval = .seconds(5)
        policy.heartbeats = seed.isMultiple(of: 2) ? .both : .answer
        // Pings every 5 to 6 s, as permitted, and tolerates that the server does not answer.
        var client = LivenessPolicy(interval: .milliseconds(6_650), detectWithin: .seconds(3_600))
        client.pingAlways = true
        let simulation = try Simulation(server: .init(policy), client: .init(client), seed: seed)
        var random = SplitMix64(seed: seed)
        let length = Duration.seconds(Double.random(in: 150...290, using: &random))
        let isStall = Bool.random(using: &random)
        simulation.schedule(
            isStall ? .freeze(for: length) : .pauseReading(for: length),
            by: .server,
            at: .seconds(40)
        )
        simulation.run(for: .seconds(600))
        #expect(simulation.isCalm, "seed \(seed)\n\(simulation.beginning)")
    }

    @Test("a client that pings under traffic keeps a server that only answers and talks", arguments: [0, 1])
    func talkingServer(pings: Int) throws {
        var server = LivenessPolicy(detectWithin: .seconds(10))
        server.heartbeats = .answer
        var client = LivenessPolicy(detectWithin: .seconds(10))
        client.heartbeats = pings == 0 ? .ping : .both
        client.pingAlways = true
        for seed in PromiseRun.seeds.prefix(20) {
            let simulation = try Simulation(server: .init(server), client: .init(client), seed: seed)
            simulation.schedule(.talk(every: .seconds(1), bytes: 100), by: .server, at: .zero)
            simulation.run(for: .seconds(120))
            try #require(simulation.isCalm, "seed \(seed)\n\(simulation.beginning)")
        }
    }

    @Test("for a simulated week nothing is wrong, and nothing happens", arguments: 1...3 as ClosedRange<UInt64>)
    func week(seed: UInt64) throws {
        let policies: [LivenessPolicy] = [
            .wan, .mobile, LivenessPolicy(interval: .seconds(50), replyWithin: .seconds(20)),
        ]
        let simulation = try Simulation(
            server: .init(policies[Int(seed % 3)]),
            client: .init(policies[Int(seed % 3)]),
            over: LinkConditions(latency: .milliseconds(40), jitter: .milliseconds(60), loss: 0.005),
            seed: seed
        )
        simulation.run(for: .seconds(7 * 86_400))
        let hasHappened = !simulation.timeline.entries.isEmpty
        #expect(!hasHappened, "seed \(seed)\n\(simulation.beginning)")
        #expect(!simulation.server.isOver && !simulation.client.isOver)
        #expect(simulation.server.figures.pongsReceived == simulation.server.figures.pingsSent)
    }
}
