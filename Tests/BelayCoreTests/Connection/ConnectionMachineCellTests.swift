//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

/// Every state of the machine against every event: neither list can grow without this file failing to compile.
@Suite("every event in every state")
struct ConnectionMachineCellTests {
    enum Stage: CaseIterable {
        case handshake, beforeHello, active, suspected, paused, halfClosed, backlogged, farewell, closed

        var isOver: Bool {
            switch self {
            case .handshake, .beforeHello, .active, .suspected, .paused, .halfClosed, .backlogged: false
            case .farewell, .closed: true
            }
        }
    }

    enum Event: CaseIterable {
        case tick, lateTick, look, lookAtUnread, lookAtError, bytes, heard, ping, pong, pongWithToken, message, hello
        case welcome, partOfMessage, readEnd, pause, resume, sent, outboundEmpty, outboundFull, fin, error, goodbye
        case closeRequest, drainRequest, transportEnd, stall, ownFIN
    }

    enum Outcome: Equatable {
        case nothing, pings, looks, observes, aborts, answers, delivers, discards, welcomes, recovers, keepsWriting
        case releases
        case closes(DisconnectReason.Code)
    }

    @Test("every cell has the outcome of its row, and what is over stays over", arguments: Stage.allCases)
    func cells(stage: Stage) throws {
        for event in Event.allCases {
            var connection = try Self.connection(in: stage)
            let outcome = Self.apply(event, to: &connection)
            let cell: Comment = "\(event) in \(stage)"
            #expect(outcome == Self.expected(event, in: stage), cell)
            if case .closes = outcome { #expect(stage.isOver == false, cell) }
            var isOver = stage.isOver
            if case .closes = outcome { isOver = true }
            #expect(connection.machine.isOver == isOver, cell)
            #expect((connection.machine.phase == .draining) == isOver, cell)
            if connection.machine.isClosed { #expect(connection.machine.nextDeadline == nil, cell) }
            let silence = connection.machine.silence(at: connection.now)
            #expect(silence >= .zero, cell)
        }
    }

    private static func connection(in stage: Stage) throws -> ConnectionMachineFixture {
        var policy = LivenessPolicy(detectWithin: .milliseconds(300))
        policy.requiresHello = stage == .beforeHello
        policy.allowHalfClosure = stage == .halfClosed
        var connection = try ConnectionMachineFixture(policy, outboundLimit: 10_000)
        guard stage != .handshake, stage != .beforeHello else { return connection }
        connection.receivesMessage()
        switch stage {
        case .handshake, .beforeHello, .active: break
        case .suspected: connection.advance(by: .milliseconds(250))
        case .paused: connection.pausesReading()
        case .halfClosed: connection.receivesFIN()
        case .backlogged:
            connection.kernelTakes(bytesPerMillisecond: 0)
            connection.writes(1_000)
        case .farewell: connection.ends(.decided(.localClosed, detail: nil))
        case .closed: connection.ends(.failed(.connectionReset))
        }
        return connection
    }

    // MARK: - The table

    private static func expected(_ event: Event, in stage: Stage) -> Outcome {
        switch (event, stage) {
        // What is over reports nothing more; only the transport is left to be released.
        case (.fin, .farewell): .releases
        case (.lateTick, .farewell): .aborts
        case (.message, .farewell), (.message, .closed): .discards
        case (_, .farewell), (_, .closed): .nothing

        case (.tick, _): .nothing
        case (.lateTick, .paused): .closes(.localFailed)
        // Whom we have not asked is asked before anything is said about it.
        case (.lateTick, .halfClosed), (.lateTick, .handshake), (.lateTick, .active): .pings
        case (.lateTick, .backlogged): .observes
        case (.lateTick, .beforeHello), (.lateTick, .suspected): .looks

        // In none of these stages is a judgement due, whatever a shell that looks in its own time finds.
        case (.look, _): .nothing
        case (.lookAtUnread, _): .nothing
        case (.lookAtError, _): .closes(.peerReset)

        case (.ping, _): .answers
        case (.message, .beforeHello): .closes(.protocolViolation)
        case (.message, _): .delivers
        case (.hello, _): .welcomes
        // Whatever was received ends a suspicion once the batch has been handled.
        case (.readEnd, .suspected), (.partOfMessage, .suspected): .recovers
        case (.bytes, _), (.heard, _), (.pong, _), (.pongWithToken, _), (.welcome, _), (.readEnd, _),
            (.partOfMessage, _):
            .nothing

        case (.outboundFull, _): .closes(.slowConsumer)
        case (.pause, _), (.resume, _), (.sent, _), (.outboundEmpty, _), (.stall, _), (.ownFIN, _): .nothing

        case (.fin, .halfClosed): .keepsWriting
        case (.fin, _): .closes(.peerClosed)
        case (.error, _): .closes(.pathTimedOut)
        case (.goodbye, _): .closes(.peerGoodbye)
        case (.closeRequest, _): .closes(.localClosed)
        case (.drainRequest, _): .closes(.localShutdown)
        case (.transportEnd, _): .closes(.peerClosed)
        }
    }

    // MARK: - The events

    private static func apply(_ event: Event, to connection: inout ConnectionMachineFixture) -> Outcome {
        let now = connection.now
        switch event {
        case .tick: return Self.tick(&connection, at: now)
        case .lateTick: return Self.tick(&connection, at: now.advanced(by: .seconds(3_600)))
        case .look: return Self.look(&connection, .empty)
        case .lookAtUnread: return Self.look(&connection, .unread)
        case .lookAtError: return Self.look(&connection, .failed(.connectionReset))
        case .bytes: connection.machine.bytesReceived(10)
        case .heard: connection.machine.heard(at: now)
        case .ping: return Self.ping(&connection)
        case .pong: connection.machine.pongReceived(token: nil, at: now)
        case .pongWithToken: connection.machine.pongReceived(token: 0, at: now)
        case .message: return Self.message(&connection)
        case .hello: return Self.hello(&connection)
        case .welcome: connection.machine.welcomeReceived(every: .seconds(1), within: .seconds(3), at: now)
        case .partOfMessage: return Self.readEnd(&connection, unfinished: 5)
        case .readEnd:
            connection.machine.heard(at: now)
            return Self.readEnd(&connection, unfinished: 0)
        case .pause: connection.machine.readsPaused(at: now)
        case .resume: connection.machine.readsResumed(at: now)
        case .sent: connection.machine.bytesSent(10)
        case .outboundEmpty: return Self.outbound(connection.machine.outboundObserved(queuedBytes: 0, at: now))
        case .outboundFull: return Self.outbound(connection.machine.outboundObserved(queuedBytes: 10_001, at: now))
        case .fin: return Self.fin(connection.machine.peerClosed(at: now))
        case .error: return Self.close(connection.machine.end(.failed(.timedOut), at: now))
        case .goodbye: return Self.close(connection.machine.end(.goodbye(code: nil, retryAfter: nil), at: now))
        case .closeRequest: return Self.close(connection.machine.closeRequested(at: now))
        case .drainRequest: return Self.close(connection.machine.drainRequested(at: now))
        case .transportEnd: return Self.close(connection.machine.transportClosed(at: now))
        case .stall: connection.machine.stallNoticed(at: now)
        case .ownFIN: connection.machine.outputClosed()
        }
        return .nothing
    }

    private static func close(_ close: ConnectionMachine.Close?) -> Outcome {
        close.map { .closes($0.reason.code) } ?? .nothing
    }

    private static func tick(_ connection: inout ConnectionMachineFixture, at now: Instant) -> Outcome {
        switch connection.machine.tick(at: now, using: &connection.generator) {
        case .doNothing: .nothing
        case .sendPing: .pings
        case .look: .looks
        case .observeOutbound: .observes
        case .close(let close): .closes(close.reason.code)
        case .abort: .aborts
        }
    }

    private static func look(
        _ connection: inout ConnectionMachineFixture,
        _ queue: ConnectionMachine.ReceiveQueue
    ) -> Outcome {
        let action = connection.machine.looked(
            at: connection.now,
            for: .death,
            .init(receiveQueue: queue, queuedBytes: connection.machine.hasBacklog ? 1_000 : 0),
            using: &connection.generator
        )
        return switch action {
        case .doNothing: .nothing
        case .suspect, .ask: .pings
        case .close(let close): .closes(close.reason.code)
        }
    }

    private static func ping(_ connection: inout ConnectionMachineFixture) -> Outcome {
        switch connection.machine.pingReceived(at: connection.now) {
        case .answer: .answers
        case .doNothing: .nothing
        case .close(let close): .closes(close.reason.code)
        }
    }

    private static func message(_ connection: inout ConnectionMachineFixture) -> Outcome {
        switch connection.machine.messageReceived(at: connection.now) {
        case .deliver: .delivers
        case .discard: .discards
        case .close(let close): .closes(close.reason.code)
        }
    }

    private static func hello(_ connection: inout ConnectionMachineFixture) -> Outcome {
        switch connection.machine.helloReceived(every: nil, within: nil, at: connection.now) {
        case .welcome: .welcomes
        case .doNothing: .nothing
        case .close(let close): .closes(close.reason.code)
        }
    }

    private static func readEnd(_ connection: inout ConnectionMachineFixture, unfinished: Int) -> Outcome {
        switch connection.machine.readEnded(unfinishedBytes: unfinished, at: connection.now) {
        case .doNothing, .caughtUp: .nothing
        case .recovered: .recovers
        }
    }

    private static func outbound(_ action: ConnectionMachine.OutboundAction) -> Outcome {
        switch action {
        case .doNothing: .nothing
        case .look: .looks
        case .close(let close): .closes(close.reason.code)
        }
    }

    private static func fin(_ action: ConnectionMachine.PeerClosedAction) -> Outcome {
        switch action {
        case .close(let close): .closes(close.reason.code)
        case .keepWriting: .keepsWriting
        case .release: .releases
        case .doNothing: .nothing
        }
    }
}
