//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

/// Promises 1 and 4: a dead peer is reported once, within the bound and not much before it.
@Suite("dead peers are reported") struct DeadPeerTests {
    enum Death: CaseIterable {
        /// The process hangs; its kernel answers.
        case frozen
        /// The host or the path is gone.
        case cutOff
    }

    @Test("once, within the bound, and not before 0.9 of it", arguments: PromiseCase.all, Death.allCases)
    func withinTheBound(promise: PromiseCase, death: Death) throws {
        for seed in PromiseRun.seeds {
            var run = PromiseRun(promise, seed: seed)
            // That a kernel acknowledges what its program does not answer, or that nobody does, puts nothing off.
            run.showsEvidence = seed.isMultiple(of: 2)
            let simulation = try run.simulation()
            let time = run.bounds(0...4)
            switch death {
            case .frozen: simulation.schedule(.freeze(for: nil), by: .client, at: time)
            case .cutOff: simulation.interrupt(at: time, for: nil)
            }
            simulation.run(for: time + promise.bound * 3)
            let context = { run.context(simulation) }
            let close = try Self.onlyClose(of: .server, in: simulation, context())
            let silence = try #require(close.close?.silence)
            let sinceLastSign = try #require(close.sinceLastSignOfLife)
            try #require(silence <= promise.bound && sinceLastSign <= promise.bound, "\(context())")
            try #require(silence >= promise.bound * 0.9, "\(context())")
            try #require(sinceLastSign >= promise.bound * 0.9 - run.direction.staleness(promise), "\(context())")
            try #require(Self.codes(of: death, run).contains(close.close?.reason.code), "\(context())")
        }
    }

    private static func codes(of death: Death, _ run: PromiseRun) -> [DisconnectReason.Code?] {
        guard run.showsEvidence else { return [.peerSilent, .handshakeTimeout] }
        // Who asks nothing learns little.
        let asks = ![.clientPings, .clientTalks].contains(run.direction)
        switch death {
        case .frozen: return asks ? [.peerFrozen, .handshakeTimeout] : [.peerSilent, .handshakeTimeout]
        // Short bounds are over before anything is sent again.
        case .cutOff where run.promise.bound < .seconds(1):
            return [.pathLost, .peerSilent, .peerFrozen, .handshakeTimeout]
        case .cutOff: return [.pathLost, .peerSilent, .handshakeTimeout]
        }
    }

    @Test("by both ends, when the path between them is gone", arguments: PromiseCase.all)
    func bothEnds(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds.prefix(50) {
            var run = PromiseRun(promise, seed: seed)
            let simulation = try Simulation(
                server: .init(promise.policy),
                client: .init(promise.policy),
                over: run.link,
                seed: seed
            )
            let time = run.bounds(1...4)
            simulation.interrupt(at: time, for: nil)
            simulation.run(for: time + promise.bound * 3)
            for end in LinkEnd.allCases {
                let close = try Self.onlyClose(of: end, in: simulation, run.context(simulation))
                try #require(close.close?.reason.code == .peerSilent, "\(run.context(simulation))")
            }
        }
    }

    @Test("when only one direction is gone: one end judges, the other learns or judges too", arguments: PromiseCase.all)
    func oneDirection(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds {
            var run = PromiseRun(promise, seed: seed)
            let simulation = try Simulation(
                server: .init(promise.policy),
                client: .init(promise.policy),
                over: run.link,
                seed: seed
            )
            let deaf: LinkEnd = Bool.random(using: &run.random) ? .server : .client
            let time = run.bounds(1...4)
            simulation.interrupt(to: deaf, at: time, for: nil)
            simulation.run(for: time + promise.bound * 3)
            let context = { run.context(simulation) }
            let verdict = try Self.onlyClose(of: deaf, in: simulation, context())
            try #require(verdict.close?.reason.code == .peerSilent, "\(context())")
            let other = try Self.onlyClose(of: deaf.other, in: simulation, context())
            try #require([.peerSilent, .peerReset].contains(other.close?.reason.code), "\(context())")
        }
    }

    @Test("after a stall of our own, within one bound of the continuation", arguments: PromiseCase.all)
    func afterOwnStall(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds {
            var run = PromiseRun(promise, seed: seed)
            let simulation = try run.simulation(patience: 8)
            let stallsAt = run.bounds(0.1...3)
            let continues = stallsAt + run.bounds(0.1...2.5)
            simulation.schedule(.freeze(for: continues - stallsAt), by: .server, at: stallsAt)
            let dies = stallsAt + (continues - stallsAt) * Double.random(in: 0...1, using: &run.random)
            simulation.schedule(.freeze(for: nil), by: .client, at: dies)
            simulation.run(for: continues + promise.bound * 3)
            let context = { run.context(simulation) }
            let close = try Self.onlyClose(of: .server, in: simulation, context())
            // What the client sent last may still be on its way when the server continues.
            try #require(close.at <= max(continues, dies + promise.roundTrip / 2) + promise.bound, "\(context())")
            // The stall is nobody's silence: it is not reported as such either. What comes on top of the bound is the
            // time to answer the ping that was promised after it.
            let silence = try #require(close.close?.silence)
            try #require(silence <= promise.bound + promise.timings.replyWithin, "\(context())")
        }
    }

    @Test("long after a stall or a pause of our own as if there had been none", arguments: PromiseCase.all)
    func longAfterOwnStall(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds {
            var run = PromiseRun(promise, seed: seed)
            let simulation = try run.simulation(patience: 8)
            let length = run.bounds(0.1...2.5)
            let action: SimulatedAction =
                Bool.random(using: &run.random) ? .freeze(for: length) : .pauseReading(for: length)
            simulation.schedule(action, by: .server, at: promise.bound)
            let dies = promise.bound + length + run.bounds(1...3)
            simulation.schedule(.freeze(for: nil), by: .client, at: dies)
            simulation.run(for: dies + promise.bound * 3)
            let context = { run.context(simulation) }
            let close = try Self.onlyClose(of: .server, in: simulation, context())
            let sinceLastSign = try #require(close.sinceLastSignOfLife)
            try #require(sinceLastSign <= promise.bound, "\(context())")
        }
    }

    @Test("after a pause of our own, within one bound of its end", arguments: PromiseCase.all)
    func afterOwnPause(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds {
            var run = PromiseRun(promise, seed: seed)
            let simulation = try run.simulation(patience: 8)
            let pauses = run.bounds(0.5...2)
            let resumes = pauses + run.bounds(0.1...4)
            simulation.schedule(.pauseReading(for: resumes - pauses), by: .server, at: pauses)
            let dies = pauses + (resumes - pauses) * Double.random(in: 0...1, using: &run.random)
            simulation.schedule(.freeze(for: nil), by: .client, at: dies)
            simulation.run(for: resumes + promise.bound * 3)
            let context = { run.context(simulation) }
            let close = try Self.onlyClose(of: .server, in: simulation, context())
            try #require(close.at > resumes, "\(context())")
            try #require(close.at <= max(resumes, dies + promise.roundTrip / 2) + promise.bound, "\(context())")
            let silence = try #require(close.close?.silence)
            try #require(silence <= promise.bound + promise.timings.replyWithin, "\(context())")
        }
    }

    /// Rule R15: an answer proves life when its ping was sent, not when the answer arrived after an outage.
    @Test("answers that an outage held up do not extend the bound", arguments: PromiseCase.all)
    func staleAnswers(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds {
            var run = PromiseRun(promise, seed: seed)
            let simulation = try Simulation(
                server: .init(promise.policy),
                client: .answering(),
                over: run.link,
                seed: seed
            )
            let time = run.bounds(1...3)
            let dies = time + run.bounds(0...0.3)
            simulation.interrupt(to: .server, at: time, for: run.bounds(0.2...0.5))
            simulation.schedule(.freeze(for: nil), by: .client, at: dies)
            simulation.run(for: dies + promise.bound * 3)
            let context = { run.context(simulation) }
            let close = try Self.onlyClose(of: .server, in: simulation, context())
            try #require(close.at <= dies + promise.bound, "\(context())")
        }
    }

    @Test("while bytes wait for them, within the write deadline of the last that moved", arguments: PromiseCase.all)
    func withBacklog(promise: PromiseCase) throws {
        let patience = max(promise.bound, promise.timings.writeWithin)
        for seed in PromiseRun.seeds.prefix(100) {
            var run = PromiseRun(promise, seed: seed)
            run.link.sendBufferBytes = 16_384
            run.link.receiveBufferBytes = 32_768
            let simulation = try run.simulation()
            let bytesPerSecond = Int(49_152 / (run.bounds(0.1...0.5) / .seconds(1)))
            simulation.schedule(.readSlowly(bytesPerSecond: bytesPerSecond), by: .client, at: .zero)
            simulation.schedule(.send(bytes: 160_000), by: .server, at: promise.bound)
            let dies = promise.bound + run.bounds(0...1.5)
            if Bool.random(using: &run.random) {
                simulation.schedule(.freeze(for: nil), by: .client, at: dies)
            } else {
                simulation.interrupt(at: dies, for: nil)
            }
            simulation.run(for: dies + patience + promise.bound * 3)
            let context = { run.context(simulation) }
            let close = try Self.onlyClose(of: .server, in: simulation, context())
            let sinceLastSign = try #require(close.sinceLastSignOfLife)
            try #require(sinceLastSign <= patience, "\(context())")
            try #require([.peerSilent, .peerNotReading].contains(close.close?.reason.code), "\(context())")
        }
    }

    @Test("after a backlog has drained, within the bound, whatever the write deadline is", arguments: PromiseCase.all)
    func afterBacklog(promise: PromiseCase) throws {
        for seed in PromiseRun.seeds.prefix(100) {
            var run = PromiseRun(promise, seed: seed)
            // A client that pings only while it hears nothing begins a whole interval after the last message.
            if run.direction == .clientPings { continue }
            run.link.sendBufferBytes = 16_384
            run.link.receiveBufferBytes = 32_768
            let simulation = try run.simulation()
            // Reading it all takes 1.2 to 2 bounds: a judgement comes due meanwhile.
            let drained = run.bounds(1.2...2)
            let bytesPerSecond = Int(160_000 / (drained / .seconds(1)))
            simulation.schedule(.readSlowly(bytesPerSecond: bytesPerSecond), by: .client, at: .zero)
            simulation.schedule(.send(bytes: 160_000), by: .server, at: promise.bound)
            let dies = promise.bound + drained + run.bounds(0.05...1)
            simulation.schedule(.freeze(for: nil), by: .client, at: dies)
            simulation.run(for: dies + promise.bound * 4)
            let context = { run.context(simulation) }
            let close = try Self.onlyClose(of: .server, in: simulation, context())
            try #require(close.at > dies, "\(context())")
            let sinceLastSign = try #require(close.sinceLastSignOfLife)
            try #require(sinceLastSign <= promise.bound, "\(context())")
        }
    }

    private static func onlyClose(
        of end: LinkEnd,
        in simulation: Simulation,
        _ context: @autoclosure () -> String
    ) throws -> Timeline.Entry {
        let closes = simulation.timeline.closes(of: end)
        try #require(closes.count == 1 && !simulation.hasSpun, "\(end): \(context())")
        return closes[0]
    }
}
