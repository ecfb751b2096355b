//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R8: what the kernel tells of bytes that wait")
struct BacklogEvidenceTests {
    private static let bound = Duration.milliseconds(900)
    private static let policy = LivenessPolicy(detectWithin: bound)
    private static let verdict = Duration.milliseconds(880)...bound

    @Test("R8: a queue that does not move because the path is lost is no peer that does not read")
    func standstillOnLostPath() throws {
        var policy = Self.policy
        policy.writeWithin = .milliseconds(500)
        var connection = try ConnectionMachineFixture.heardOnce(policy) { _ in
            var tcp = TCPEvidence.quiet
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
        var connection = try ConnectionMachineFixture.heardOnce(policy) { elapsed in
            var tcp = TCPEvidence.quiet
            (tcp.sendWindow, tcp.notSentBytes, tcp.lastAckReceived) = (0, 16_000, 30)
            tcp.lastDataSent = UInt32(elapsed / .milliseconds(1))
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
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
            var tcp = TCPEvidence.quiet
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
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
            var tcp = TCPEvidence.quiet
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
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
            var tcp = TCPEvidence.quiet
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
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
            var tcp = TCPEvidence.quiet
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

    @Test("a queue that moved too long ago is judged by the figures of now")
    func movedTooLongAgo() throws {
        var policy = Self.policy
        policy.writeWithin = .milliseconds(100)
        let dies = Duration.milliseconds(650)
        var connection = try ConnectionMachineFixture.heardOnce(policy) { elapsed in
            var tcp = TCPEvidence.quiet
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

    @Test(
        "R8: a window that stays too small for a segment is that of a peer that does not read, however long the deadline"
    )
    func tinyWindow() throws {
        var policy = Self.policy
        policy.writeWithin = .seconds(3)
        var connection = try ConnectionMachineFixture.heardOnce(policy) { _ in
            var tcp = TCPEvidence.quiet
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
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
            var tcp = TCPEvidence.quiet
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

    @Test("R8: what is acknowledged speaks for a peer that answered before our last ping left our queue")
    func acknowledgedWhileThePingWaits() throws {
        let (heals, dies) = (Duration.seconds(1), Duration.seconds(6))
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
            var tcp = TCPEvidence.quiet
            let since = elapsed < heals ? elapsed : max(.zero, elapsed - dies)
            (tcp.unacked, tcp.notSentBytes) = (6, 16_000)
            tcp.lastAckReceived = UInt32(since / .milliseconds(1)) + 100
            tcp.bytesAcked = UInt64(max(.zero, min(elapsed, dies) - heals) / .milliseconds(1)) * 5
            (tcp.retransmits, tcp.totalRetransmits, tcp.lastDataSent) = (1, 12, 50)
            (tcp.lost, tcp.sentAgain) = (1, 1)
            return tcp
        }
        connection.kernelTakes(bytesPerMillisecond: 100)
        connection.writes(1_000_000)
        connection.advance(by: .milliseconds(350))
        #expect(connection.pings.count == 1)
        connection.receivesMessage()
        // The kernel takes from our queue once a part of its own is free: seldom, and much.
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.advance(by: .milliseconds(650))
        #expect(connection.suspicions.count == 1)
        connection.kernelTakes(bytesPerMillisecond: 100)
        connection.advance(by: .milliseconds(50))
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.advance(by: .seconds(19))
        connection.expectClosed(.pathLost, in: dies + .milliseconds(600)...dies + Self.bound)
    }

    @Test("what was acknowledged of a backlog speaks for a silent peer for the write deadline, wherever it waits")
    func acknowledgedWithinWriteDeadline() throws {
        var policy = Self.policy
        policy.writeWithin = .seconds(2)
        let dies = Duration.milliseconds(100)
        var connection = try ConnectionMachineFixture.heardOnce(policy) { elapsed in
            var tcp = TCPEvidence.quiet
            let since = UInt32(max(.zero, elapsed - dies) / .milliseconds(1))
            (tcp.unacked, tcp.notSentBytes, tcp.lastAckReceived) = (10, 16_000, since)
            tcp.bytesAcked = UInt64(min(elapsed, dies) / .milliseconds(1)) * 40
            if since > 300 { (tcp.retransmits, tcp.totalRetransmits, tcp.lastDataSent, tcp.sentAgain) = (1, 1, 20, 1) }
            return tcp
        }
        // So little of it is acknowledged that the kernel takes no more of our queue.
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.writes(1_000_000)
        connection.advance(by: .seconds(9))
        connection.expectClosed(.pathLost, in: dies + .milliseconds(1_800)...dies + .seconds(2))
    }

    @Test(
        "R8: a frozen peer is known although acknowledgements of nothing new go on, however long the write deadline is",
        arguments: [900, 950, 1_000, 1_500, 3_000]
    )
    func acknowledgedWithoutProgress(writeMilliseconds: Int) throws {
        var policy = Self.policy
        policy.writeWithin = .milliseconds(writeMilliseconds)
        let tellings: [(window: UInt32?, notSent: UInt32, unacked: UInt32)] = [
            (500, 16_000, 0), (nil, 16_000, 0), (65_536, 0, 10), (65_536, 16_000, 10),
        ]
        for (window, notSent, unacked) in tellings {
            for speaksAgain in [false, true] {
                var connection = try ConnectionMachineFixture.heardOnce(policy) { _ in
                    var tcp = TCPEvidence.quiet
                    (tcp.sendWindow, tcp.notSentBytes, tcp.unacked) = (window, notSent, unacked)
                    (tcp.lastDataSent, tcp.lastAckReceived) = (30, 20)
                    return tcp
                }
                connection.kernelTakes(bytesPerMillisecond: 0)
                connection.writes(1_000_000)
                connection.advance(by: .milliseconds(400))
                if speaksAgain { connection.receivesMessage() }
                connection.advance(by: .seconds(120))
                let times = Duration.milliseconds(850) ... .milliseconds(1_310 + writeMilliseconds)
                let end = connection.end?.at ?? .zero
                #expect(times.contains(end), "\(notSent) bytes not sent, \(unacked) in flight")
            }
        }
    }

    @Test("R8: who made its window close a moment ago has the write deadline from then on, whenever that is seen")
    func windowClosesBeforeLook() throws {
        for closesAt in stride(from: 500, through: 700, by: 10) {
            var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
                var tcp = TCPEvidence.quiet
                let milliseconds = Int(elapsed / .milliseconds(1))
                tcp.bytesAcked = UInt64(min(milliseconds, closesAt)) * 40 + 1
                tcp.notSentBytes = 16_000
                tcp.lastDataSent = UInt32(max(2, milliseconds - closesAt + 1))
                tcp.lastAckReceived = 5
                if milliseconds >= closesAt { tcp.sendWindow = 0 } else { tcp.unacked = 10 }
                return tcp
            }
            // What the peer's kernel takes is less than the third at which ours takes more.
            connection.kernelTakes(bytesPerMillisecond: 0)
            connection.writes(1_000_000)
            connection.advance(by: .seconds(20))
            let from = Duration.milliseconds(closesAt)
            let times = from + .milliseconds(800)...from + Self.bound
            connection.expectClosed(.peerNotReading, in: times, "closes at \(closesAt) ms")
        }
    }

    @Test("R6: bytes that moved before stalls of ours moved as long ago as our clock says, whatever the kernel counts")
    func movedBeforeStalls() throws {
        let (stands, leftOut) = (Duration.milliseconds(405), Duration.milliseconds(300))
        var connection = try ConnectionMachineFixture.heardOnce(Self.policy) { elapsed in
            var tcp = TCPEvidence.quiet
            let since = max(.zero, elapsed - stands)
            (tcp.unacked, tcp.notSentBytes, tcp.sendWindow) = (0, 16_000, 0)
            // The stalls come after the last movement.
            tcp.lastAckReceived = UInt32((since > .zero ? since + leftOut : since) / .milliseconds(1))
            tcp.lastDataSent = tcp.lastAckReceived
            return tcp
        }
        connection.leftOut = leftOut
        connection.advance(to: stands - .milliseconds(5))
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.writes(1_000_000)
        connection.advance(by: .seconds(20))
        connection.expectClosed(.peerNotReading, in: stands + .milliseconds(820)...stands + Self.bound)
    }
}
