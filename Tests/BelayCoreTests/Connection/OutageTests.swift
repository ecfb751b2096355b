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

    /// What the kernel tells of a stopped program whose kernel acknowledges so many bytes at such times, in milliseconds.
    ///
    /// The first at once, whatever comes later only after it was sent again; a ping is in flight until the last.
    private static func acknowledging(
        _ steps: [(at: UInt32, bytes: UInt64)],
        countsSYN: Bool = true
    ) -> (Duration) -> TCPEvidence {
        { elapsed in
            var tcp = TCPEvidence.quiet
            let milliseconds = UInt32(elapsed / .milliseconds(1))
            let index = steps.lastIndex { $0.at <= milliseconds } ?? 0
            let isLast = index == steps.count - 1
            (tcp.bytesAcked, tcp.totalRetransmits) = (steps[index].bytes + (countsSYN ? 1 : 0), UInt32(index))
            tcp.lastAckReceived = milliseconds - min(milliseconds, steps[index].at)
            (tcp.unacked, tcp.lastDataSent) = isLast ? (0, tcp.lastAckReceived) : (1, 30)
            tcp.lastDataReceived = milliseconds
            return tcp
        }
    }

    @Test(
        "who knew a question when it was suspected gets the time to answer once past the bound, however late others arrive",
        arguments: [true, false],
        // A kernel may tell of an acknowledgement as of a little before the question that it is of.
        [310, 0] as [UInt32]
    )
    func questionOfBeforeTheOutage(countsSYN: Bool, acknowledgedAt: UInt32) throws {
        for seed in 0..<20 as Range<UInt64> {
            var connection = try ConnectionMachineFixture(Self.policy, seed: seed)
            connection.receivesMessage()
            connection.tcp = Self.acknowledging([(acknowledgedAt, 8), (770, 24), (980, 32)], countsSYN: countsSYN)
            connection.advance(by: .seconds(5))
            connection.expectClosed(.peerSilent, in: .milliseconds(1_060) ... .milliseconds(1_200), "seed \(seed)")
        }
    }

    @Test("nor is its path called lost, where the last of them was acknowledged a moment before")
    func acknowledgedRightBeforeTheVerdict() throws {
        var wasMet = false
        for seed in 0..<20 as Range<UInt64> {
            var connection = try ConnectionMachineFixture(Self.policy, seed: seed)
            connection.receivesMessage()
            connection.tcp = { elapsed in
                var tcp = Self.acknowledging([(310, 8), (885, 24), (980, 32), (1_186, 40)])(elapsed)
                if elapsed >= .milliseconds(1_186) {
                    (tcp.unacked, tcp.retransmits, tcp.lost, tcp.sentAgain, tcp.lastDataSent) = (1, 1, 1, 1, 2)
                }
                return tcp
            }
            connection.advance(by: .seconds(5))
            // The fourth was on its way at the bound, the fifth when the fourth was found acknowledged.
            let pings = connection.pings
            guard pings.count >= 5, pings[3] < .milliseconds(885), pings[4] < .milliseconds(1_175) else { continue }
            wasMet = true
            connection.expectClosed(.peerSilent, in: .milliseconds(1_190) ... .milliseconds(1_200), "seed \(seed)")
        }
        #expect(wasMet)
    }

    @Test("nor is a peer that was first asked when it was suspected, and had answered a ping before")
    func askedAtTheSuspicion() throws {
        var policy = LivenessPolicy(detectWithin: .milliseconds(900), attempts: 1)
        policy.suspectAfter = .milliseconds(300)
        for seed in 0..<20 as Range<UInt64> {
            var connection = try ConnectionMachineFixture(policy, seed: seed)
            connection.answersAfter = .milliseconds(10)
            connection.receivesMessage()
            // The first ping is answered; the path fails for 600 ms, and the second one is acknowledged when it has healed.
            connection.tcp = Self.acknowledging([(0, 9), (950, 17)])
            connection.advance(by: .milliseconds(320))
            #expect(connection.machine.figures.pongsReceived == 1, "seed \(seed)")
            connection.answersAfter = nil
            // Times of pings are whole microseconds: this one is sent after the look, and seems to be a little before it.
            connection.advance(by: .nanoseconds(500))
            connection.receivesMessage()
            connection.advance(by: .seconds(5))
            connection.expectClosed(.peerSilent, "seed \(seed)")
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
