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
/// Which sockets match, and what the kernel is asked to compare.
@Suite struct SocketFilterTests {
    private func filter(_ change: (inout SocketFilter) -> Void) -> SocketFilter {
        var filter = SocketFilter()
        change(&filter)
        return filter
    }

    @Test("a state is the kernel's bit of its number, and SYN-RECEIVED is two")
    func stateMask() {
        #expect(SocketFilter.all.stateMask == .max)
        #expect(self.filter { $0.states = [] }.stateMask == 0)
        #expect(self.filter { $0.states = [.established, .listen] }.stateMask == 1 << 1 | 1 << 10)
        for state in [TCPState.synReceived, .newSynReceived] {
            #expect(self.filter { $0.states = [state] }.stateMask == 1 << 3 | 1 << 12)
        }
        let connections = [1, 2, 3, 4, 5, 8, 9, 11, 12].reduce(0 as UInt32) { $0 | 1 << $1 }
        #expect(SocketFilter.connections.stateMask == connections)
    }

    @Test("bound sockets are asked for where closed ones are")
    func boundSockets() {
        func states(_ filter: SocketFilter) -> UInt32 {
            let payload = DiagnosticsRequest.dump(.ipv4, matching: filter, details: []).payload
            return payload.withUnsafeBytes { $0.value(at: 4, as: UInt32.self) } ?? 0
        }
        #expect(states(self.filter { $0.states = [.closed] }) == 1 << 7 | 1 << 13)
        #expect(states(self.filter { $0.states = [.established] }) == 1 << 1)
        #expect(states(.all) == .max)
    }

    @Test("everything that is set must match")
    func matches() throws {
        let entry = try #require(DiagnosticsEntry().read)
        #expect(SocketFilter.all.matches(entry) && SocketFilter.connections.matches(entry))
        let matching: [(inout SocketFilter) -> Void] = [
            { $0.family = .ipv4 }, { $0.states = [.established] }, { $0.port = 7_400 }, { $0.port = 51_234 },
            { $0.localPort = 7_400 }, { $0.remotePort = 51_234 }, { $0.uid = 1_000 }, { $0.inodes = [1, 777] },
        ]
        let others: [(inout SocketFilter) -> Void] = [
            { $0.family = .ipv6 }, { $0.states = [.listen] }, { $0.states = [] }, { $0.port = 1 },
            { $0.localPort = 51_234 }, { $0.remotePort = 7_400 }, { $0.uid = 0 }, { $0.inodes = [] },
            { $0.inodes = [0, 1] },
        ]
        for change in matching { #expect(self.filter(change).matches(entry)) }
        for change in others {
            #expect(!self.filter(change).matches(entry))
            for alsoMatching in matching {
                var both = self.filter(alsoMatching)
                change(&both)
                #expect(!both.matches(entry))
            }
        }
    }

    @Test("what a socket does not have matches nothing that is asked for")
    func missing() throws {
        let listener = try #require(DiagnosticsEntry(state: 10, remote: TransportAddress(ipv4: 0, port: 0)).read)
        #expect(!self.filter { $0.remotePort = 0 }.matches(listener))
        #expect(!self.filter { $0.port = 0 }.matches(listener))
        let orphan = try #require(DiagnosticsEntry(uid: 0, inode: 0).read)
        #expect(!self.filter { $0.uid = 0 }.matches(orphan))
        #expect(!self.filter { $0.inodes = [0] }.matches(orphan))
    }

    @Test("a connection whose beginning the kernel holds is told as SYN-RECEIVED")
    func synReceived() throws {
        let loopback = try Loopback()
        // The kernel does not complete a connection before its first byte.
        let waiting = try loopback.connectDeferred()
        defer { waiting.close() }
        let server = try loopback.serverAddress
        let entry = try #require(try SocketInventory.find(local: server, remote: waiting.address))
        #expect(entry.state == .synReceived)
        #expect(entry.inode == nil && entry.uid == nil && entry.tcpInfo == nil && entry.memory == nil)
        #expect(entry.receiveQueueBytes == nil && entry.sendQueueBytes == nil)
        #expect(entry.timer?.kind == .retransmission)
        for state in [TCPState.synReceived, .newSynReceived] {
            let listed = try SocketInventory.sockets(
                matching: self.filter { ($0.states, $0.localPort) = ([state], server.port) }
            )
            #expect(listed.map(\.remote) == [waiting.address])
        }
    }
}
#endif
