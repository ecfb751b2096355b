//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("what the kernel's tables say about a connection of any program")
struct AppraisalTests {
    private static func tcp(_ state: TCPState = .established, _ change: (inout TCPEvidence) -> Void = { _ in })
        -> TCPEvidence
    {
        var tcp = TCPEvidence(state: state)
        (tcp.lastDataSent, tcp.lastAckReceived, tcp.lastDataReceived) = (60_000, 60_000, 50_000)
        (tcp.roundTrip, tcp.retransmissionTimeout) = (1_000, 200_000)
        (tcp.sendWindow, tcp.notSentBytes, tcp.bytesAcked, tcp.questionEnd) = (65_536, 0, 101, 100)
        tcp.bytesReceived = 1_000
        change(&tcp)
        return tcp
    }

    private static func appraisal(_ state: TCPState = .established, _ change: (inout TCPEvidence) -> Void = { _ in })
        -> Appraisal
    {
        Appraisal(of: .init(tcp: Self.tcp(state, change)))
    }

    @Test("an idle connection is alive, however long it has been quiet")
    func idle() {
        #expect(Self.appraisal().verdict == .alive)
        #expect(
            Self.appraisal { ($0.lastDataReceived, $0.lastDataSent, $0.lastAckReceived) = (.max, .max, .max) }.verdict
                == .alive
        )
        // One-way traffic, and a request that takes its time: no program's expectations are known here.
        #expect(
            Self.appraisal { ($0.lastDataReceived, $0.lastDataSent, $0.lastAckReceived) = (.max, 30_000, 30_000) }
                .verdict == .alive
        )
    }

    @Test("retransmissions in vain make a suspect, and three of them a dead one")
    func retransmissions() {
        for count in 1...6 as ClosedRange<UInt8> {
            let appraisal = Self.appraisal {
                ($0.unacked, $0.retransmits, $0.totalRetransmits, $0.lastDataSent) = (1, count, 9, 100)
            }
            #expect(appraisal.verdict == (count >= 3 ? .dead : .suspect))
            #expect(appraisal.code == .pathLost)
        }
    }

    @Test("what was in trouble once and is acknowledged again is alive")
    func recovered() {
        let first = Appraisal.Look(
            tcp: Self.tcp { ($0.unacked, $0.retransmits, $0.totalRetransmits, $0.lastDataSent) = (9, 4, 4, 100) }
        )
        let now = Appraisal.Look(
            tcp: Self.tcp {
                ($0.totalRetransmits, $0.lastAckReceived, $0.bytesAcked, $0.lastDataSent) = (5, 300, 5_000, 400)
            }
        )
        #expect(Appraisal(of: now, after: first, elapsed: .seconds(1)).verdict == .alive)
    }

    @Test("unanswered keepalive and window probes, and what our own host swallows, are named")
    func reasons() {
        let probe = Appraisal.Look(tcp: Self.tcp { $0.probes = 1 })
        #expect(Appraisal(of: probe).verdict == .alive)
        #expect(Appraisal(of: probe, after: probe, elapsed: .seconds(1)).verdict == .suspect)
        #expect(Self.appraisal { $0.probes = 2 }.verdict == .suspect)
        #expect(Self.appraisal { $0.probes = 3 }.verdict == .dead)
        #expect(Self.appraisal { $0.probes = 3 }.code == .pathLost)
        let closed = Self.appraisal { ($0.sendWindow, $0.notSentBytes, $0.probes) = (0, 5_000, 1) }
        #expect((closed.verdict, closed.code) == (.suspect, .peerNotReading))
        let swallowed = Self.appraisal { ($0.notSentBytes, $0.probes) = (5_000, 3) }
        #expect((swallowed.verdict, swallowed.code) == (.dead, .localCannotSend))
    }

    @Test("a connection whose peer closed and whose program did not is suspect")
    func closeWait() {
        let appraisal = Self.appraisal(.closeWait)
        #expect((appraisal.verdict, appraisal.code) == (.suspect, .peerClosed))
    }

    @Test("a connection that is being opened is suspect when nobody answers")
    func opening() {
        #expect(Self.appraisal(.synSent).verdict == .alive)
        #expect(Self.appraisal(.synSent) { $0.retransmits = 1 }.verdict == .suspect)
        #expect(Self.appraisal(.synSent) { $0.retransmits = 3 }.verdict == .dead)
    }

    @Test("a program that leaves bytes unread between two looks is suspect itself")
    func unread() {
        func look(received: UInt64, unread: UInt32) -> Appraisal.Look {
            .init(tcp: Self.tcp { $0.bytesReceived = received }, receiveQueueBytes: unread)
        }
        let first = look(received: 1_000, unread: 400)
        #expect(Appraisal(of: first).verdict == .alive)
        #expect(Appraisal(of: first, after: first, elapsed: .seconds(1)).verdict == .suspect)
        #expect(
            Appraisal(of: look(received: 1_500, unread: 900), after: first, elapsed: .seconds(1)).verdict == .suspect
        )
        #expect(Appraisal(of: look(received: 1_500, unread: 400), after: first, elapsed: .seconds(1)).verdict == .alive)
        #expect(Appraisal(of: look(received: 1_500, unread: 0), after: first, elapsed: .seconds(1)).verdict == .alive)
    }

    @Test("a listening socket is suspect when its queue overflows")
    func listener() {
        #expect(Appraisal(acceptQueueLength: 0, limit: 128).verdict == .alive)
        #expect(Appraisal(acceptQueueLength: 128, limit: 128).verdict == .alive)
        #expect(Appraisal(acceptQueueLength: 129, limit: 128).verdict == .suspect)
        #expect(Appraisal(acceptQueueLength: 0, limit: 0).verdict == .alive)
    }

    @Test(
        "each measured scenario is alive where there was no fault, and never accused of another",
        arguments: DiagnosisTests.scenarios
    )
    func measured(scenario: DiagnosisTests.Scenario) throws {
        let first = try #require(scenario.snapshots.first)
        let now = try #require(scenario.snapshots.last)
        let appraisal = Appraisal(
            of: .init(tcp: now.tcp),
            after: .init(tcp: first.tcp),
            elapsed: now.at - first.at
        )
        // From outside a frozen program and a quiet one look alike.
        let expected = [.peerFrozen, .peerSilent].contains(scenario.expected) ? nil : scenario.expected
        #expect(appraisal.code == expected)
        #expect((appraisal.verdict == .alive) == (expected == nil))
    }

    @Test("dead is worse than suspect, and that than alive")
    func order() {
        #expect(Verdict.allCases.sorted() == [.alive, .suspect, .dead])
    }
}
