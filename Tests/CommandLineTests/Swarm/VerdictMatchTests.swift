//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import belay

@Suite("a server's events held against the faults of a swarm")
struct VerdictMatchTests {
    private static let local = "127.0.0.1:40000"
    /// In milliseconds since 1970.
    private static let began: Int64 = 1_800_000_000_000

    private static func nanoseconds(_ milliseconds: Double) -> Int64 {
        Self.began * 1_000_000 + Int64(milliseconds * 1_000_000)
    }

    /// A connection that began at 0 ms; times are milliseconds after that.
    private static func record(
        _ kind: SwarmFault.Kind? = nil,
        at: Double = 1_000,
        lastSentAt: Double = 900,
        closedAt: Double? = nil,
        freezes: [(Double, Double)] = []
    ) -> SwarmRecord {
        var record = SwarmRecord(local: Self.local, startedAt: Self.nanoseconds(0))
        record.strike = kind.map {
            .init(kind: $0, at: Self.nanoseconds(at), lastSentAt: Self.nanoseconds(lastSentAt))
        }
        record.closedAt = closedAt.map(Self.nanoseconds)
        record.freezes = freezes.map { .init(lastSentAt: Self.nanoseconds($0), endedAt: Self.nanoseconds($1)) }
        return record
    }

    private static func event(
        _ reason: String?,
        at: Int64,
        openedAt: Int64 = 0,
        remote: String = Self.local,
        connection: String = "c-1",
        listener: String = "raw://0.0.0.0:7400"
    ) throws -> ServerEvent {
        let times = [at, openedAt].map { WallClock(millisecondsSince1970: Self.began + $0).text }
        let type = reason == nil ? "opened" : "closed"
        let reason = reason.map { "\"reason\":\"\($0)\"," } ?? ""
        let line = """
            {"type":"dev.belay.connection.\(type)","time":"\(times[0])","data":{"connection":"\(connection)",\
            "remote":"\(remote)","listener":"\(listener)",\(reason)"openedAt":"\(times[1])","boundMs":2000}}
            """
        let event = Self.read(line)
        return try #require(event)
    }

    private static func read(_ line: String) -> ServerEvent? {
        let bytes = Array(line.utf8)
        return ServerEvent(line: bytes.span.bytes)
    }

    private static func verdicts(_ records: [SwarmRecord], _ events: [ServerEvent]) -> Verdicts {
        var match = VerdictMatch(records: records, format: .raw)
        for event in events { match.add(event) }
        return match.verdicts
    }

    @Test("another swarm's connection from the same port to another listener is not taken for ours")
    func otherListener() throws {
        let others = try [nil, "peer.reset"].map { reason in
            try Self.event(reason, at: 1_000, openedAt: 500, connection: "c-2", listener: "lines://0.0.0.0:7401")
        }
        let ours = try Self.event("peer.reset", at: 1_001, connection: "c-1")
        let verdicts = Self.verdicts([Self.record(.reset)], others + [ours])
        #expect(verdicts.right == 1)
        #expect(verdicts.wrong == 0)
        #expect(verdicts.missed == 0)
    }

    @Test(
        "a reason that fits is right, any other is wrong",
        arguments: zip(
            [SwarmFault.Kind.close, .reset, .bye, .babble, .flap, .stopReading, .silence],
            [
                "peer.closed", "peer.reset", "peer.goodbye", "policy.protocol-violation", "peer.closed",
                "peer.not-reading",
                "peer.frozen",
            ]
        )
    )
    func reasons(kind: SwarmFault.Kind, reason: String) throws {
        let right = Self.verdicts([Self.record(kind)], [try Self.event(nil, at: 1), try Self.event(reason, at: 2_901)])
        #expect(right.isGood && right.right == 1 && right.known == 1)
        #expect(right.faults[kind]?.reasons == [reason: 1])
        #expect(right.faults[kind]?.latencies == [1_901])
        let wrong = Self.verdicts([Self.record(kind)], [try Self.event("local.failed", at: 2_901)])
        #expect(!wrong.isGood && wrong.wrong == 1 && wrong.right == 0)
        #expect(wrong.examples.count == 1)
    }

    @Test("lateness runs from the last byte and the bound")
    func lateness() throws {
        let verdicts = Self.verdicts([Self.record(.silence)], [try Self.event("peer.silent", at: 2_890)])
        #expect(verdicts.faults[.silence]?.latenesses == [-10])
        let late = Self.verdicts([Self.record(.silence)], [try Self.event("peer.silent", at: 3_500)])
        #expect(late.faults[.silence]?.latenesses == [600])
    }

    @Test("a silence that is judged long before the bound is over is judged falsely")
    func early() throws {
        let verdicts = Self.verdicts([Self.record(.silence)], [try Self.event("peer.frozen", at: 1_500)])
        #expect(!verdicts.isGood)
        #expect(verdicts.false == ["peer.frozen": 1])
        // The last byte may have answered a ping from before a freeze, and proves no more than that.
        let thawed = Self.record(.silence, at: 1_450, lastSentAt: 1_400, freezes: [(900, 1_399)])
        #expect(Self.verdicts([thawed], [try Self.event("peer.frozen", at: 2_890)]).isGood)
        #expect(Self.verdicts([thawed], [try Self.event("peer.frozen", at: 2_600)]).falseCount == 1)
        // And the swarm may have been slow itself.
        var slow = VerdictMatch(records: [Self.record(.silence)], ownDelay: .seconds(2))
        slow.add(try Self.event("peer.frozen", at: 1_500))
        #expect(slow.verdicts.isGood)
    }

    @Test("whoever never spoke before it fell silent may fail the handshake, whoever spoke may not")
    func handshake() throws {
        for kind in [SwarmFault.Kind.silence, .stopReading] {
            var record = Self.record(kind)
            let event = try Self.event("policy.handshake-timeout", at: 2_900)
            #expect(Self.verdicts([record], [event]).wrong == 1)
            record.strike?.hasSpoken = false
            #expect(Self.verdicts([record], [event]).isGood)
        }
        var record = Self.record(.reset)
        record.strike?.hasSpoken = false
        #expect(Self.verdicts([record], [try Self.event("policy.handshake-timeout", at: 2_900)]).wrong == 1)
    }

    @Test("a fault that is not reported is missed")
    func missed() throws {
        let verdicts = Self.verdicts([Self.record(.reset)], [try Self.event(nil, at: 1)])
        #expect(!verdicts.isGood && verdicts.missed == 1)
        #expect(Self.verdicts([Self.record(.reset)], []).known == 0)
    }

    @Test("a silence is undecided while its bound is not over at the end, and missed after that")
    func undecided() throws {
        let closed = try Self.event("peer.closed", at: 2_500)
        let early = Self.verdicts([Self.record(.silence, closedAt: 2_500)], [closed])
        #expect(early.isGood && early.undecided == 1)
        let late = Self.verdicts(
            [Self.record(.silence, closedAt: 5_000)],
            [try Self.event("peer.closed", at: 5_000)]
        )
        #expect(!late.isGood && late.missed == 1)
    }

    @Test("a verdict on a connection that behaved is false")
    func falseVerdict() throws {
        let verdicts = Self.verdicts([Self.record(closedAt: 9_000)], [try Self.event("peer.frozen", at: 4_000)])
        #expect(!verdicts.isGood && verdicts.false == ["peer.frozen": 1])
        // Before its fault a connection behaves, too.
        let before = Self.verdicts([Self.record(.close)], [try Self.event("peer.closed", at: 998)])
        #expect(before.false == ["peer.closed": 1])
        // Within the millisecond of the fault it is the fault's.
        let within = Self.verdicts([Self.record(.close, at: 1_000.9)], [try Self.event("peer.closed", at: 1_000)])
        #expect(within.isGood && within.right == 1)
    }

    @Test("an orderly end at the end of the swarm is right as FIN or goodbye, and has to be reported")
    func endings() throws {
        for reason in ["peer.closed", "peer.goodbye"] {
            let verdicts = Self.verdicts([Self.record(closedAt: 9_000)], [try Self.event(reason, at: 9_000)])
            #expect(verdicts.isGood && verdicts.endings.right == 1)
        }
        let wrong = Self.verdicts([Self.record(closedAt: 9_000)], [try Self.event("peer.reset", at: 9_000)])
        #expect(!wrong.isGood && wrong.endings.wrong == 1)
        let silent = Self.verdicts([Self.record(closedAt: 9_000)], [try Self.event(nil, at: 1)])
        #expect(!silent.isGood && silent.endings.missed == 1)
    }

    @Test("a freeze longer than the bound has to be noticed, a shorter one must not be")
    func freezes() throws {
        let frozen = try Self.event("peer.frozen", at: 2_990)
        let long = Self.record(closedAt: 9_000, freezes: [(1_000, 4_000)])
        #expect(Self.verdicts([long], [frozen]).faults[.freeze]?.right == 1)
        let closed = try Self.event("peer.closed", at: 9_000)
        #expect(Self.verdicts([long], [closed]).faults[.freeze]?.missed == 1)
        let short = Self.record(closedAt: 9_000, freezes: [(1_000, 2_000)])
        #expect(Self.verdicts([short], [frozen]).falseCount == 1)
        #expect(Self.verdicts([short], [closed]).isGood)
        // Long after a freeze it is no excuse any more.
        #expect(Self.verdicts([long], [try Self.event("peer.frozen", at: 6_000)]).falseCount == 1)
    }

    @Test("events of others are skipped, and of connections that had the same port before")
    func others() throws {
        let verdicts = Self.verdicts(
            [Self.record(closedAt: 9_000)],
            [
                try Self.event("peer.reset", at: 5, remote: "127.0.0.9:1", connection: "c-7"),
                try Self.event("peer.reset", at: -3, openedAt: -50, connection: "c-8"),
                try Self.event("peer.closed", at: 9_000),
            ]
        )
        #expect(verdicts.isGood && verdicts.known == 1 && verdicts.endings.right == 1)
    }

    @Test("a port that is used again is told apart by when its connections were opened")
    func portUsedAgain() throws {
        var second = Self.record(.silence, at: 5_000, lastSentAt: 5_000)
        second.startedAt = Self.nanoseconds(2_000)
        let verdicts = Self.verdicts(
            [second, Self.record(.reset)],
            [
                try Self.event("peer.reset", at: 1_001),
                try Self.event("peer.frozen", at: 6_990, openedAt: 2_000, connection: "c-2"),
            ]
        )
        #expect(verdicts.isGood && verdicts.right == 2)
    }

    @Test("two ends of one connection are one too many")
    func repeated() throws {
        let event = try Self.event("peer.reset", at: 1_001)
        let verdicts = Self.verdicts([Self.record(.reset)], [event, event])
        #expect(verdicts.repeated == 1 && !verdicts.isGood)
    }

    @Test("events of other kinds and lines that are none are skipped")
    func otherLines() {
        for line in [
            "", "{", "[]", "{\"type\":\"dev.belay.node.started\",\"time\":\"2026-01-01T00:00:00.000Z\",\"data\":{}}",
        ] {
            #expect(Self.read(line) == nil)
        }
    }

    @Test(
        "the time of an event is read as it is written",
        arguments: [0, 951_782_400_123, 1_800_000_000_999, 4_107_542_400_000]
    )
    func wallClock(milliseconds: Int64) {
        let time = WallClock(millisecondsSince1970: milliseconds)
        #expect(WallClock(text: time.text) == time)
        for wrong in ["", "2026-01-01", "2026-13-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "2026-01-01T00:00:00Z"]
        {
            #expect(WallClock(text: wrong) == nil)
        }
    }
}
