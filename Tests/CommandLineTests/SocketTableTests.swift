//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import BelaySocket
@testable import belay

@Suite("the table of belay inspect")
struct SocketTableTests {
    /// Connections of a program with a long name to a peer with a long address.
    private static func sockets(_ verdicts: [Verdict], command: String = "a-long-program") throws -> [InspectedSocket] {
        try verdicts.enumerated().map { index, verdict in
            let entry = try SocketEntry.example(remotePort: UInt16(40_000 + index))
            let owner = SocketOwner(pid: 4_194_304, command: command, descriptor: 7)
            var socket = InspectedSocket(entry, after: nil, elapsed: .zero, owners: [owner])
            socket.appraisal = Appraisal(
                verdict: verdict,
                code: verdict == .dead ? .pathLost : nil,
                explanation: "what we sent was sent again and nobody acknowledges it"
            )
            return socket
        }
    }

    private static func lines(_ table: SocketTable, _ sockets: [InspectedSocket]) -> [Substring] {
        table.text(of: sockets).split(separator: "\n")
    }

    @Test("no line is longer than the terminal is wide, and the verdict and the peer are always there")
    func width() throws {
        let sockets = try Self.sockets([.dead, .alive])
        for width in stride(from: 40, through: 250, by: 3) {
            let lines = Self.lines(SocketTable(width: width), sockets)
            #expect(lines.count == 3)
            #expect(lines.allSatisfy { $0.count <= width }, "\(width)")
            guard width >= 60 else { continue }
            #expect(lines[1].hasPrefix("dead") && lines[1].contains("[2001:db8::ffff:1234]:40000"), "\(width)")
        }
        let all = Self.lines(SocketTable(), sockets)
        #expect(
            all[0].split(separator: " ").map(String.init) == [
                "VERDICT", "REASON", "SILENCE", "PROCESS", "LOCAL", "REMOTE", "RTT", "RETRANS", "RECV-Q", "SEND-Q",
                "WHY",
            ]
        )
        #expect(all[1].hasSuffix("nobody acknowledges it"))
    }

    @Test("columns stand under each other")
    func alignment() throws {
        let lines = Self.lines(SocketTable(), try Self.sockets([.dead, .suspect, .alive]))
        let column = try #require(lines[0].ranges(of: "REMOTE").first?.lowerBound)
        let distance = lines[0].distance(from: lines[0].startIndex, to: column)
        for line in lines.dropFirst() { #expect(line.dropFirst(distance).hasPrefix("[2001:db8::ffff:1234]:")) }
    }

    @Test("colours are for what is wrong, and only where they are wanted")
    func colours() throws {
        let sockets = try Self.sockets([.dead, .suspect, .alive])
        #expect(!SocketTable().text(of: sockets).contains("\u{1B}"))
        let lines = Self.lines(SocketTable(isColoured: true), sockets)
        #expect(lines.map { $0.hasPrefix("\u{1B}[") } == [false, true, true, false])
        #expect(lines[1].hasSuffix("\u{1B}[0m"))
    }

    @Test("what is alive fills the terminal, what is not is shown in any case")
    func height() throws {
        var table = SocketTable()
        table.aliveRows = 3
        let mostlyAlive = try Self.sockets([.dead] + [Verdict](repeating: .alive, count: 20))
        #expect(Self.lines(table, mostlyAlive).count == 1 + 3 + 1)
        #expect(table.text(of: mostlyAlive).hasSuffix("... and 18 more that are alive\n"))
        let allDead = try Self.sockets([Verdict](repeating: .dead, count: 20))
        #expect(Self.lines(table, allDead).count == 1 + 20)
    }

    @Test("the name of a process cannot steer the terminal")
    func names() throws {
        let sockets = try Self.sockets([.alive], command: "a\u{1B}[31m\nb\u{202E}c")
        let text = SocketTable().text(of: sockets)
        #expect(text.contains("a?[31m?b?c[4194304]"))
        #expect(text.split(separator: "\n").count == 2)
    }

    @Test("the worst comes first")
    func order() throws {
        let sockets = try Self.sockets([.alive, .dead, .suspect, .alive, .dead]).sorted(by: InspectedSocket.isWorse)
        #expect(sockets.map(\.appraisal.verdict) == [.dead, .dead, .suspect, .alive, .alive])
    }

    @Test("durations are short, and never more digits than they are worth")
    func durations() {
        let rows: [(Duration, String)] = [
            (.zero, "0us"), (.microseconds(840), "840us"), (.microseconds(999), "999us"), (.milliseconds(1), "1ms"),
            (.milliseconds(999), "999ms"), (.milliseconds(1_234), "1.2s"), (.milliseconds(9_949), "9.9s"),
            (.seconds(12), "12s"), (.seconds(99), "99s"), (.seconds(100), "2m"), (.seconds(3_600), "60m"),
            (.seconds(6_000), "2h"), (.seconds(4_294_967), "1193h"),
        ]
        for (duration, text) in rows { #expect(duration.rounded == text) }
    }
}

extension SocketEntry {
    /// An established IPv6 connection.
    fileprivate static func example(remotePort: UInt16) throws -> SocketEntry {
        SocketEntry(
            local: try TransportAddress(text: "[2001:db8::1]:7400"),
            rawRemote: try TransportAddress(text: "[2001:db8::ffff:1234]:\(remotePort)"),
            cookie: UInt64(remotePort),
            details: nil,
            rawInterface: 0,
            rawReceiveQueue: 0,
            rawSendQueue: 0,
            rawUser: 0,
            rawInode: 1,
            rawExpires: 0,
            rawTimer: 0,
            rawRetransmits: 0,
            socketFamily: .ipv6,
            state: .established
        )
    }
}
