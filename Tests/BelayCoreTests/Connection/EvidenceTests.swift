//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R5: what the kernel tells before a verdict")
struct EvidenceTests {
    private static let bound = Duration.milliseconds(900)
    private static let policy = LivenessPolicy(detectWithin: bound)
    private static let verdict = Duration.milliseconds(880)...bound

    /// What the kernel tells of a connection on which everything is acknowledged.
    private static var quiet: TCPEvidence {
        var tcp = TCPEvidence(state: .established)
        (tcp.lastDataSent, tcp.lastAckReceived, tcp.lastDataReceived) = (250, 250, 850)
        (tcp.roundTrip, tcp.retransmissionTimeout) = (1_000, 200_000)
        (tcp.sendWindow, tcp.notSentBytes, tcp.bytesAcked, tcp.questionEnd) = (65_536, 0, 101, 100)
        return tcp
    }

    private static func connection(
        _ policy: LivenessPolicy = policy,
        tcp: @escaping (Duration) -> TCPEvidence
    ) throws -> ConnectionMachineFixture {
        var connection = try ConnectionMachineFixture(policy)
        connection.tcp = tcp
        connection.receivesMessage()
        return connection
    }

    @Test("a reset that comes between the looks at the queue and at the error is a reset")
    func resetDuringVerdict() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: .milliseconds(300)))
        let look = ConnectionMachine.Look(receiveQueue: .empty, queuedBytes: 0, networkError: .connectionReset)
        let action = connection.machine.looked(
            at: connection.now,
            for: .death,
            look,
            using: &connection.generator
        )
        guard case .close(let close) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(close.reason.code == .peerReset)
    }

    @Test("a peer whose kernel acknowledged the ping is frozen, and the figures are in the reason")
    func frozen() throws {
        var connection = try Self.connection { _ in Self.quiet }
        connection.advance(by: .seconds(3))
        connection.expectClosed(.peerFrozen, in: Self.verdict)
        let evidence = connection.end?.close.reason.evidence
        #expect(evidence?.tcp == Self.quiet)
        #expect(evidence?.diagnosis == .acknowledgedUnanswered)
    }

    @Test("a peer that was never asked is silent and not accused")
    func neverAsked() throws {
        var policy = Self.policy
        policy.heartbeats = .answer
        var connection = try Self.connection(policy) { _ in Self.quiet }
        connection.advance(by: .seconds(3))
        connection.expectClosed(.peerSilent, in: Self.verdict)
        #expect(connection.end?.close.reason.evidence.diagnosis == .nothingOutstanding)
    }

    @Test("what is not acknowledged although it was sent again is a lost path")
    func pathLost() throws {
        var connection = try Self.connection { elapsed in
            var tcp = Self.quiet
            (tcp.unacked, tcp.retransmits, tcp.totalRetransmits) = (1, 2, 3)
            (tcp.lastDataSent, tcp.lastAckReceived) = (100, UInt32(elapsed / .milliseconds(1)))
            return tcp
        }
        connection.advance(by: .seconds(3))
        connection.expectClosed(.pathLost, in: Self.verdict)
    }

    @Test("R8: a queue that does not move because the path is lost is no peer that does not read")
    func standstillOnLostPath() throws {
        var policy = Self.policy
        policy.writeWithin = .milliseconds(500)
        var connection = try Self.connection(policy) { _ in
            var tcp = Self.quiet
            (tcp.unacked, tcp.retransmits, tcp.totalRetransmits, tcp.notSentBytes) = (10, 1, 2, 16_000)
            (tcp.lastDataSent, tcp.lastAckReceived) = (100, 600)
            return tcp
        }
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.writes(1_000_000)
        connection.advance(by: .seconds(3))
        connection.expectClosed(.pathLost, in: .milliseconds(450) ... .milliseconds(500))
        #expect(connection.end?.close.reason.evidence.unsentBytes == 1_000_008)
        #expect(connection.suspicions == [])
    }

    @Test("R8: a queue that stands still behind a closed window is a peer that does not read")
    func standstillBehindClosedWindow() throws {
        var policy = Self.policy
        policy.writeWithin = .milliseconds(500)
        var connection = try Self.connection(policy) { _ in
            var tcp = Self.quiet
            (tcp.sendWindow, tcp.notSentBytes, tcp.lastAckReceived) = (0, 16_000, 30)
            return tcp
        }
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.writes(1_000_000)
        connection.advance(by: .seconds(3))
        connection.expectClosed(.peerNotReading, in: .milliseconds(450) ... .milliseconds(500))
        #expect(connection.end?.close.reason.evidence.diagnosis == .closedWindow)
    }

    @Test("no verdict and no suspicion while our own bulk in the kernel is acknowledged, however long that takes")
    func ownBacklog() throws {
        var connection = try Self.connection { elapsed in
            var tcp = Self.quiet
            (tcp.unacked, tcp.notSentBytes, tcp.lastAckReceived) = (10, 16_000, 20)
            tcp.bytesAcked = UInt64(elapsed / .milliseconds(1)) * 40
            return tcp
        }
        connection.writes(800_000)
        connection.advance(by: .seconds(19))
        connection.expectOpen()
        #expect(connection.suspicions == [])
        // One look in a bound or so, and not one in a tick.
        #expect(connection.looks.count < 60)
    }

    @Test("a peer that is frozen behind our bulk is found a bound after the last acknowledgement")
    func frozenBehindBacklog() throws {
        let drained = Duration.seconds(5)
        var connection = try Self.connection { elapsed in
            var tcp = Self.quiet
            let isDrained = elapsed >= drained
            (tcp.unacked, tcp.notSentBytes) = isDrained ? (0, 0) : (10, 16_000)
            tcp.lastAckReceived = isDrained ? UInt32((elapsed - drained) / .milliseconds(1)) : 20
            tcp.lastDataSent = tcp.lastAckReceived
            tcp.bytesAcked = UInt64(min(elapsed, drained) / .milliseconds(1)) * 40 + 1
            return tcp
        }
        connection.writes(200_000)
        connection.advance(by: .seconds(19))
        connection.expectClosed(
            .peerFrozen,
            in: drained + Self.verdict.lowerBound - .milliseconds(30)...drained + Self.bound
        )
    }

    @Test("the path that dies in the middle of our bulk is found a bound after the last acknowledgement")
    func pathLostBehindBacklog() throws {
        let dies = Duration.seconds(5)
        var connection = try Self.connection { elapsed in
            var tcp = Self.quiet
            let since = UInt32(max(.zero, elapsed - dies) / .milliseconds(1))
            (tcp.unacked, tcp.notSentBytes, tcp.lastAckReceived) = (10, 16_000, since + 20)
            tcp.bytesAcked = UInt64(min(elapsed, dies) / .milliseconds(1)) * 40
            if since > 400 { (tcp.retransmits, tcp.totalRetransmits, tcp.lastDataSent) = (1, 2, 100) }
            return tcp
        }
        connection.writes(800_000)
        connection.advance(by: .seconds(19))
        connection.expectClosed(.pathLost, in: dies + Self.verdict.lowerBound - .milliseconds(60)...dies + Self.bound)
    }

    @Test("the rest of our bulk, when the last look is long ago, is counted from its last acknowledgement")
    func restOfBacklog() throws {
        let end = Duration.seconds(12)
        var connection = try Self.connection { elapsed in
            var tcp = Self.quiet
            tcp.lastAckReceived = UInt32(max(.milliseconds(100), elapsed - end) / .milliseconds(1))
            (tcp.unacked, tcp.bytesAcked) = (2, 100_000 + UInt64(min(elapsed, end) / .milliseconds(1)))
            tcp.bytesHandedOver = 200_000
            if elapsed > end + .milliseconds(400) {
                (tcp.retransmits, tcp.totalRetransmits, tcp.lastDataSent) = (1, 1, 50)
            }
            return tcp
        }
        connection.advance(by: .milliseconds(700))
        #expect(connection.suspicions.count == 1)
        connection.kernelTakes(bytesPerMillisecond: 20)
        connection.writes(200_000)
        // Our own queue is empty after ten seconds, in which it moved and no look was due.
        connection.advance(by: .seconds(20))
        connection.expectClosed(.pathLost, in: end + .milliseconds(700)...end + Self.bound)
    }

    @Test("messages to a frozen peer, each of which its kernel acknowledges, do not keep it alive")
    func frozenUnderMessages() throws {
        var connection = try Self.connection { elapsed in
            var tcp = Self.quiet
            tcp.bytesAcked = UInt64(elapsed / .milliseconds(1)) * 40 + 101
            tcp.questionEnd = UInt64(elapsed / .milliseconds(1)) * 40 + 100
            (tcp.unacked, tcp.lastDataSent, tcp.lastAckReceived) = (1, 0, 10)
            return tcp
        }
        connection.advance(by: .seconds(3))
        connection.expectClosed(.peerFrozen, in: Self.verdict)
    }

    @Test("a handshake deadline does not wait for our bulk where a hello is required")
    func handshake() throws {
        var policy = Self.policy
        policy.requiresHello = true
        var connection = try ConnectionMachineFixture(policy)
        connection.tcp = { elapsed in
            var tcp = Self.quiet
            (tcp.notSentBytes, tcp.lastAckReceived, tcp.bytesAcked) = (16_000, 5, UInt64(elapsed / .milliseconds(1)))
            tcp.questionEnd = 1_000_000
            return tcp
        }
        connection.advance(by: .seconds(3))
        connection.expectClosed(.handshakeTimeout, in: Self.verdict)
        #expect(connection.end?.close.reason.evidence.tcp != nil)
    }

    @Test("a look of an earlier silence says nothing about this one")
    func earlierSilence() throws {
        var connection = try Self.connection { elapsed in
            var tcp = Self.quiet
            // At the first suspicion much was on its way; now all of it has arrived long ago.
            if elapsed < .seconds(1) {
                (tcp.bytesAcked, tcp.questionEnd, tcp.unacked) = (1_000, 50_000, 40)
            } else {
                (tcp.bytesAcked, tcp.questionEnd) = (50_001, 50_000)
            }
            return tcp
        }
        connection.advance(by: .milliseconds(700))
        #expect(connection.suspicions.count == 1)
        connection.receivesMessage()
        connection.advance(by: .seconds(5))
        connection.expectClosed(
            .peerFrozen,
            in: .milliseconds(700) + Self.verdict.lowerBound ... .milliseconds(700) + Self.verdict.upperBound
        )
    }

    @Test("a ping that was on its way at the first look is no backlog: the verdict comes at the bound")
    func pingOnItsWay() throws {
        var connection = try Self.connection { elapsed in
            var tcp = Self.quiet
            // A round trip of 100 ms; the look at the suspicion falls into it.
            let arrived = elapsed > .milliseconds(620)
            (tcp.unacked, tcp.bytesAcked, tcp.bytesHandedOver) = arrived ? (0, 9, 8) : (1, 1, 8)
            tcp.lastAckReceived = arrived ? UInt32((elapsed - .milliseconds(620)) / .milliseconds(1)) : 400
            tcp.lastDataSent = tcp.lastAckReceived
            return tcp
        }
        connection.advance(by: .seconds(3))
        connection.expectClosed(.peerFrozen, in: Self.verdict.lowerBound...Self.bound + .milliseconds(30))
    }

    @Test(
        "a frozen peer is known by an older question while its kernel holds back the acknowledgement of the last",
        arguments: [true, false]
    )
    func heldBackAcknowledgement(alsoAtSuspicion: Bool) throws {
        var acknowledged: UInt64 = 0
        var unacked: UInt32 = alsoAtSuspicion ? 1 : 0
        var connection = try Self.connection(.init(interval: .milliseconds(150), detectWithin: Self.bound)) { _ in
            var tcp = Self.quiet
            (tcp.bytesAcked, tcp.unacked, tcp.lastDataSent, tcp.lastAckReceived) = (acknowledged, unacked, 20, 200)
            return tcp
        }
        connection.advance(by: .milliseconds(590))
        // The SYN counts as a byte.
        acknowledged = connection.machine.figures.bytesOut + 1 - (alsoAtSuspicion ? 8 : 0)
        connection.advance(by: .milliseconds(60))
        #expect(connection.suspicions.count == 1)
        let asked = connection.pings.count
        (acknowledged, unacked) = (connection.machine.figures.bytesOut + 1, 1)
        connection.advance(by: .seconds(3))
        #expect(connection.pings.count > asked)
        connection.expectClosed(.peerFrozen, in: Self.verdict)
    }

    @Test("what was sent a moment before the verdict does not make a lost path of a frozen peer")
    func sentAMomentAgo() throws {
        var connection = try Self.connection { elapsed in
            var tcp = Self.quiet
            if elapsed > .milliseconds(700) { (tcp.unacked, tcp.lastDataSent, tcp.lastAckReceived) = (1, 10, 250) }
            (tcp.bytesAcked, tcp.bytesHandedOver) = (101, 108)
            return tcp
        }
        connection.advance(by: .seconds(3))
        connection.expectClosed(.peerFrozen, in: Self.verdict)
    }

    @Test("a shell that does not count its bytes: a stream to a frozen peer keeps nobody alive")
    func uncountedStream() throws {
        var connection = try Self.connection { elapsed in
            var tcp = Self.quiet
            tcp.bytesAcked = UInt64(elapsed / .milliseconds(1)) * 40 + 101
            tcp.bytesHandedOver = UInt64(elapsed / .milliseconds(1)) * 40 + 3_000
            (tcp.unacked, tcp.lastDataSent, tcp.lastAckReceived) = (2, 0, 10)
            return tcp
        }
        connection.countsSentBytes = false
        connection.advance(by: .seconds(3))
        connection.expectClosed(.peerFrozen, in: Self.verdict)
    }

    @Test("a queue that moved too long ago is judged by the figures of now")
    func movedTooLongAgo() throws {
        var policy = Self.policy
        policy.writeWithin = .milliseconds(100)
        let dies = Duration.milliseconds(650)
        var connection = try Self.connection(policy) { elapsed in
            var tcp = Self.quiet
            let since = UInt32(max(.zero, elapsed - dies) / .milliseconds(1))
            (tcp.unacked, tcp.notSentBytes, tcp.lastAckReceived) = (10, 16_000, since)
            tcp.bytesAcked = UInt64(min(elapsed, dies) / .milliseconds(1)) * 40
            if since > 50 { (tcp.retransmits, tcp.totalRetransmits, tcp.lastDataSent, tcp.sentAgain) = (1, 1, 20, 1) }
            return tcp
        }
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.writes(1_000_000)
        connection.advance(by: .seconds(3))
        connection.expectClosed(.pathLost)
    }

    @Test("R10: a short handshake deadline is not stretched by what we wrote")
    func bannerOnly() throws {
        var policy = Self.policy
        policy.handshakeWithin = .milliseconds(200)
        var connection = try ConnectionMachineFixture(policy)
        connection.tcp = { _ in
            var tcp = Self.quiet
            (tcp.unacked, tcp.lastAckReceived) = (1, 1)
            return tcp
        }
        connection.writes(100)
        connection.advance(by: .seconds(3))
        connection.expectClosed(.handshakeTimeout, in: .milliseconds(180) ... .milliseconds(200))
    }

    @Test(
        "R8: a window that stays too small for a segment is that of a peer that does not read, however long the deadline"
    )
    func tinyWindow() throws {
        var policy = Self.policy
        policy.writeWithin = .seconds(3)
        var connection = try Self.connection(policy) { _ in
            var tcp = Self.quiet
            (tcp.sendWindow, tcp.notSentBytes, tcp.lastAckReceived) = (500, 16_000, 50)
            return tcp
        }
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.writes(1_000_000)
        for _ in 0..<100 {
            connection.advance(by: .milliseconds(100))
            connection.receivesMessage()
        }
        // The first look tells of no movement yet: twice the deadline.
        connection.expectClosed(.peerNotReading, in: .seconds(5) ... .seconds(6))
    }

    @Test(
        "two looks within a round trip tell nothing of movement: the verdict is counted from the last acknowledgement"
    )
    func longRoundTrip() throws {
        // Acknowledgements come in bursts, half a second apart; then the path dies.
        let dies = Duration.seconds(6)
        var connection = try Self.connection { elapsed in
            var tcp = Self.quiet
            let milliseconds = Int(elapsed / .milliseconds(1))
            let last = min(milliseconds, Int(dies / .milliseconds(1))) / 500 * 500
            tcp.lastAckReceived = UInt32(milliseconds - last)
            (tcp.unacked, tcp.bytesAcked, tcp.bytesHandedOver) = (6, UInt64(last) * 10, 800_000)
            (tcp.roundTrip, tcp.retransmissionTimeout) = (500_000, 700_000)
            if milliseconds - last > 700 { (tcp.retransmits, tcp.totalRetransmits, tcp.lastDataSent) = (1, 1, 50) }
            return tcp
        }
        connection.writes(800_000)
        connection.advance(by: .seconds(19))
        connection.expectClosed(.pathLost, in: dies + .milliseconds(700)...dies + Self.bound)
    }
}
