//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Foundation
import Testing

@Suite("what the kernel's evidence says about a silent peer")
struct DiagnosisTests {
    // MARK: - Measured

    /// One measured scenario of `tcpinfo-fixtures.json`: snapshots of a connection in a fault that was made.
    struct Scenario: CustomTestStringConvertible, Sendable {
        let name: String
        /// Nil where there is to be no verdict.
        let expected: DisconnectReason.Code?
        let snapshots: [Snapshot]

        var testDescription: String { self.name }
    }

    struct Snapshot: Sendable {
        let tcp: TCPEvidence
        let at: Duration
        let silence: Duration
    }

    static let scenarios: [Scenario] = {
        let url = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Fixtures/tcpinfo-fixtures.json")
        guard let data = try? Data(contentsOf: url),
            let file = try? JSONSerialization.jsonObject(with: data) as? [String: Any],
            let fixtures = file["fixtures"] as? [[String: Any]]
        else { return [] }
        return fixtures.map { fixture in
            let reason = fixture["expectedReason"] as? String ?? ""
            return Scenario(
                name: fixture["name"] as? String ?? "",
                expected: DisconnectReason.Code(rawValue: String(reason.prefix { $0 != " " })),
                snapshots: (fixture["snapshots"] as? [[String: Int]] ?? []).map(Self.snapshot)
            )
        }
    }()

    private static func snapshot(_ figures: [String: Int]) -> Snapshot {
        func figure<Number: FixedWidthInteger>(_ name: String) -> Number { Number(figures[name] ?? 0) }
        var tcp = TCPEvidence(state: TCPState(rawValue: figure("state")) ?? .closed)
        tcp.retransmits = figure("retransmits")
        tcp.probes = figure("probes")
        tcp.backoff = figure("backoff")
        tcp.unacked = figure("unacked")
        tcp.totalRetransmits = figure("total_retrans")
        tcp.lost = figure("lost")
        tcp.sentAgain = figure("retrans")
        tcp.delivered = figure("delivered")
        tcp.lastDataSent = figure("last_data_sent")
        tcp.lastDataReceived = figure("last_data_recv")
        tcp.lastAckReceived = figure("last_ack_recv")
        tcp.roundTrip = figure("rtt")
        tcp.retransmissionTimeout = figure("rto")
        tcp.sendWindow = figure("snd_wnd")
        tcp.notSentBytes = figure("notsent")
        tcp.bytesAcked = figure("bytes_acked")
        tcp.bytesReceived = figure("bytes_received")
        tcp.bytesHandedOver = figure("bytes_sent") - figure("bytes_retrans") + figure("notsent")
        return Snapshot(
            tcp: tcp,
            at: .milliseconds(figures["t_ms"] ?? 0),
            silence: .milliseconds(figures["ms_since_app_reply"] ?? 0)
        )
    }

    /// The peer was asked when something was sent after it last spoke.
    private static func record(_ first: Snapshot, _ now: Snapshot) -> Diagnosis.Record {
        let asked = first.tcp.lastDataSent < first.tcp.lastDataReceived
        let sinceFirst = now.at - first.at
        return Diagnosis.Record(
            silence: now.silence,
            unansweredFor: asked && now.silence > sinceFirst
                ? .milliseconds(Int64(first.tcp.lastDataSent)) + sinceFirst : nil
        )
    }

    @Test("the scenarios that were measured are all there")
    func scenarioCount() {
        #expect(Self.scenarios.count == 12)
        #expect(Self.scenarios.map(\.snapshots.count).reduce(0, +) == 33)
        #expect(Set(Self.scenarios.map(\.expected)).count == 6)
    }

    @Test("each measured scenario gives its reason, between any two of its looks", arguments: scenarios)
    func measured(scenario: Scenario) {
        for (index, first) in scenario.snapshots.enumerated() {
            for now in scenario.snapshots.dropFirst(index + 1) {
                let diagnosis = Diagnosis(Self.record(first, now), first: first.tcp, now: now.tcp)
                #expect(diagnosis.code == scenario.expected, "\(diagnosis) at \(now.at.text)")
                var overdue = Self.record(first, now)
                overdue.isOverdue = true
                if scenario.name != "healthy" {
                    #expect(Diagnosis(overdue, first: first.tcp, now: now.tcp).code == scenario.expected)
                }
            }
        }
    }

    @Test("a second look is enough where the first was not taken", arguments: scenarios)
    func oneLook(scenario: Scenario) throws {
        let now = try #require(scenario.snapshots.last)
        let record = Diagnosis.Record(
            silence: now.silence,
            unansweredFor: ["peer_app_frozen", "own_backlog"].contains(scenario.name) ? .seconds(3) : nil
        )
        #expect(Diagnosis(record, now: now.tcp).code == scenario.expected)
    }

    // MARK: - Rules

    /// A connection with 200 ms of timeout on which a ping was sent 400 ms ago and acknowledged.
    private static var acknowledged: TCPEvidence {
        var tcp = TCPEvidence(state: .established)
        tcp.lastDataSent = 400
        tcp.lastAckReceived = 400
        tcp.lastDataReceived = 1_000
        tcp.roundTrip = 100
        tcp.retransmissionTimeout = 200_000
        tcp.sendWindow = 65_536
        tcp.notSentBytes = 0
        tcp.bytesAcked = 1_001
        tcp.questionEnd = 1_000
        return tcp
    }

    private static let overdue = Diagnosis.Record(
        silence: .seconds(1),
        unansweredFor: .milliseconds(700),
        isOverdue: true
    )

    private static func diagnosis(
        _ record: Diagnosis.Record = overdue,
        first: TCPEvidence? = nil,
        _ change: (inout TCPEvidence) -> Void
    ) -> Diagnosis {
        var tcp = Self.acknowledged
        change(&tcp)
        return Diagnosis(record, first: first, now: tcp)
    }

    @Test("each rule matches, and one figure less does not")
    func rules() {
        #expect(Self.diagnosis { _ in } == .acknowledgedUnanswered)
        #expect(Self.diagnosis { $0.unacked = 1 } == .unacknowledged)
        #expect(Self.diagnosis { ($0.unacked, $0.lastAckReceived, $0.questionEnd) = (1, 90, 2_000) } == .inconclusive)
        #expect(Self.diagnosis { ($0.unacked, $0.lastAckReceived) = (1, 90) } == .acknowledgedUnanswered)
        #expect(
            Self.diagnosis { ($0.unacked, $0.retransmits, $0.totalRetransmits, $0.lastDataSent) = (1, 1, 1, 100) }
                == .retransmissionUnanswered
        )
        #expect(Self.diagnosis { ($0.unacked, $0.retransmits) = (1, 1) } == .retransmissionSwallowed)
        #expect(Self.diagnosis { ($0.notSentBytes, $0.probes) = (5, 2) } == .transmissionSwallowed)
        #expect(Self.diagnosis { ($0.notSentBytes, $0.probes) = (5, 1) } == .transmissionSwallowed)
        #expect(
            Self.diagnosis {
                ($0.notSentBytes, $0.probes, $0.lastAckReceived, $0.questionEnd) = (5, 1, 150, 2_000)
            } == .inconclusive
        )
        #expect(Self.diagnosis { ($0.notSentBytes, $0.sendWindow, $0.probes) = (5, 0, 1) } == .closedWindow)
        #expect(Self.diagnosis { ($0.notSentBytes, $0.sendWindow, $0.probes) = (5, 0, 2) } == .closedWindowUnanswered)
        var probed = Self.acknowledged
        probed.probes = 1
        #expect(Self.diagnosis(first: probed) { $0.probes = 1 } == .keepaliveUnanswered)
        #expect(Self.diagnosis { $0.probes = 2 } == .keepaliveUnanswered)
        // Its answer may be on its way.
        #expect(Self.diagnosis { $0.probes = 1 } == .acknowledgedUnanswered)
        #expect(Diagnosis(Self.overdue, now: nil) == .noEvidence)
    }

    @Test("retransmissions that are counted and do not leave are ours, whatever was sent again before")
    func swallowedAfterOthers() {
        var first = Self.acknowledged
        (first.unacked, first.retransmits, first.totalRetransmits) = (1, 1, 40)
        let swallowed = Self.diagnosis(first: first) {
            ($0.unacked, $0.retransmits, $0.totalRetransmits, $0.lastDataSent) = (1, 2, 40, 150)
        }
        #expect(swallowed == .retransmissionSwallowed)
        let sent = Self.diagnosis(first: first) {
            ($0.unacked, $0.retransmits, $0.totalRetransmits, $0.lastDataSent) = (1, 2, 41, 150)
        }
        #expect(sent == .retransmissionUnanswered)
        // A retransmission that is due and did not happen.
        let overdue = Self.diagnosis(first: first) {
            ($0.unacked, $0.retransmits, $0.totalRetransmits, $0.lastDataSent) = (1, 1, 40, 241)
        }
        #expect(overdue == .retransmissionSwallowed)
    }

    @Test("what a router says names the reason where nobody answers, and only there")
    func networkError() {
        var record = Self.overdue
        record.networkError = .hostUnreachable
        let lost: (inout TCPEvidence) -> Void = {
            ($0.unacked, $0.retransmits, $0.totalRetransmits, $0.lastDataSent) = (1, 1, 1, 100)
        }
        #expect(Self.diagnosis(record, lost) == .reportedUnreachable)
        #expect(Self.diagnosis(record, lost).code == .pathUnreachable)
        #expect(Self.diagnosis(record) { $0.probes = 2 } == .reportedUnreachable)
        #expect(Self.diagnosis(record) { _ in } == .acknowledgedUnanswered)
        #expect(Self.diagnosis(record) { ($0.unacked, $0.retransmits) = (1, 1) } == .retransmissionSwallowed)
        record.networkError = .timedOut
        #expect(Self.diagnosis(record, lost) == .retransmissionUnanswered)
    }

    @Test(
        "what waited at the first look and was not acknowledged since is unacknowledged, however lately it was sent again"
    )
    func waitedSince() {
        var record = Self.overdue
        record.sinceFirst = .milliseconds(330)
        var first = Self.acknowledged
        let figures: (inout TCPEvidence) -> Void = {
            ($0.unacked, $0.lastDataSent, $0.lastAckReceived, $0.questionEnd) = (1, 40, 980, 2_000)
        }
        #expect(Self.diagnosis(record, first: first) { figures(&$0) } == .inconclusive)
        first.notSentBytes = 39
        #expect(Self.diagnosis(record, first: first) { figures(&$0) } == .unacknowledged)
        (first.notSentBytes, first.unacked) = (0, 1)
        #expect(Self.diagnosis(record, first: first) { figures(&$0) } == .unacknowledged)
        record.sinceFirst = .milliseconds(90)
        #expect(Self.diagnosis(record, first: first) { figures(&$0) } == .inconclusive)
    }

    @Test("a packet filter of ours is told from a lost path by what is in flight again")
    func filtered() {
        let figures: (inout TCPEvidence) -> Void = {
            ($0.unacked, $0.retransmits, $0.totalRetransmits, $0.lastDataSent, $0.lost) = (1, 3, 4, 28, 1)
        }
        #expect(Self.diagnosis { figures(&$0) } == .retransmissionSwallowed)
        let lost = Self.diagnosis {
            figures(&$0)
            $0.sentAgain = 1
        }
        #expect(lost == .retransmissionUnanswered)
    }

    @Test("what was held back at both looks is swallowed, although the peer repeats what we cannot acknowledge")
    func heldBack() {
        var first = Self.acknowledged
        (first.notSentBytes, first.probes) = (12, 1)
        let figures: (inout TCPEvidence) -> Void = {
            ($0.notSentBytes, $0.probes, $0.lastAckReceived, $0.questionEnd) = (24, 0, 140, 2_000)
        }
        #expect(Self.diagnosis(first: first) { figures(&$0) } == .transmissionSwallowed)
        // A window that is too small for a segment, and a connection that moves.
        let small = Self.diagnosis(first: first) {
            figures(&$0)
            $0.sendWindow = 20
        }
        #expect(small == .inconclusive)
        first.bytesAcked = 900
        #expect(Self.diagnosis(first: first) { figures(&$0) } == .ownBacklog)
    }

    @Test("what is delivered out of order is progress as well")
    func delivered() {
        var first = Self.acknowledged
        (first.delivered, first.questionEnd) = (40, 50_000)
        let delivered = Self.diagnosis(first: first) {
            ($0.unacked, $0.retransmits, $0.totalRetransmits, $0.delivered) = (7, 1, 8, 41)
        }
        #expect(delivered == .ownBacklog)
    }

    @Test("acknowledgements since the first look defer, while the question stood behind them")
    func ownBacklog() {
        var first = Self.acknowledged
        (first.bytesAcked, first.questionEnd) = (1_000, 50_000)
        #expect(Self.diagnosis(first: first) { ($0.bytesAcked, $0.unacked) = (2_000, 9) } == .ownBacklog)
        // Even while a segment of it is sent again.
        #expect(
            Self.diagnosis(first: first) { ($0.bytesAcked, $0.unacked, $0.retransmits) = (2_000, 9, 1) } == .ownBacklog
        )
        // The question has only just arrived.
        #expect(Self.diagnosis(first: first) { $0.bytesAcked = 60_000 } == .ownBacklog)
        // It had arrived before: what is acknowledged now is something else.
        (first.bytesAcked, first.questionEnd) = (50_001, 50_000)
        let acknowledged = Self.diagnosis(first: first) {
            ($0.bytesAcked, $0.unacked, $0.lastAckReceived) = (60_000, 9, 10)
        }
        #expect(acknowledged == .acknowledgedUnanswered)
        (first.bytesAcked, first.questionEnd) = (2_000, 50_000)
        #expect(Self.diagnosis(first: first) { ($0.bytesAcked, $0.unacked) = (2_000, 9) } == .unacknowledged)
    }

    @Test("where round trips differ much, an acknowledgement is waited for as long as the kernel would")
    func variableRoundTrips() {
        func diagnosis(sinceSent: UInt32, timeout: UInt32) -> Diagnosis {
            Self.diagnosis {
                ($0.unacked, $0.lastDataSent, $0.lastAckReceived) = (1, sinceSent, 9_000)
                ($0.roundTrip, $0.retransmissionTimeout) = (44_000, timeout)
            }
        }
        #expect(diagnosis(sinceSent: 187, timeout: 244_000) != .unacknowledged)
        #expect(diagnosis(sinceSent: 189, timeout: 244_000) == .unacknowledged)
        #expect(diagnosis(sinceSent: 535, timeout: 592_000) != .unacknowledged)
        #expect(diagnosis(sinceSent: 537, timeout: 592_000) == .unacknowledged)
    }

    @Test("a question that was acknowledged only after a failure of the path accuses no program")
    func acknowledgedLate() {
        let record = Diagnosis.Record(
            silence: .seconds(3),
            unansweredFor: .seconds(2),
            sinceFirst: .milliseconds(500),
            isOverdue: true
        )
        var first = Self.acknowledged
        first.questionEnd = nil
        func diagnosis(sinceAck: UInt32, retransmits: UInt32 = 3) -> Diagnosis {
            Self.diagnosis(record, first: first) {
                ($0.totalRetransmits, $0.lastAckReceived, $0.lastDataSent) = (retransmits, sinceAck, sinceAck + 100)
            }
        }
        #expect(diagnosis(sinceAck: 100) == .acknowledgedLate)
        // The failure may have begun before our question, right after the last thing that the peer said.
        #expect(diagnosis(sinceAck: 1_499) == .acknowledgedLate)
        #expect(diagnosis(sinceAck: 1_500) == .acknowledgedUnanswered)
        // Nothing had to be sent again: the path works, the program does not.
        #expect(diagnosis(sinceAck: 100, retransmits: 0) == .acknowledgedUnanswered)
        // It had been sent again when we looked first.
        (first.unacked, first.retransmits, first.totalRetransmits) = (1, 3, 3)
        #expect(diagnosis(sinceAck: 100) == .acknowledgedLate)
        // The question had long been acknowledged then, and only a later one was lost.
        first = Self.acknowledged
        (first.bytesAcked, first.questionEnd, first.lastAckReceived) = (600, 500, 900)
        #expect(diagnosis(sinceAck: 100) == .acknowledgedUnanswered)
        first.lastAckReceived = 400
        #expect(diagnosis(sinceAck: 100) == .acknowledgedLate)
    }

    @Test("a peer that was asked a moment ago is not accused, unless its time is over")
    func tooEarly() {
        var record = Self.overdue
        record.isOverdue = false
        #expect(Self.diagnosis(record) { _ in } == .acknowledgedUnanswered)
        record.unansweredFor = .milliseconds(400)
        #expect(Self.diagnosis(record) { _ in } == .tooEarly)
        record.unansweredFor = nil
        #expect(Self.diagnosis(record) { _ in } == .nothingOutstanding)
        record.silence = .milliseconds(400)
        #expect(Self.diagnosis(record) { _ in } == .tooEarly)
        record.isOverdue = true
        #expect(Self.diagnosis(record) { _ in } == .nothingOutstanding)
    }

    @Test("an older kernel that tells less leads to fewer conclusions, none of them false")
    func olderKernel() {
        let forget: (inout TCPEvidence) -> Void = {
            ($0.sendWindow, $0.notSentBytes, $0.bytesAcked, $0.questionEnd) = (nil, nil, nil, nil)
        }
        #expect(Self.diagnosis { forget(&$0) } == .acknowledgedUnanswered)
        #expect(
            Self.diagnosis {
                forget(&$0)
                ($0.unacked, $0.retransmits, $0.totalRetransmits, $0.lastDataSent) = (1, 1, 1, 100)
            } == .retransmissionUnanswered
        )
        for scenario in Self.scenarios {
            for now in scenario.snapshots {
                var tcp = now.tcp
                forget(&tcp)
                let code = Diagnosis(.init(silence: now.silence, isOverdue: true), now: tcp).code
                let allowed: Set<DisconnectReason.Code?> = [scenario.expected, .peerSilent, .pathLost]
                #expect(allowed.contains(code), "\(scenario.name) \(now.at.text)")
            }
        }
    }

    @Test("no figures whatever lead to a trap, and each rule explains itself in one sentence")
    func anyFigures() {
        var generator = SplitMix64(seed: 1)
        func any<Number: FixedWidthInteger & UnsignedInteger>() -> Number {
            let edges: [Number] = [0, 1, 2, .max, .max - 1]
            return Bool.random(using: &generator)
                ? edges[Int.random(in: 0..<5, using: &generator)] : Number.random(in: 0...Number.max, using: &generator)
        }
        func evidence() -> TCPEvidence {
            var tcp = TCPEvidence(state: .established)
            (tcp.retransmits, tcp.probes, tcp.backoff) = (any(), any(), any())
            (tcp.unacked, tcp.totalRetransmits, tcp.lastDataSent) = (any(), any(), any())
            (tcp.lastDataReceived, tcp.lastAckReceived, tcp.roundTrip) = (any(), any(), any())
            tcp.retransmissionTimeout = any()
            tcp.sendWindow = Bool.random(using: &generator) ? any() : nil
            tcp.notSentBytes = Bool.random(using: &generator) ? any() : nil
            tcp.bytesAcked = Bool.random(using: &generator) ? any() : nil
            tcp.questionEnd = Bool.random(using: &generator) ? any() : nil
            return tcp
        }
        var seen: Set<Diagnosis> = []
        for _ in 0..<50_000 {
            let record = Diagnosis.Record(
                silence: .milliseconds(Int64(any() as UInt32)),
                unansweredFor: Bool.random(using: &generator) ? .milliseconds(Int64(any() as UInt32)) : nil,
                queuedBytes: Int(any() as UInt32),
                networkError: Bool.random(using: &generator) ? .hostUnreachable : nil,
                isOverdue: Bool.random(using: &generator)
            )
            let first = Bool.random(using: &generator) ? evidence() : nil
            seen.insert(Diagnosis(record, first: first, now: evidence()))
        }
        #expect(seen == Set(Diagnosis.allCases).subtracting([.noEvidence]))
        for diagnosis in Diagnosis.allCases {
            let text = diagnosis.explanation
            #expect(!text.contains("\n") && !text.hasSuffix(".") && (20...110).contains(text.count), "\(text)")
        }
        #expect(Set(Diagnosis.allCases.map(\.explanation)).count == Diagnosis.allCases.count)
    }
}
