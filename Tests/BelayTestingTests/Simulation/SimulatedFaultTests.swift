//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

@Suite("what can happen to a simulated connection") struct SimulatedFaultTests {
    private static let policy = LivenessPolicy(detectWithin: .seconds(3))

    private static func simulation(
        format: WireFormat? = nil,
        showsEvidence: Bool = false,
        over conditions: LinkConditions = LinkConditions()
    ) throws -> Simulation {
        var server = SimulatedPeer.Configuration(Self.policy)
        server.format = format
        server.showsEvidence = showsEvidence
        var client = SimulatedPeer.Configuration.answering()
        client.format = format
        return try Simulation(server: server, client: client, over: conditions, seed: 1)
    }

    @Test("a suspended host notices by its clocks, and nobody's silence was longer for it")
    func suspension() throws {
        let simulation = try Self.simulation()
        simulation.schedule(.suspend(for: .seconds(60)), by: .server, at: .seconds(10))
        simulation.run(for: .seconds(90))
        let stalls = simulation.timeline.entries.filter {
            if case .stalled = $0.event { $0.end == .server } else { false }
        }
        #expect(stalls.map(\.event) == [.stalled(.seconds(60))], "\(simulation.timeline)")
        #expect(simulation.timeline.closes(of: .server).isEmpty)
    }

    @Test("a host that comes back without memory answers with a reset, one that does not is silent")
    func crash() throws {
        for (length, code) in [(Duration.seconds(1), DisconnectReason.Code.peerReset), (.seconds(60), .peerSilent)] {
            let simulation = try Self.simulation()
            simulation.schedule(.crash(cutOffFor: length), by: .client, at: .seconds(10))
            simulation.run(for: .seconds(30))
            #expect(simulation.timeline.closes(of: .server).map(\.close?.reason.code) == [code], "\(length.text)")
        }
    }

    @Test("the wall clock is what people read: no deadline depends on it")
    func wallClock() throws {
        let simulation = try Self.simulation()
        let before = simulation.server.wallClock.millisecondsSince1970
        simulation.schedule(.setWallClock(ahead: .seconds(36_000)), by: .server, at: .seconds(10))
        simulation.run(for: .seconds(20))
        #expect(simulation.server.wallClock.millisecondsSince1970 == before + 20_000 + 36_000_000)
        #expect(simulation.timeline.closes(of: .server).isEmpty)
        #expect(simulation.timeline.entries.count == 1)
    }

    @Test(
        "heartbeats and messages arrive in every wire format, however they are cut and joined",
        arguments: WireFormat.allCases
    )
    func formats(format: WireFormat) throws {
        let simulation = try Self.simulation(format: format)
        simulation.schedule(.talk(every: .milliseconds(700), bytes: 5_000), by: .client, at: .seconds(1))
        simulation.run(for: .seconds(60))
        // On `raw` a message is what one read brings.
        #expect(simulation.server.figures.messagesIn >= (format == .raw ? 80 : 160))
        #expect(simulation.timeline.closes(of: .server).isEmpty, "\(simulation.timeline)")
    }

    @Test("with the kernel's figures a stopped program is told from a lost path and from one that does not read")
    func evidence() throws {
        func code(_ script: (Simulation) -> Void) throws -> [DisconnectReason.Code?] {
            let simulation = try Self.simulation(showsEvidence: true)
            script(simulation)
            simulation.run(for: .seconds(30))
            return simulation.timeline.closes(of: .server).map(\.close?.reason.code)
        }
        #expect(try code { $0.schedule(.freeze(for: nil), by: .client, at: .seconds(10)) } == [.peerFrozen])
        #expect(try code { $0.interrupt(at: .seconds(10), for: nil) } == [.pathLost])
        let notReading = try code {
            $0.schedule(.freeze(for: nil), by: .client, at: .seconds(10))
            $0.schedule(.send(bytes: 200_000), by: .server, at: .seconds(10))
        }
        #expect(notReading == [.peerNotReading])
    }

    @Test("a jitter is within its limits and of its shape", arguments: JitterShape.allCases)
    func jitter(shape: JitterShape) {
        var conditions = LinkConditions(latency: .milliseconds(10), jitter: .milliseconds(100))
        conditions.jitterShape = shape
        var link = SimulatedLink<Int>(conditions, seed: 1)
        var delays: [Duration] = []
        for item in 0..<300 {
            let sentAt = link.now
            link.send(item, bytes: 10, from: .client)
            while let next = link.nextEvent, link.counters(to: .server).delivered <= item { link.advance(to: next) }
            delays.append(sentAt.duration(to: link.now))
            link.advance(to: link.now.advanced(by: .seconds(1)))
            _ = link.receive(at: .server)
        }
        #expect(delays.allSatisfy { $0 >= .milliseconds(10) && $0 <= .milliseconds(110) })
        let short = delays.filter { $0 < .milliseconds(35) }.count
        switch shape {
        case .even: #expect((45...105).contains(short))
        case .skewed: #expect((150...230).contains(short))
        case .spikes: #expect((270...299).contains(short))
        }
    }

    @Test("a scenario is what its seed says, and shrinks only while it complains")
    func scenarios() {
        #expect(Scenario(seed: 7) == Scenario(seed: 7))
        #expect(Scenario(seed: 7) != Scenario(seed: 8))
        let scenario = Scenario(seed: 7)
        #expect(scenario.run().timeline == scenario.run().timeline)
        #expect(scenario.shrunk() == scenario)
        var wrong = scenario
        wrong.server.policy.detectWithin = .zero
        #expect(wrong.run().complaints.count == 1)
        #expect(wrong.shrunk().steps.isEmpty)
        #expect(scenario.description.hasPrefix("seed 7, "))
    }
}
