//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import BelaySocket

#if os(Linux)
/// What the fields of `struct inet_diag_msg` mean.
@Suite struct SocketEntryTests {
    private func read(_ change: (inout DiagnosticsEntry) -> Void) throws -> SocketEntry {
        var entry = DiagnosticsEntry()
        change(&entry)
        return try #require(entry.read)
    }

    @Test("every field is read from its place")
    func fields() throws {
        let entry = try self.read { $0.interface = 3 }
        #expect(entry.local.description == "192.0.2.1:7400")
        #expect(entry.remote?.description == "192.0.2.7:51234")
        #expect(entry.state == .established && entry.socketFamily == .ipv4)
        #expect(entry.cookie == 0x1122_3344_5566_7788)
        #expect(entry.interface == 3)
        #expect(entry.receiveQueueBytes == 11 && entry.sendQueueBytes == 22)
        #expect(entry.uid == 1_000 && entry.inode == 777)
        #expect(entry.timer == nil && entry.tcpInfo == nil && entry.memory == nil)
    }

    @Test("zeros that mean nothing are nil")
    func missing() throws {
        let entry = try self.read { ($0.interface, $0.inode, $0.uid) = (0, 0, 0) }
        #expect(entry.interface == nil && entry.inode == nil && entry.uid == nil)
        // Root's socket is root's.
        #expect(try self.read { $0.uid = 0 }.uid == 0)
        // Newer kernels know the user of a socket that its program has closed.
        #expect(try self.read { $0.inode = 0 }.uid == 1_000)
    }

    @Test("an IPv6 socket that speaks IPv4 has IPv4 addresses")
    func mapped() throws {
        let entry = try self.read { $0.family = 10 }
        #expect(entry.local.description == "192.0.2.1:7400")
        #expect(entry.socketFamily == .ipv6)
    }

    @Test("the queues of a listening socket are those of connections, not of bytes")
    func listening() throws {
        let entry = try self.read { ($0.state, $0.remote) = (10, TransportAddress(ipv4: 0, port: 0)) }
        #expect(entry.acceptQueueLength == 11 && entry.acceptQueueLimit == 22)
        #expect(entry.receiveQueueBytes == nil && entry.sendQueueBytes == nil)
        #expect(entry.remote == nil)
    }

    @Test("what is only a remainder or a beginning of a connection has no queues")
    func noQueues() throws {
        // A FIN-WAIT-2 that the kernel keeps as a TIME-WAIT socket, and a SYN that is not answered yet.
        for (state, timer, inode) in [(UInt8(6), UInt8(3), UInt32(0)), (5, 3, 0), (3, 1, 0)] {
            let entry = try self.read { ($0.state, $0.timer, $0.inode) = (state, timer, inode) }
            #expect(entry.receiveQueueBytes == nil && entry.sendQueueBytes == nil)
        }
        #expect(try self.read { ($0.state, $0.timer) = (5, 2) }.receiveQueueBytes == 11)
        #expect(try self.read { $0.state = 3 }.receiveQueueBytes == 11)
    }

    @Test(
        "the timer has its kind, its retransmits and its time",
        arguments: zip(1...4 as ClosedRange<UInt8>, SocketTimer.Kind.allCases)
    )
    func timers(number: UInt8, kind: SocketTimer.Kind) throws {
        let entry = try self.read { ($0.timer, $0.retransmits, $0.expires) = (number, 5, 1_234) }
        let timer = try #require(entry.timer)
        #expect(timer.kind == kind && timer.retransmits == 5 && timer.milliseconds == 1_234)
    }

    @Test("a timer that is overdue is due now, and one that is not known is none")
    func oddTimers() throws {
        let overdue = UInt32(bitPattern: -20)
        #expect(try self.read { ($0.timer, $0.expires) = (1, overdue) }.timer?.milliseconds == 0)
        for number: UInt8 in [0, 5, 255] { #expect(try self.read { $0.timer = number }.timer == nil) }
    }

    @Test("memory has as many figures as the kernel gives, 7 at least")
    func memory() throws {
        func memory(_ count: UInt32) throws -> SocketMemory? {
            let value = (1...count).flatMap { ScriptedNetlink.bytes($0) }
            return try self.read { $0.attributes = [(7, value)] }.memory
        }
        let all = try #require(try memory(10))
        #expect(all.receiveAllocated == 1 && all.receiveBuffer == 2 && all.sendAllocated == 3 && all.sendBuffer == 4)
        #expect(all.forwardAllocated == 5 && all.sendQueued == 6 && all.options == 7)
        #expect(all.backlog == 8 && all.dropped == 9)
        #expect(try memory(8)?.backlog == 8)
        #expect(try #require(try memory(8)).dropped == nil)
        #expect(try #require(try memory(7)).backlog == nil)
        #expect(try memory(6) == nil)
    }

    @Test("an attribute that is not known is passed over, and flags of its type do not hide it")
    func attributes() throws {
        let memory = [UInt8](repeating: 1, count: 36)
        let flagged = UInt16(7) | 0x8000
        #expect(try self.read { $0.attributes = [(200, [1]), (8, []), (flagged, memory)] }.memory != nil)
    }

    @Test("an attribute that runs over the end, or has no length, ends the reading")
    func brokenAttributes() throws {
        let memory = [UInt8](repeating: 1, count: 36)
        for length: UInt16 in [0, 3, 41, 65_535] {
            var bytes = try #require(Optional(DiagnosticsEntry(attributes: [(7, memory)]).bytes))
            bytes[72] = UInt8(truncatingIfNeeded: length)
            bytes[73] = UInt8(length >> 8)
            let entry = try #require(bytes.withUnsafeBytes { SocketEntry(kernelBytes: $0) })
            #expect(entry.memory == nil && entry.local.port == 7_400)
        }
    }

    @Test("what is too short, or of a family or state that does not exist, is no socket")
    func notASocket() throws {
        let bytes = DiagnosticsEntry().bytes
        for count in 0..<72 { #expect(bytes[..<count].withUnsafeBytes { SocketEntry(kernelBytes: $0) } == nil) }
        #expect(DiagnosticsEntry(family: 1).read == nil)
        #expect(DiagnosticsEntry(state: 0).read == nil)
        #expect(DiagnosticsEntry(state: 14).read == nil)
        // TCP_BOUND_INACTIVE.
        #expect(DiagnosticsEntry(state: 13).read?.state == .closed)
    }

    @Test("a socket without details takes little memory in a list")
    func size() {
        #expect(MemoryLayout<SocketEntry>.stride <= 96)
    }
}
#endif
