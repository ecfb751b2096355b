//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

@Suite struct SimulationTests {
    private static let policy = LivenessPolicy(detectWithin: .seconds(3))

    @Test("the same seed and script give the same timeline, another seed another one")
    func determinism() throws {
        func timeline(seed: UInt64) throws -> Timeline {
            let simulation = try Simulation(
                server: .init(Self.policy),
                client: .init(Self.policy),
                over: LinkConditions(latency: .milliseconds(20), jitter: .milliseconds(20), loss: 0.05),
                seed: seed
            )
            simulation.schedule(.talk(every: .milliseconds(300), bytes: 2_000), by: .client, at: .seconds(2))
            simulation.schedule(.freeze(for: .milliseconds(2_200)), by: .server, at: .seconds(5))
            simulation.schedule(.freeze(for: .milliseconds(2_700)), by: .client, at: .seconds(9))
            simulation.interrupt(at: .seconds(20), for: nil)
            simulation.run(for: .seconds(40))
            return simulation.timeline
        }
        let first = try timeline(seed: 1)
        #expect(try timeline(seed: 1) == first)
        #expect(try timeline(seed: 2) != first)
        #expect(first.entries.count > 8, "\(first)")
    }

    @Test("time passes in steps as well as in one go")
    func steps() throws {
        let simulations = try (0..<2).map { _ in
            try Simulation(server: .init(Self.policy), client: .answering(), seed: 1)
        }
        for simulation in simulations {
            simulation.schedule(.freeze(for: nil), by: .client, at: .seconds(10))
        }
        simulations[0].run(for: .seconds(20))
        for _ in 0..<200 { simulations[1].run(for: .milliseconds(100)) }
        #expect(simulations[0].timeline == simulations[1].timeline)
        #expect(simulations[1].elapsed == .seconds(20))
    }

    @Test("a stopped process neither reads nor answers, its kernel receives, and its clock tells afterwards")
    func freeze() throws {
        let simulation = try Simulation(server: .init(Self.policy), client: .init(Self.policy), seed: 1)
        simulation.run(for: .seconds(5))
        let bytesRead = simulation.client.figures.bytesIn
        simulation.schedule(.freeze(for: .seconds(1)), by: .client, at: .seconds(5))
        simulation.schedule(.send(bytes: 10_000), by: .server, at: .milliseconds(5_100))
        simulation.run(for: .milliseconds(990))
        #expect(simulation.client.figures.bytesIn == bytesRead)
        #expect(simulation.counters(to: .client).delivered >= 3)
        simulation.run(for: .seconds(1))
        #expect(simulation.client.figures.bytesIn > bytesRead + 10_000)
        let stalls = simulation.timeline.entries.filter {
            if case .stalled = $0.event { $0.end == .client } else { false }
        }
        #expect(stalls.count == 1, "\(simulation.timeline)")
        #expect(stalls.first?.at == .seconds(6))
    }

    @Test("what a program is to do waits until its process runs again")
    func deferredActions() throws {
        let simulation = try Simulation(server: .answering(), client: .mute, seed: 1)
        simulation.schedule(.freeze(for: .seconds(2)), by: .client, at: .seconds(1))
        simulation.schedule(.send(bytes: 5_000), by: .client, at: .seconds(2))
        simulation.schedule(.close, by: .client, at: .milliseconds(2_500))
        simulation.run(for: .milliseconds(2_999))
        #expect(simulation.server.figures.messagesIn == 0)
        simulation.run(for: .seconds(1))
        #expect(simulation.server.figures.messagesIn == 2)
        #expect(simulation.timeline.closes(of: .client).map(\.at) == [.seconds(3)])
    }

    @Test("a slow reader takes its time, and its sender's queue tells")
    func slowReader() throws {
        var conditions = LinkConditions()
        conditions.sendBufferBytes = 16_384
        conditions.receiveBufferBytes = 16_384
        let simulation = try Simulation(server: .answering(), client: .answering(), over: conditions, seed: 1)
        simulation.schedule(.readSlowly(bytesPerSecond: 8_192), by: .client, at: .zero)
        simulation.schedule(.send(bytes: 81_920), by: .server, at: .zero)
        simulation.run(for: .seconds(5))
        #expect((9...11).contains(simulation.client.figures.messagesIn))
        #expect(simulation.counters(to: .client).largestQueueBytes == 81_920 - 16_384)
        simulation.run(for: .seconds(6))
        #expect(simulation.client.figures.messagesIn == 20)
    }

    @Test("a paused program reads again by itself or when it is told")
    func pause() throws {
        let simulation = try Simulation(server: .answering(), client: .answering(), seed: 1)
        simulation.schedule(.talk(every: .milliseconds(100), bytes: 10), by: .client, at: .zero)
        simulation.schedule(.pauseReading(for: .milliseconds(1_500)), by: .server, at: .seconds(1))
        simulation.schedule(.pauseReading(for: nil), by: .server, at: .seconds(3))
        simulation.schedule(.resumeReading, by: .server, at: .milliseconds(5_500))
        var counts: [UInt64] = []
        for _ in 0..<6 {
            simulation.run(for: .seconds(1))
            counts.append(simulation.server.figures.messagesIn)
        }
        #expect(counts[1] - counts[0] <= 1)
        #expect(counts[2] >= 29)
        #expect(counts[4] - counts[2] <= 1)
        #expect(counts[5] >= 59)
    }

    @Test("a process that ends closes its socket; with something unread, its kernel resets")
    func exit() throws {
        let clean = try Simulation(server: .answering(), client: .mute, seed: 1)
        clean.schedule(.exit, by: .client, at: .seconds(1))
        clean.run(for: .seconds(2))
        #expect(clean.timeline.closes(of: .server).map(\.close?.reason.code) == [.peerClosed])
        #expect(clean.timeline.closes(of: .client).isEmpty)

        let dirty = try Simulation(server: .answering(), client: .mute, seed: 1)
        dirty.schedule(.freeze(for: nil), by: .client, at: .milliseconds(500))
        dirty.schedule(.send(bytes: 1), by: .server, at: .milliseconds(600))
        dirty.schedule(.exit, by: .client, at: .seconds(1))
        dirty.run(for: .seconds(2))
        #expect(dirty.timeline.closes(of: .server).map(\.close?.reason.code) == [.peerReset])
    }

    @Test("a policy that is not valid is refused")
    func invalidPolicy() {
        #expect(throws: ConfigurationError.self) {
            try Simulation(server: .init(LivenessPolicy(detectWithin: .zero)), client: .mute, seed: 1)
        }
    }

    @Test("the timeline is bounded and counts what it drops; it reads as text")
    func boundedTimeline() throws {
        let simulation = try Simulation(server: .answering(), client: .mute, seed: 1)
        for _ in 0..<Timeline.limit + 5 { simulation.schedule(.resumeReading, by: .client, at: .seconds(1)) }
        simulation.run(for: .seconds(2))
        let timeline = simulation.timeline
        #expect(timeline.entries.count == Timeline.limit)
        #expect(timeline.dropped == 5)
        #expect(timeline.description.hasPrefix("1s client reads again\n"))
        #expect(timeline.description.hasSuffix("\n(5 more)"))
    }
}
