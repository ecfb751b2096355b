//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R8: whether the peer takes what we send")
struct WriteProgressTests {
    private static let bound = Duration.milliseconds(300)
    private static let policy = LivenessPolicy(detectWithin: bound)

    @Test("R8: byte progress of a slow but moving peer keeps it alive")
    func slowPeer() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.kernelTakes(bytesPerMillisecond: 100)
        connection.writes(1_000_000)
        connection.advance(by: .seconds(9))
        connection.expectOpen()
        #expect(connection.suspicions == [])
    }

    @Test("R8: a peer that never said anything is kept alive by what it takes, where no hello is required")
    func silentConsumer() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.kernelTakes(bytesPerMillisecond: 100)
        connection.writes(1_000_000)
        connection.advance(by: .seconds(9))
        connection.expectOpen()
    }

    @Test("R8: what was acknowledged before anything waited speaks for no queue")
    func oldAcknowledgement() throws {
        var policy = LivenessPolicy(detectWithin: .milliseconds(100))
        policy.writeWithin = .seconds(1)
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage()
        connection.tcp = { elapsed in
            var tcp = TCPEvidence(state: .established)
            (tcp.unacked, tcp.sendWindow, tcp.notSentBytes) = (4, 65_536, 8_000)
            (tcp.roundTrip, tcp.retransmissionTimeout) = (1_000, 200_000)
            (tcp.bytesAcked, tcp.bytesHandedOver) = (101, 20_000)
            tcp.lastAckReceived = UInt32(max(.zero, elapsed - .milliseconds(20)) / .milliseconds(1))
            tcp.lastDataSent = UInt32(max(.zero, elapsed - .milliseconds(25)) / .milliseconds(1))
            return tcp
        }
        connection.advance(by: .milliseconds(30))
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.writes(160_000)
        connection.advance(by: .seconds(3))
        connection.expectClosed(.peerNotReading, in: .milliseconds(92) ... .milliseconds(100))
    }

    @Test("R8 and R12: a peer that asked for a shorter bound takes nothing for no longer than that")
    func negotiated() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: .seconds(30)))
        connection.receivesHello(within: .seconds(6))
        connection.kernelTakes(bytesPerMillisecond: 100)
        connection.writes(1_000_000)
        connection.advance(by: .seconds(2))
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.advance(by: .seconds(60))
        connection.expectClosed(.peerNotReading, in: .milliseconds(7_600) ... .seconds(8))
    }

    @Test("R8: a backlog that is gone when it is looked at again has moved")
    func shortBacklog() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(250))
        connection.kernelTakes(bytesPerMillisecond: 100)
        connection.writes(500)
        connection.advance(by: .milliseconds(150))
        connection.expectOpen()
        connection.advance(by: .seconds(1))
        connection.expectClosed(.peerSilent, in: .milliseconds(500) ... .milliseconds(560))
    }

    @Test("R8: when the backlog stops to move, the peer does not read, and that is known within the write deadline")
    func stopsReading() throws {
        for stopsAt in stride(from: 0, through: 2_000, by: 50) {
            var connection = try ConnectionMachineFixture(Self.policy, seed: UInt64(stopsAt))
            connection.receivesMessage()
            let stop = Duration.milliseconds(stopsAt)
            connection.kernelTakes(bytesPerMillisecond: 100)
            connection.writes(1_000_000)
            connection.advance(to: stop)
            connection.kernelTakes(bytesPerMillisecond: 0)
            connection.advance(by: .seconds(9))
            let range = stop + .milliseconds(270)...stop + .milliseconds(300)
            connection.expectClosed(.peerNotReading, in: range, "stops at \(stopsAt) ms")
            let end = try connection.requireEnd()
            let unsent = end.close.reason.evidence.unsentBytes ?? 0
            #expect((1_000_000 - 100 * stopsAt...1_000_100 - 100 * stopsAt).contains(unsent))
            #expect(end.close.manner == .abort)
        }
    }

    @Test(
        "R8: no progress for the write deadline is peer.not-reading although the peer goes on talking",
        arguments: [20, 100, 300, 5_000]
    )
    func talkingPeer(writeMilliseconds: Int) throws {
        var policy = Self.policy
        policy.writeWithin = .milliseconds(writeMilliseconds)
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage()
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.writes(5_000)
        for _ in 0..<1_000 {
            connection.advance(by: .milliseconds(10))
            connection.receivesMessage()
        }
        let deadline = Duration.milliseconds(writeMilliseconds)
        connection.expectClosed(.peerNotReading, in: deadline * 9 / 10...deadline)
    }

    @Test("R8: a silent peer whose queue never moved does not read; one whose queue is empty is silent")
    func reasonAtTheBound() throws {
        for (bytesPerMillisecond, code) in [(0, .peerNotReading), (nil, .peerSilent)]
            as [(Int?, DisconnectReason.Code)]
        {
            var policy = Self.policy
            policy.writeWithin = .seconds(5)
            var connection = try ConnectionMachineFixture(policy)
            connection.receivesMessage()
            connection.kernelTakes(bytesPerMillisecond: bytesPerMillisecond)
            connection.writes(1_000)
            connection.advance(by: .seconds(1))
            connection.expectClosed(code, in: ConnectionMachineFixture.punctual(Self.bound))
        }
    }

    @Test("R8: a backlog that stands still while the peer is silent is looked at rarely, not in a circle")
    func noBusyLooking() throws {
        // The last byte moved before the last one was received, so suspicion and write deadline fall together.
        for quietFrom in stride(from: 20, through: 280, by: 20) {
            var connection = try ConnectionMachineFixture(Self.policy, seed: UInt64(quietFrom))
            connection.kernelTakes(bytesPerMillisecond: 50)
            connection.writes(2_000)
            connection.advance(by: .milliseconds(20))
            connection.kernelTakes(bytesPerMillisecond: 0)
            connection.advance(to: .milliseconds(quietFrom))
            connection.receivesMessage()
            connection.advance(by: .seconds(1))
            #expect(connection.looks.count < 40, "quiet from \(quietFrom) ms on")
            let range = Duration.milliseconds(290) ... .milliseconds(320)
            connection.expectClosed(.peerNotReading, in: range, "quiet from \(quietFrom) ms on")
        }
    }

    @Test("R8: the same with a write deadline much shorter than the bound")
    func noBusyLookingWithShortDeadline() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        policy.writeWithin = .milliseconds(200)
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage()
        connection.kernelTakes(bytesPerMillisecond: 20)
        connection.writes(1_000_000)
        connection.advance(by: .seconds(45))
        connection.expectOpen()
        #expect(connection.looks.count < 500)
    }

    @Test(
        "R8: a ping that waited behind a backlog can still be answered when the backlog is gone",
        arguments: [20, 100, 300, 1_000, 20_000]
    )
    func drainedBacklog(writeMilliseconds: Int) throws {
        var policy = Self.policy
        policy.writeWithin = .milliseconds(writeMilliseconds)
        for drainedAfter in stride(from: 300, through: 1_500, by: 13) {
            var connection = try ConnectionMachineFixture(policy, seed: UInt64(drainedAfter))
            // Within the third of the bound that a peer has to answer.
            connection.answersAfter = .milliseconds(90)
            connection.receivesMessage()
            connection.kernelTakes(bytesPerMillisecond: 100)
            connection.writes(drainedAfter * 100)
            connection.advance(by: .seconds(4))
            connection.expectOpen("drained after \(drainedAfter) ms")
        }
    }

    @Test("R8: of the pings that a backlog holds up one is enough")
    func onePingInBacklog() throws {
        var policy = Self.policy
        policy.pingAlways = true
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage()
        connection.kernelTakes(bytesPerMillisecond: 100)
        connection.writes(200_000)
        for _ in 0..<19 {
            connection.advance(by: .milliseconds(100))
            connection.receivesMessage()
        }
        #expect(connection.pings.count == 1)
        connection.advance(by: .milliseconds(250))
        #expect(connection.pings.count > 1)
    }

    @Test("a queue above its limit makes the peer a slow consumer, one at its limit does not")
    func slowConsumer() throws {
        var connection = try ConnectionMachineFixture(Self.policy, outboundLimit: 4_096)
        connection.receivesMessage()
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.writes(4_096)
        connection.expectOpen()
        connection.writes(1)
        connection.expectClosed(.slowConsumer)
        let end = try connection.requireEnd()
        #expect(end.close.reason.evidence.unsentBytes == 4_097)
        #expect(end.close.reason.evidence.detail?.contains("4096") == true)
        #expect(end.close.manner == .abort)
    }

    @Test("a shell that does not count what it sends is judged by the length of its queue")
    func uncountedBytes() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.countsSentBytes = false
        connection.kernelTakes(bytesPerMillisecond: 50)
        connection.writes(100_000)
        connection.advance(by: .seconds(1))
        connection.expectOpen()
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.advance(by: .seconds(1))
        connection.expectClosed(.peerNotReading, in: .milliseconds(1_250) ... .milliseconds(1_320))
    }

    @Test("an empty queue is never looked at")
    func idleQueue() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.answersAfter = .milliseconds(1)
        connection.writes(1_000_000)
        connection.advance(by: .seconds(10))
        let observed = connection.times { $0 == .observedOutbound }
        #expect(observed == [])
        #expect(connection.machine.hasBacklog == false)
    }
}
