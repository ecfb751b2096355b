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
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { _ in TCPEvidence.quiet }
        connection.advance(by: .seconds(3))
        connection.expectClosed(.peerFrozen, in: Self.verdict)
        let evidence = connection.end?.close.reason.evidence
        #expect(evidence?.tcp == TCPEvidence.quiet)
        #expect(evidence?.diagnosis == .acknowledgedUnanswered)
    }

    @Test("a peer that was never asked is silent and not accused")
    func neverAsked() throws {
        var policy = Self.policy
        policy.heartbeats = .answer
        var connection = try ConnectionMachineFixture.heardOnce(policy) { _ in TCPEvidence.quiet }
        connection.advance(by: .seconds(3))
        connection.expectClosed(.peerSilent, in: Self.verdict)
        #expect(connection.end?.close.reason.evidence.diagnosis == .nothingOutstanding)
    }

    @Test("what is not acknowledged although it was sent again is a lost path")
    func pathLost() throws {
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
            var tcp = TCPEvidence.quiet
            (tcp.unacked, tcp.retransmits, tcp.totalRetransmits) = (1, 2, 3)
            (tcp.lastDataSent, tcp.lastAckReceived) = (100, UInt32(elapsed / .milliseconds(1)))
            return tcp
        }
        connection.advance(by: .seconds(3))
        connection.expectClosed(.pathLost, in: Self.verdict)
    }

    @Test("messages to a frozen peer, each of which its kernel acknowledges, do not keep it alive")
    func frozenUnderMessages() throws {
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
            var tcp = TCPEvidence.quiet
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
            var tcp = TCPEvidence.quiet
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
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
            var tcp = TCPEvidence.quiet
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
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
            var tcp = TCPEvidence.quiet
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
        var connection = try ConnectionMachineFixture.heardOnce(
            .init(interval: .milliseconds(150), detectWithin: Self.bound)
        ) { _ in
            var tcp = TCPEvidence.quiet
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
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
            var tcp = TCPEvidence.quiet
            if elapsed > .milliseconds(700) { (tcp.unacked, tcp.lastDataSent, tcp.lastAckReceived) = (1, 10, 250) }
            (tcp.bytesAcked, tcp.bytesHandedOver) = (101, 108)
            return tcp
        }
        connection.advance(by: .seconds(3))
        connection.expectClosed(.peerFrozen, in: Self.verdict)
    }

    @Test("a shell that does not count its bytes: a stream to a frozen peer keeps nobody alive")
    func uncountedStream() throws {
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
            var tcp = TCPEvidence.quiet
            tcp.bytesAcked = UInt64(elapsed / .milliseconds(1)) * 40 + 101
            tcp.bytesHandedOver = UInt64(elapsed / .milliseconds(1)) * 40 + 3_000
            (tcp.unacked, tcp.lastDataSent, tcp.lastAckReceived) = (2, 0, 10)
            return tcp
        }
        connection.countsSentBytes = false
        connection.advance(by: .seconds(3))
        connection.expectClosed(.peerFrozen, in: Self.verdict)
    }

    @Test("R10: a short handshake deadline is not stretched by what we wrote")
    func bannerOnly() throws {
        var policy = Self.policy
        policy.handshakeWithin = .milliseconds(200)
        var connection = try ConnectionMachineFixture(policy)
        connection.tcp = { _ in
            var tcp = TCPEvidence.quiet
            (tcp.unacked, tcp.lastAckReceived) = (1, 1)
            return tcp
        }
        connection.writes(100)
        connection.advance(by: .seconds(3))
        connection.expectClosed(.handshakeTimeout, in: .milliseconds(180) ... .milliseconds(200))
    }
}
