//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import BelayTesting

/// Lies are put into simulations, which the oracle must not believe.
@Suite("the oracle notices") struct OracleTests {
    private static let policy = LivenessPolicy(detectWithin: .seconds(3))

    private static func simulation(
        _ policy: LivenessPolicy = Self.policy,
        showsEvidence: Bool = false,
        over conditions: LinkConditions = LinkConditions()
    ) throws -> Simulation {
        var server = SimulatedPeer.Configuration(policy)
        server.showsEvidence = showsEvidence
        return try Simulation(
            server: server,
            client: .answering(),
            toServer: conditions,
            toClient: conditions,
            seed: 1,
            observesTruth: true
        )
    }

    @Test("nothing where nothing is wrong", arguments: [false, true])
    func truth(showsEvidence: Bool) throws {
        let simulation = try Self.simulation(showsEvidence: showsEvidence)
        simulation.schedule(.freeze(for: nil), by: .client, at: .seconds(10))
        simulation.run(for: .seconds(20))
        #expect(simulation.finalComplaints().isEmpty, "\(simulation.finalComplaints())")
        #expect(simulation.timeline.closes(of: .server).count == 1)
    }

    /// The kernel of a program that stopped acknowledges each ping, which is no reason to wait for it.
    @Test("a bound that is missed, whatever the kernel acknowledges", arguments: [false, true])
    func missedBound(showsEvidence: Bool) throws {
        let simulation = try Self.simulation(showsEvidence: showsEvidence)
        // A machine that judges by ten times the bound, and pings as it should.
        let patient = LivenessPolicy(interval: .seconds(1), detectWithin: .seconds(30))
        simulation.server.machine = ConnectionMachine(timings: try patient.timings(), outboundLimit: 1 << 20)
        simulation.server.machine.opened(at: simulation.server.observe(), using: &simulation.server.loop.generator)
        simulation.schedule(.freeze(for: nil), by: .client, at: .seconds(10))
        simulation.run(for: .seconds(30))
        #expect(simulation.finalComplaints().contains { $0.contains("missed the bound") })
    }

    @Test(
        "an end that has no cause",
        arguments: [
            (.decided(.localClosed, detail: nil), "nobody asked for it"),
            (.decided(.localShutdown, detail: nil), "nobody asked for it"),
            (.idleLimitPassed, "there is no limit"),
            (.pingFlood, "never pinged too often"),
            (.readPauseLimitPassed(.seconds(1)), "without a pause"),
            (.endOfStream, "without a FIN"),
            (.goodbye(code: nil, retryAfter: nil), "nobody said it"),
            (.failed(.connectionReset), "nobody reset"),
            (.failed(.hostUnreachable), "for which there is no cause"),
            (.silence(.noEvidence), "of silence"),
            (.noWriteProgress(.noEvidence, unsentBytes: 1), "nothing waits"),
            (.handshakeDeadlinePassed, "the peer was heard"),
            (.protocolViolation("no violation"), "for which there is no cause"),
        ] as [(DisconnectCause, String)]
    )
    func noCause(cause: DisconnectCause, complaint: String) throws {
        let simulation = try Self.simulation()
        simulation.run(for: .seconds(10))
        Self.end(simulation.server, cause)
        #expect(simulation.finalComplaints().contains { $0.contains(complaint) }, "\(simulation.finalComplaints())")
    }

    @Test("an idle limit that is not waited for, or passed")
    func idle() throws {
        var policy = Self.policy
        policy.idleLimit = .seconds(20)
        let early = try Self.simulation(policy)
        early.run(for: .seconds(10))
        Self.end(early.server, .idleLimitPassed)
        #expect(early.finalComplaints().contains { $0.contains("after a message") })

        let kept = try Self.simulation(policy)
        kept.run(for: .seconds(30))
        #expect(kept.finalComplaints().isEmpty)
        #expect(kept.timeline.closes(of: .server).map(\.close?.reason.code) == [.idle])
    }

    /// A machine without the limit, which its policy has.
    @Test("an idle limit that nobody keeps to")
    func idleForEver() throws {
        var policy = Self.policy
        policy.idleLimit = .seconds(20)
        let simulation = try Self.simulation(policy)
        simulation.server.machine = ConnectionMachine(timings: try Self.policy.timings(), outboundLimit: 1 << 20)
        simulation.server.machine.opened(at: simulation.server.observe(), using: &simulation.server.loop.generator)
        simulation.run(for: .seconds(30))
        #expect(simulation.finalComplaints().contains { $0.contains("missed the idle limit") })
    }

    @Test("an end that nobody tells")
    func untold() throws {
        let simulation = try Self.simulation()
        simulation.run(for: .seconds(10))
        simulation.server.leave()
        #expect(simulation.finalComplaints().contains { $0.contains("told 0 ends") })
    }

    @Test("a silence or a phase that was another one")
    func told() throws {
        for lie in 0..<3 {
            let simulation = try Self.simulation()
            simulation.schedule(.freeze(for: .seconds(2)), by: .client, at: .seconds(10))
            simulation.run(for: .seconds(11))
            let now = simulation.server.observe()
            simulation.surroundings.oracle?.performs(.close, simulation.server)
            guard var close = simulation.server.machine.closeRequested(at: now) else { return }
            if lie == 1 { close.silence += .milliseconds(1) }
            if lie == 2 { close.reason.phase = .handshake }
            simulation.server.perform(close)
            let complaints = simulation.finalComplaints()
            let expected = ["", "of silence, it was", "of the phase handshake"][lie]
            #expect(lie == 0 ? complaints.isEmpty : complaints.contains { $0.contains(expected) }, "\(complaints)")
        }
    }

    @Test("other times than were agreed")
    func otherTimes() throws {
        let simulation = try Self.simulation()
        simulation.run(for: .seconds(10))
        simulation.server.machine.intervalAgreed(.milliseconds(1_500))
        simulation.server.timingsChanged()
        #expect(simulation.finalComplaints().contains { $0.contains("its bound is") })
    }

    /// The window closes at once and nothing of the queue ever moves.
    @Test("a queue that is given up too early, or for a reason that is not true")
    func standstill() throws {
        var conditions = LinkConditions()
        conditions.sendBufferBytes = 8_192
        conditions.receiveBufferBytes = 8_192
        for (diagnosis, complaint) in [(Diagnosis.noEvidence, "began to wait"), (.unacknowledged, "of a standstill")] {
            let simulation = try Self.simulation(over: conditions)
            simulation.schedule(.freeze(for: nil), by: .client, at: .seconds(10))
            simulation.schedule(.send(bytes: 40_960), by: .server, at: .seconds(10))
            simulation.run(for: .seconds(11))
            Self.end(simulation.server, .noWriteProgress(diagnosis, unsentBytes: 1))
            let complaints = simulation.finalComplaints()
            #expect(complaints.contains { $0.contains(complaint) }, "\(complaints)")
        }
    }

    private static func end(_ peer: SimulatedPeer, _ cause: DisconnectCause) {
        let now = peer.observe()
        if let close = peer.machine.end(cause, at: now) { peer.perform(close) }
    }
}
