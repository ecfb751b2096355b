//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R10: the handshake and its deadline")
struct HandshakeTests {
    private static let bound = Duration.milliseconds(300)
    private static var helloRequired: LivenessPolicy {
        var policy = LivenessPolicy(detectWithin: bound)
        policy.requiresHello = true
        return policy
    }

    @Test(
        "R10: a connection that never sends its first byte is ended at the handshake deadline, and not before",
        arguments: [20, 50, 100, 300, 1_000, 5_000, 30_000]
    )
    func noFirstByte(milliseconds: Int) throws {
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        let deadline = Duration.milliseconds(milliseconds)
        policy.handshakeWithin = deadline
        var connection = try ConnectionMachineFixture(policy)
        connection.advance(by: .seconds(60))
        connection.expectClosed(.handshakeTimeout, in: deadline * 9 / 10...deadline)
        let end = try connection.requireEnd()
        #expect(end.close.reason.phase == .handshake)
        #expect(end.close.reason.initiator == .local)
    }

    @Test("R10: without a deadline of its own the handshake may take the bound, with a required hello at most 10 s")
    func defaults() throws {
        for (bound, requiresHello, expected) in [(300, false, 300), (300, true, 300), (30_000, true, 10_000)] {
            var policy = LivenessPolicy(detectWithin: .milliseconds(bound))
            policy.requiresHello = requiresHello
            var connection = try ConnectionMachineFixture(policy)
            connection.advance(by: .seconds(60))
            let range = ConnectionMachineFixture.punctual(.milliseconds(expected))
            connection.expectClosed(.handshakeTimeout, in: range.lowerBound - .milliseconds(5)...range.upperBound)
        }
    }

    @Test("R10: where a hello is required, nothing else ends the handshake")
    func onlyHello() throws {
        var connection = try ConnectionMachineFixture(Self.helloRequired)
        for _ in 0..<29 {
            connection.advance(by: .milliseconds(10))
            connection.receivesPartOfMessage()
            connection.receivesPing()
            connection.receivesPong()
            connection.receivesPong(token: 1)
        }
        #expect(connection.machine.phase == .handshake)
        connection.advance(by: .milliseconds(10))
        connection.expectClosed(.handshakeTimeout)
    }

    @Test("R10: the beginning of a message does not end the handshake either")
    func slowFirstMessage() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: Self.bound))
        for _ in 0..<100 {
            connection.advance(by: .milliseconds(10))
            connection.receivesPartOfMessage()
        }
        connection.expectClosed(.handshakeTimeout, in: ConnectionMachineFixture.punctual(Self.bound))
    }

    @Test("R10: unread bytes that end no handshake do not put its end off once they are read")
    func lookAfterUnreadBytes() throws {
        for policy in [Self.helloRequired, LivenessPolicy(detectWithin: Self.bound)] {
            var connection = try ConnectionMachineFixture(policy)
            connection.receiveQueue = .unread
            connection.advance(by: .milliseconds(299))
            connection.expectOpen()
            connection.receiveQueue = .empty
            connection.receivesPartOfMessage()
            connection.advance(by: .zero)
            connection.expectClosed(.handshakeTimeout)
        }
    }

    @Test("R10: a peer that acknowledges late, and says no hello, is ended all the same")
    func lateAcknowledgements() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        policy.requiresHello = true
        var connection = try ConnectionMachineFixture(policy)
        connection.tcp = { elapsed in
            // Each look finds the ping of before acknowledged, and the last one repeated and still on its way.
            let milliseconds = UInt32(elapsed / .milliseconds(1))
            var tcp = TCPEvidence(state: .established)
            (tcp.unacked, tcp.retransmits, tcp.totalRetransmits) = (1, 1, milliseconds)
            (tcp.lastDataSent, tcp.lastAckReceived, tcp.lastDataReceived) = (100, 50, milliseconds)
            (tcp.roundTrip, tcp.retransmissionTimeout) = (1_000, 200_000)
            (tcp.sendWindow, tcp.notSentBytes, tcp.bytesAcked) = (65_536, 0, UInt64(milliseconds) / 1_000)
            return tcp
        }
        connection.advance(by: .seconds(60))
        connection.expectClosed(.handshakeTimeout, in: .milliseconds(9_950) ... .seconds(10))
    }

    @Test("R10: after the hello the handshake deadline is gone")
    func helloEndsHandshake() throws {
        var connection = try ConnectionMachineFixture(Self.helloRequired)
        connection.answersAfter = .milliseconds(1)
        connection.advance(by: .milliseconds(200))
        #expect(connection.machine.phase == .handshake)
        let action = connection.receivesHello()
        #expect(action == .welcome(every: .milliseconds(100), within: Self.bound))
        #expect(connection.machine.phase == .active)
        connection.advance(by: .seconds(10))
        connection.expectOpen()
    }

    @Test("R10: unread bytes are read before the handshake is called late")
    func unreadHello() throws {
        var connection = try ConnectionMachineFixture(Self.helloRequired)
        connection.receiveQueue = .unread
        connection.advance(by: .milliseconds(305))
        connection.expectOpen()
        connection.receivesHello()
        connection.receiveQueue = .empty
        connection.advance(by: .milliseconds(100))
        connection.expectOpen()
    }

    @Test("R10: a moving queue of ours does not replace the hello")
    func movingQueueWithoutHello() throws {
        var connection = try ConnectionMachineFixture(Self.helloRequired)
        connection.kernelTakes(bytesPerMillisecond: 10)
        connection.writes(100_000)
        connection.advance(by: .seconds(9))
        connection.expectClosed(.handshakeTimeout, in: ConnectionMachineFixture.punctual(Self.bound))
    }

    @Test("a message before the hello that is required breaks the protocol")
    func messageBeforeHello() throws {
        var connection = try ConnectionMachineFixture(Self.helloRequired)
        connection.receivesMessage()
        connection.expectClosed(.protocolViolation)
        let end = try connection.requireEnd()
        #expect(end.close.reason.phase == .handshake)
        #expect(end.close.reason.mayReconnect == false)
        #expect(end.close.manner == .farewell(sayGoodbye: true))
        #expect(connection.machine.figures.messagesIn == 0)
    }

    @Test("a second hello that asks for other times is granted them, as often as a peer may ping")
    func secondHelloNegotiates() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        policy.minimumPeerInterval = .seconds(1)
        policy.pingStrikes = 1
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesHello(every: .seconds(2), within: .seconds(10))
        connection.receivesMessage()
        let action = connection.receivesHello(every: .seconds(5), within: .seconds(20))
        #expect(action == .welcome(every: .seconds(5), within: .seconds(20)))
        for _ in 0..<200 where connection.end == nil { connection.receivesHello(every: .seconds(5)) }
        connection.expectClosed(.pingFlood)
    }

    @Test("a second hello that asks for nothing breaks the protocol")
    func secondHello() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: Self.bound))
        connection.receivesHello()
        connection.receivesMessage()
        connection.receivesHello()
        connection.expectClosed(.protocolViolation)
    }

    @Test("a hello after messages is in order where none is required")
    func lateHello() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: Self.bound))
        connection.receivesMessage()
        let action = connection.receivesHello()
        #expect(action == .welcome(every: .milliseconds(100), within: Self.bound))
    }

    @Test("a peer silent for the bound before its longer handshake deadline is silent, and no deadline is claimed")
    func silentBeforeDeadline() throws {
        var policy = Self.helloRequired
        policy.handshakeWithin = .seconds(5)
        var connection = try ConnectionMachineFixture(policy)
        connection.advance(by: .milliseconds(100))
        connection.receivesPing()
        connection.advance(by: .seconds(10))
        let range = ConnectionMachineFixture.punctual(Self.bound, after: .milliseconds(100))
        connection.expectClosed(.peerSilent, in: range)
        #expect(connection.end?.close.reason.phase == .handshake)
    }

    @Test("the bound that a hello asks for is the one that the peer is judged by")
    func adoptsHello() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: .seconds(3)))
        let action = connection.receivesHello(within: .milliseconds(600))
        #expect(action == .welcome(every: .milliseconds(200), within: .milliseconds(600)))
        connection.advance(by: .seconds(5))
        connection.expectClosed(.peerSilent, in: ConnectionMachineFixture.punctual(.milliseconds(600)))
        #expect(connection.suspicions == [.milliseconds(400)])
        #expect(connection.pings[0] <= .milliseconds(200))
    }

    @Test("a client that does not ping judges the server by the bound of its welcome", arguments: [600, 6_000])
    func adoptsWelcome(milliseconds: Int) throws {
        for heartbeats in [.answer, .listen] as [LivenessPolicy.Heartbeats] {
            var policy = LivenessPolicy(detectWithin: .seconds(3))
            policy.heartbeats = heartbeats
            var connection = try ConnectionMachineFixture(policy)
            connection.receivesWelcome(every: .milliseconds(200), within: .milliseconds(milliseconds))
            #expect(connection.machine.phase == .active)
            connection.advance(by: .seconds(10))
            let range = ConnectionMachineFixture.punctual(.milliseconds(milliseconds))
            connection.expectClosed(.peerSilent, in: range, "\(heartbeats)")
        }
    }

    @Test(
        "a client that stood still or paused before its welcome judges the server by the bound of the welcome all the same"
    )
    func absentBeforeWelcome() throws {
        for pauses in [true, false] {
            var policy = LivenessPolicy(detectWithin: .seconds(86_400))
            policy.heartbeats = .answer
            var connection = try ConnectionMachineFixture(policy)
            if pauses {
                connection.pausesReading()
                connection.advance(by: .milliseconds(100))
                connection.resumesReading()
            } else {
                connection.advance(by: .milliseconds(100))
                connection.stalls()
            }
            connection.receivesWelcome(every: .milliseconds(200), within: .milliseconds(600))
            connection.advance(by: .seconds(10))
            connection.expectClosed(.peerSilent, in: .milliseconds(650) ... .milliseconds(700))
        }
    }

    @Test("a client that pings does so at least as often as the welcome of the server says")
    func pingsAsWelcomed() throws {
        for heartbeats in [.both, .ping] as [LivenessPolicy.Heartbeats] {
            var policy = LivenessPolicy(detectWithin: .seconds(30))
            policy.heartbeats = heartbeats
            var connection = try ConnectionMachineFixture(policy)
            connection.answersAfter = .milliseconds(1)
            // A server that only answers takes the client for dead after 3 s without a ping.
            connection.receivesWelcome(every: .seconds(1), within: .seconds(3))
            connection.advance(by: .seconds(30))
            let gaps = zip([.zero] + connection.pings, connection.pings).map { $1 - $0 }
            #expect(gaps.max() ?? .seconds(30) <= .seconds(1), "\(heartbeats)")
        }
    }

    @Test("a hello that asks for a longer interval is adopted at once and leaves no deadline in the past")
    func adoptsLongerInterval() throws {
        for seed in 0..<50 as Range<UInt64> {
            var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: .seconds(3)), seed: seed)
            connection.receivesHello(every: .milliseconds(1_500))
            connection.advance(by: .seconds(4))
            let first = connection.pings.first ?? .zero
            #expect((.milliseconds(1_125) ... .milliseconds(1_500)).contains(first), "seed \(seed)")
        }
    }
}
