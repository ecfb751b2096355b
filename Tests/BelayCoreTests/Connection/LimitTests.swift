//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("limits that are not about silence")
struct LimitTests {
    private static let policy = LivenessPolicy(detectWithin: .milliseconds(300))

    @Test("heartbeats alone keep a connection until the idle limit, to the instant")
    func idle() throws {
        var policy = Self.policy
        policy.idleLimit = .seconds(5)
        var connection = try ConnectionMachineFixture(policy)
        connection.answersAfter = .milliseconds(1)
        connection.advance(by: .seconds(3))
        connection.receivesMessage()
        for _ in 0..<100 {
            connection.advance(by: .milliseconds(100))
            connection.receivesPing()
        }
        connection.expectClosed(.idle, in: .seconds(8) ... .seconds(8))
        #expect(connection.end?.close.manner == .farewell(sayGoodbye: true))
    }

    @Test("without an idle limit heartbeats keep a connection for ever")
    func noIdleLimit() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.answersAfter = .milliseconds(1)
        connection.advance(by: .seconds(3_600))
        connection.expectOpen()
    }

    @Test("a message that stays unfinished breaks the protocol, though its bytes prove life one by one")
    func slowLoris() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: .seconds(3)))
        connection.receivesMessage(unfinished: 1)
        for _ in 0..<100 {
            connection.advance(by: .seconds(1))
            connection.receivesPartOfMessage()
        }
        connection.expectClosed(.protocolViolation, in: .seconds(60) ... .seconds(60))
        #expect(connection.end?.close.reason.evidence.detail?.contains("1m") == true)
    }

    @Test("the deadline of a message begins with its first byte, and a finished one has none")
    func messageDeadline() throws {
        var policy = Self.policy
        policy.messageWithin = .seconds(1)
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage()
        for _ in 0..<10 {
            for _ in 0..<9 {
                connection.receivesPartOfMessage()
                connection.advance(by: .milliseconds(110))
            }
            connection.receivesMessage()
            connection.advance(by: .milliseconds(110))
        }
        connection.expectOpen()
        let begun = connection.elapsed
        for _ in 0..<20 {
            connection.receivesPartOfMessage()
            connection.advance(by: .milliseconds(110))
        }
        connection.expectClosed(.protocolViolation, in: begun + .seconds(1)...begun + .seconds(1))
    }

    @Test("a stream of messages is not unfinished because each read ends within one")
    func readsEndWithinMessages() throws {
        var policy = Self.policy
        policy.messageWithin = .seconds(1)
        var connection = try ConnectionMachineFixture(policy)
        for _ in 0..<300 {
            connection.receivesMessage(unfinished: 7)
            connection.advance(by: .milliseconds(10))
        }
        connection.expectOpen()
    }

    @Test("messages and bytes are counted, in both directions")
    func figures() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.receivesMessage()
        connection.receivesPong()
        connection.writes(500)
        let figures = connection.machine.figures
        #expect(figures.messagesIn == 2)
        #expect(figures.bytesIn == 28)
        #expect(figures.bytesOut == 500)
        #expect(figures.pongsReceived == 1)
        #expect(figures.pingsSent == 0)
        #expect(figures.roundTrip == nil)
    }
}
