//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("events as JSON lines in the envelope of CloudEvents")
struct EventJSONTests {
    private let summary: ConnectionSummary
    private let untouched: ConnectionMachine.Figures

    init() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: .seconds(30)))
        self.untouched = connection.machine.figures
        connection.answersAfter = .microseconds(1_200)
        connection.answersWithToken = false
        connection.receivesMessage()
        connection.advance(by: .seconds(15))
        connection.receivesMessage()
        connection.writes(96)
        self.summary = ConnectionSummary(
            connection: ConnectionID(nonce: 42, number: 7),
            peer: "device-42",
            epoch: 7,
            remote: "192.0.2.7:51234",
            local: "192.0.2.1:7400",
            listener: "lines://0.0.0.0:7400",
            phase: .active,
            openedAt: WallClock(millisecondsSince1970: 1_767_225_600_000),
            duration: .microseconds(81_234_100),
            silence: .microseconds(29_990_400),
            bound: .seconds(30),
            figures: connection.machine.figures,
            detector: connection.machine.detectorState(at: connection.now)
        )
    }

    private static let time = WallClock(millisecondsSince1970: 1_767_225_681_234)

    /// The line read back, after its end was checked.
    private static func object(_ event: Event, sequence: UInt64 = 42) throws -> [String: JSONValue] {
        var line = event.jsonLine(id: "01J", source: "belay/node-1", sequence: sequence)
        #expect(line.popLast() == UInt8(ascii: "\n"))
        #expect(!line.contains(UInt8(ascii: "\n")))
        guard case .object(let object) = try JSONReader(maximumSize: 1 << 20).read(line.span.bytes) else {
            Issue.record("not an object")
            return [:]
        }
        return object
    }

    private static func data(_ kind: Event.Kind) throws -> [String: JSONValue] {
        guard case .object(let data) = try self.object(Event(kind, at: self.time))["data"] else {
            Issue.record("no data")
            return [:]
        }
        return data
    }

    private static let identification: [String: JSONValue] = [
        "connection": .string("c-000000000001A-7"), "peer": .string("device-42"), "epoch": .number(7),
        "remote": .string("192.0.2.7:51234"), "local": .string("192.0.2.1:7400"),
        "listener": .string("lines://0.0.0.0:7400"),
    ]

    private static let measurements: [String: JSONValue] = [
        "openedAt": .string("2026-01-01T00:00:00.000Z"), "durationMs": .number(81_234.1),
        "silenceMs": .number(29_990.4),
        "boundMs": .number(30_000), "rttMs": .number(1.201), "rttMeanMs": .number(1.201), "rttDeviationMs": .number(0),
        "detector": .object([
            "name": .string("fixed"), "marginMs": .null, "phi": .null, "localHealth": .number(1),
        ]),
        "pingsSent": .number(1), "pongsReceived": .number(1),
        "messagesIn": .number(2), "bytesIn": .number(28), "bytesOut": .number(104),
    ]

    @Test("the envelope has the fields of CloudEvents 1.0 and no others")
    func envelope() throws {
        var object = try Self.object(Event(.connectionOpened(self.summary), at: Self.time))
        object["data"] = nil
        #expect(
            object == [
                "specversion": .string("1.0"), "id": .string("01J"), "source": .string("belay/node-1"),
                "type": .string("dev.belay.connection.opened"), "time": .string("2026-01-01T00:01:21.234Z"),
                "subject": .string("device-42"), "sequence": .string("0000000000000042"),
                "datacontenttype": .string("application/json"),
            ]
        )
    }

    @Test("sequences sort as text", arguments: [1, 9, 10, 999_999, 9_999_999_999_999_999] as [UInt64])
    func sequences(sequence: UInt64) throws {
        let event = Event(.nodeStalled(length: .seconds(1)), at: Self.time)
        guard case .string(let text) = try Self.object(event, sequence: sequence)["sequence"],
            case .string(let previous) = try Self.object(event, sequence: sequence - 1)["sequence"]
        else {
            Issue.record("no sequence")
            return
        }
        #expect(text.count == 16)
        #expect(UInt64(text) == sequence)
        #expect(previous < text)
        #expect(try Self.object(event, sequence: .max)["sequence"] == .string(String(UInt64.max)))
    }

    @Test("a connection that was opened tells who, where and by which bound")
    func opened() throws {
        var expected = Self.identification
        expected["openedAt"] = Self.measurements["openedAt"]
        expected["boundMs"] = Self.measurements["boundMs"]
        #expect(try Self.data(.connectionOpened(self.summary)) == expected)
    }

    @Test("a suspicion and a recovery tell what was measured")
    func suspectedAndRecovered() throws {
        let expected = Self.identification.merging(Self.measurements) { $1 }
        let suspected = try Self.data(.connectionSuspected(self.summary, tcp: nil))
        let noEvidence = JSONValue.object(["errno": .null, "tcp": .null])
        #expect(suspected == expected.merging(["evidence": noEvidence]) { $1 })
        let recovered = try Self.data(.connectionRecovered(self.summary, afterSilence: .milliseconds(21_500)))
        #expect(recovered == expected.merging(["afterSilenceMs": .number(21_500)]) { $1 })
    }

    @Test("a close tells the reason, who caused it, what was measured, and the evidence")
    func closed() throws {
        let reason = DisconnectReason(.pathLost, phase: .active)
        var expected = Self.identification.merging(Self.measurements) { $1 }
        expected["reason"] = .string("path.lost")
        expected["initiator"] = .string("path")
        expected["phase"] = .string("active")
        expected["mayReconnect"] = .boolean(true)
        expected["evidence"] = .object(["errno": .null, "tcp": .null])
        #expect(try Self.data(.connectionClosed(self.summary, reason)) == expected)
    }

    @Test("evidence that is known is written, an errno by its name")
    func evidence() throws {
        let reason = DisconnectReason(
            .localKicked,
            phase: .draining,
            evidence: .init(
                errno: .connectionReset,
                detail: "a \"quoted\"\nline",
                goodbyeCode: "local.shutdown",
                retryAfter: .milliseconds(1_500),
                unsentBytes: 77
            )
        )
        let data = try Self.data(.connectionClosed(self.summary, reason))
        #expect(data["mayReconnect"] == .boolean(false))
        #expect(data["phase"] == .string("draining"))
        #expect(
            data["evidence"]
                == .object([
                    "errno": .string("ECONNRESET"), "tcp": .null, "detail": .string("a \"quoted\"\nline"),
                    "goodbyeCode": .string("local.shutdown"), "retryAfterMs": .number(1_500),
                    "unsentBytes": .number(77),
                ])
        )
    }

    @Test("the figures of the kernel and what was concluded from them are evidence")
    func tcpEvidence() throws {
        var tcp = TCPEvidence(state: .established)
        tcp.unacked = 2
        tcp.retransmits = 5
        tcp.backoff = 6
        tcp.probes = 1
        tcp.lost = 3
        tcp.sentAgain = 4
        tcp.bytesHandedOver = 6_000_000_000
        tcp.totalRetransmits = 7
        tcp.lastDataReceived = 29_990
        tcp.lastAckReceived = 29_991
        tcp.lastDataSent = 9_990
        tcp.sendWindow = 65_536
        tcp.bytesAcked = 5_000_000_000
        tcp.roundTrip = 812
        tcp.retransmissionTimeout = 6_400_000
        let evidence = DisconnectReason.Evidence(tcp: tcp, diagnosis: .retransmissionUnanswered)
        let reason = DisconnectReason(.pathLost, phase: .active, evidence: evidence)
        let figures: [String: JSONValue] = [
            "state": .string("established"), "unacked": .number(2), "retransmits": .number(5), "backoff": .number(6),
            "probes": .number(1), "totalRetransmits": .number(7), "lastDataReceivedMs": .number(29_990),
            "lastAckReceivedMs": .number(29_991), "lastDataSentMs": .number(9_990), "sendWindow": .number(65_536),
            "notSentBytes": .null, "bytesAcked": .number(5_000_000_000), "rttUs": .number(812), "lost": .number(3),
            "sentAgain": .number(4), "bytesHandedOver": .number(6_000_000_000),
            "rtoUs": .number(6_400_000),
        ]
        let expected: [String: JSONValue] = [
            "errno": .null, "tcp": .object(figures),
            "explanation": .string("what we sent was sent again and nobody acknowledges it"),
        ]
        #expect(try Self.data(.connectionClosed(self.summary, reason))["evidence"] == .object(expected))
        let suspected = try Self.data(.connectionSuspected(self.summary, tcp: tcp))
        #expect(suspected["evidence"] == .object(["errno": .null, "tcp": .object(figures)]))
    }

    @Test("what is not known is null, and the subject is then the address")
    func unknownPeer() throws {
        var summary = self.summary
        summary.peer = nil
        summary.epoch = nil
        summary.figures = self.untouched
        let event = Event(.connectionSuspected(summary, tcp: nil), at: Self.time)
        #expect(event.subject == "192.0.2.7:51234")
        #expect(try Self.object(event)["subject"] == .string("192.0.2.7:51234"))
        let data = try Self.data(.connectionSuspected(summary, tcp: nil))
        #expect(data["peer"] == .null)
        #expect(data["epoch"] == .null)
        #expect(data["rttMs"] == .null)
    }

    @Test("events of the node have no subject and their own data")
    func node() throws {
        let rows: [(Event.Kind, String, [String: JSONValue])] = [
            (
                .nodeStarted(listeners: ["lines://[::]:7400", "raw://0.0.0.0:1"]), "dev.belay.node.started",
                ["listeners": .array([.string("lines://[::]:7400"), .string("raw://0.0.0.0:1")])]
            ),
            (.nodeStarted(listeners: []), "dev.belay.node.started", ["listeners": .array([])]),
            (.nodeStalled(length: .milliseconds(750)), "dev.belay.node.stalled", ["stallMs": .number(750)]),
            (.nodeStopping(within: .seconds(10)), "dev.belay.node.stopping", ["drainMs": .number(10_000)]),
        ]
        for (kind, type, data) in rows {
            let event = Event(kind, at: Self.time)
            #expect(event.type == type)
            #expect(event.subject == nil)
            #expect(try Self.object(event)["subject"] == nil)
            #expect(try Self.data(kind) == data)
        }
    }

    @Test("each kind has its type")
    func types() {
        let reason = DisconnectReason(.peerClosed, phase: .active)
        let rows: [(Event.Kind, String)] = [
            (.connectionOpened(self.summary), "opened"), (.connectionSuspected(self.summary, tcp: nil), "suspected"),
            (.connectionRecovered(self.summary, afterSilence: .zero), "recovered"),
            (.connectionClosed(self.summary, reason), "closed"),
        ]
        for (kind, name) in rows { #expect(Event(kind, at: Self.time).type == "dev.belay.connection.\(name)") }
    }
}
