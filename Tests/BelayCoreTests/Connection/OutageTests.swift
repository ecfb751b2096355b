//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R5: an outage that has just healed")
struct OutageTests {
    private static let policy = LivenessPolicy(detectWithin: .milliseconds(900))

    /// What the kernel tells after an outage that healed at `healedAt`, when it had sent our ping again twice.
    private static func healed(at healedAt: Duration, waiting: UInt32) -> (Duration) -> TCPEvidence {
        { elapsed in
            var tcp = TCPEvidence(state: .established)
            (tcp.roundTrip, tcp.retransmissionTimeout, tcp.sendWindow) = (1_000, 200_000, 65_536)
            tcp.lastDataReceived = UInt32(elapsed / .milliseconds(1))
            if elapsed < healedAt {
                (tcp.unacked, tcp.retransmits, tcp.totalRetransmits, tcp.bytesAcked) = (1, 2, 2, 1)
                (tcp.lastAckReceived, tcp.lastDataSent, tcp.notSentBytes) = (tcp.lastDataReceived, 50, waiting)
            } else {
                let since = UInt32((elapsed - healedAt) / .milliseconds(1))
                (tcp.unacked, tcp.totalRetransmits, tcp.bytesAcked) = (1, 3, 60)
                (tcp.lastAckReceived, tcp.lastDataSent, tcp.notSentBytes) = (since, 10, waiting)
            }
            return tcp
        }
    }

    @Test("after an outage pings that wait in the kernel are no bulk: their peer has the time to answer, not a bound")
    func pingsAfterOutage() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.tcp = Self.healed(at: .milliseconds(850), waiting: 24)
        connection.advance(by: .seconds(5))
        connection.expectClosed(.pathLost, in: .milliseconds(1_100) ... .milliseconds(1_160))
    }

    @Test("after an outage a peer whose answers are repeated as seldom as our pings is not called frozen")
    func answersAfterOutage() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.tcp = { elapsed in
            var tcp = Self.healed(at: .milliseconds(850), waiting: 0)(elapsed)
            if elapsed > .milliseconds(1_000) { (tcp.unacked, tcp.lastDataSent) = (0, 200) }
            return tcp
        }
        connection.advance(by: .seconds(5))
        connection.expectClosed(.peerSilent, in: .milliseconds(1_100) ... .milliseconds(1_160))
    }

    @Test("nor is it when a ping that was on its way at the first look after the outage is acknowledged at the next")
    func pingOnItsWayAfterOutage() throws {
        for seed in 0..<20 as Range<UInt64> {
            var connection = try ConnectionMachineFixture(Self.policy, seed: seed)
            connection.receivesMessage()
            connection.tcp = { elapsed in
                var tcp = Self.healed(at: .milliseconds(850), waiting: 0)(elapsed)
                // Two pings and the SYN; then the third.
                if elapsed >= .milliseconds(850) { tcp.bytesAcked = 17 }
                if elapsed > .milliseconds(1_000) {
                    (tcp.unacked, tcp.lastDataSent, tcp.lastAckReceived, tcp.bytesAcked) = (0, 80, 78, 25)
                }
                return tcp
            }
            connection.advance(by: .seconds(5))
            connection.expectClosed(.peerSilent, in: .milliseconds(880) ... .milliseconds(1_400), "seed \(seed)")
        }
    }

    @Test(
        "who knew a question when it was suspected gets the time to answer once more past the bound, however late others arrive"
    )
    func questionOfBeforeTheOutage() throws {
        for seed in 0..<20 as Range<UInt64> {
            var connection = try ConnectionMachineFixture(Self.policy, seed: seed)
            connection.receivesMessage()
            connection.tcp = { elapsed in
                var tcp = TCPEvidence.quiet
                let milliseconds = UInt32(elapsed / .milliseconds(1))
                // The SYN and the first ping; the next two, of which one had to be repeated; the fourth, repeated as well.
                let (ackedAt, bytes, repeated): (UInt32, UInt64, UInt32) =
                    milliseconds < 770 ? (310, 9, 0) : milliseconds < 980 ? (770, 25, 1) : (980, 33, 2)
                (tcp.bytesAcked, tcp.totalRetransmits, tcp.unacked) = (bytes, repeated, repeated < 2 ? 1 : 0)
                tcp.lastAckReceived = milliseconds < ackedAt ? milliseconds : milliseconds - ackedAt
                tcp.lastDataSent = repeated < 2 ? 30 : tcp.lastAckReceived
                tcp.lastDataReceived = milliseconds
                return tcp
            }
            connection.advance(by: .seconds(5))
            connection.expectClosed(.peerSilent, in: .milliseconds(1_060) ... .milliseconds(1_200), "seed \(seed)")
        }
    }

    @Test("what a router reported is over with the next acknowledgement: a path that is lost again is lost")
    func reportOfBefore() throws {
        let policy = LivenessPolicy(detectWithin: .seconds(9), attempts: 8)
        for healsAt in [6_300, 7_000] {
            var connection = try ConnectionMachineFixture.heardOnce(policy) { elapsed in
                var tcp = TCPEvidence.quiet
                let milliseconds = Int(elapsed / .milliseconds(1))
                (tcp.unacked, tcp.lastDataSent, tcp.lastDataReceived) = (2, 50, UInt32(milliseconds))
                let isLost = milliseconds < healsAt || milliseconds > healsAt + 500
                tcp.totalRetransmits = milliseconds < healsAt ? 4 : isLost ? 6 : 5
                if isLost { (tcp.retransmits, tcp.lost, tcp.sentAgain) = (1, 1, 1) }
                tcp.bytesAcked = milliseconds < healsAt ? 1 : 57
                tcp.lastAckReceived = UInt32(milliseconds < healsAt ? milliseconds : milliseconds - healsAt)
                return tcp
            }
            connection.networkError = { $0 < .milliseconds(healsAt) ? .hostUnreachable : nil }
            connection.advance(by: .seconds(40))
            connection.expectClosed(.pathLost, "heals at \(healsAt) ms")
        }
    }
}
