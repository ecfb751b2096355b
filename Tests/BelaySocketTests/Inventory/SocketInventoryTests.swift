//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Synchronization
import Testing

@testable import BelaySocket

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

#if os(Linux)
/// Real sockets in the kernel's real tables.
@Suite struct SocketInventoryTests {
    // MARK: - Finding

    @Test("both ends of a connection are found by their addresses", arguments: Loopback.Kind.allCases)
    func find(kind: Loopback.Kind) throws {
        let loopback = try Loopback(kind)
        let client = try loopback.clientEntry()
        let server = try loopback.serverEntry()
        #expect(try client.local == loopback.clientAddress)
        #expect(try client.remote == loopback.serverAddress)
        #expect(server.local == client.remote && server.remote == client.local)
        for entry in [client, server] {
            #expect(entry.state == .established)
            #expect(entry.local.family == (kind == .ipv6 ? .ipv6 : .ipv4))
            #expect(entry.uid == geteuid())
            #expect(entry.interface == nil)
            #expect(entry.tcpInfo?.state == .established)
            #expect(entry.receiveQueueBytes == 0 && entry.sendQueueBytes == 0)
            #expect(entry.acceptQueueLength == nil && entry.acceptQueueLimit == nil)
            #expect(try #require(entry.memory).receiveBuffer > 0)
        }
        #expect(client.socketFamily == (kind == .ipv6 ? .ipv6 : .ipv4))
        #expect(server.socketFamily == (kind == .ipv4 ? .ipv4 : .ipv6))
        #expect(try [client.cookie, server.cookie] == Array(loopback.cookies.prefix(2)))
        #expect(client.inode != server.inode)
    }

    @Test("a pair that no connection has is not found, although somebody listens at its local end")
    func findNothing() throws {
        let loopback = try Loopback()
        let stranger = try #require(TransportAddress(host: "127.0.0.1", port: 1))
        #expect(try SocketInventory.find(local: loopback.serverAddress, remote: stranger) == nil)
        #expect(try SocketInventory.lookUp(local: loopback.serverAddress, remote: stranger, through: .system) != nil)
        #expect(try SocketInventory.find(local: stranger, remote: stranger) == nil)
        let ipv6 = try #require(TransportAddress(host: "::1", port: 1))
        #expect(try SocketInventory.find(local: stranger, remote: ipv6) == nil)
    }

    @Test("a connection bound to an interface, which the kernel does not look up without it, is found and names it")
    func findBound() throws {
        let loopback = try Loopback(interface: "lo")
        let pair = (local: try loopback.clientAddress, remote: try loopback.serverAddress)
        #expect(try SocketInventory.lookUp(local: pair.local, remote: pair.remote, through: .system) == nil)
        #expect(try loopback.clientEntry().interface == if_nametoindex("lo"))
    }

    @Test("the inode that fstat tells leads to the socket", arguments: Loopback.Kind.allCases)
    func findByInode(kind: Loopback.Kind) throws {
        let loopback = try Loopback(kind)
        for (descriptor, entry) in [
            (loopback.client, try loopback.clientEntry()), (loopback.server, try loopback.serverEntry()),
        ] {
            var status = stat()
            try #require(fstat(descriptor, &status) == 0)
            let inode = UInt32(status.st_ino)
            #expect(entry.inode == inode)
            let found = try #require(try SocketInventory.find(inode: inode))
            #expect(found.cookie == entry.cookie && found.local == entry.local)
        }
        #expect(try SocketInventory.find(inode: 0) == nil)
    }

    // MARK: - Listing

    @Test("a list has both ends and the listening socket", arguments: Loopback.Kind.allCases)
    func list(kind: Loopback.Kind) throws {
        let loopback = try Loopback(kind)
        #expect(try Set(loopback.listed(.all).map(\.cookie)) == Set(loopback.cookies))
        #expect(try Set(loopback.listed(.connections).map(\.cookie)) == Set(loopback.cookies.prefix(2)))
        let server = try loopback.serverAddress
        var filter = SocketFilter()
        filter.states = [.listen]
        filter.localPort = server.port
        let listening = try SocketInventory.sockets(matching: filter)
        #expect(listening.map(\.local) == [server])
        #expect(listening.map(\.remote) == [nil])
        #expect(try listening.map(\.cookie) == [loopback.cookies[2]])
    }

    @Test("the port of either end, of this end and of the far end", arguments: Loopback.Kind.allCases)
    func ports(kind: Loopback.Kind) throws {
        let loopback = try Loopback(kind)
        let client = try loopback.clientAddress.port
        let server = try loopback.serverAddress.port
        func locals(_ set: (inout SocketFilter) -> Void) throws -> [UInt16] {
            var filter = SocketFilter()
            set(&filter)
            let (sockets, told) = try Self.counted(filter)
            // The kernel compared: nothing else was told.
            #expect(told == sockets.count)
            let cookies = try loopback.cookies
            return sockets.filter { cookies.contains($0.cookie) }.map(\.local.port).sorted()
        }
        // The client's port belongs to this connection alone, the server's to its listening socket as well.
        #expect(try locals { $0.port = client } == [client, server].sorted())
        #expect(try locals { $0.port = server } == [client, server, server].sorted())
        #expect(try locals { $0.localPort = client } == [client])
        #expect(try locals { $0.remotePort = client } == [server])
        #expect(try locals { ($0.localPort, $0.remotePort) = (server, client) } == [server])
        #expect(try locals { ($0.localPort, $0.port) = (server, client) } == [server])
        #expect(try locals { ($0.localPort, $0.states) = (server, [.listen]) } == [server])
        #expect(try locals { ($0.port, $0.states) = (server, [.established]) } == [client, server].sorted())
        #expect(try locals { ($0.port, $0.family) = (server, kind == .ipv6 ? .ipv6 : .ipv4) }.count == 3)
        #expect(
            try locals { ($0.port, $0.family, $0.localPort) = (server, .ipv4, client) }.count == (kind == .ipv6 ? 0 : 1)
        )
    }

    @Test("an IPv6 socket that speaks IPv4 is not listed as IPv6")
    func mappedFamily() throws {
        let loopback = try Loopback(.mapped)
        var filter = SocketFilter()
        filter.port = try loopback.clientAddress.port
        filter.family = .ipv6
        #expect(try loopback.listed(filter).isEmpty)
    }

    @Test("user and inodes are compared, too")
    func userAndInodes() throws {
        let loopback = try Loopback()
        var filter = SocketFilter()
        filter.port = try loopback.clientAddress.port
        filter.uid = geteuid()
        #expect(try loopback.listed(filter).count == 2)
        filter.uid = geteuid() + 1
        #expect(try loopback.listed(filter).isEmpty)
        filter.uid = nil
        filter.inodes = [try #require(try loopback.serverEntry().inode)]
        #expect(try loopback.listed(filter).map(\.local) == [try loopback.serverAddress])
        filter.inodes = []
        #expect(try loopback.listed(filter).isEmpty)
    }

    @Test("details come as asked for, and else are nil", arguments: [SocketDetails.all, .tcpInfo, .memory, []])
    func details(details: SocketDetails) throws {
        let loopback = try Loopback()
        var filter = SocketFilter()
        filter.port = try loopback.clientAddress.port
        filter.states = [.established]
        let summary = try SocketInventory.forEach(matching: filter, details: details) { entry in
            #expect((entry.tcpInfo != nil) == details.contains(.tcpInfo))
            #expect((entry.memory != nil) == details.contains(.memory))
        }
        #expect(summary.listed >= 2 && summary.notUnderstood == 0 && summary.isConsistent)
    }

    // MARK: - What is told

    @Test("unread bytes are in the receive queue, and unsent ones in the send queue")
    func queues() throws {
        let loopback = try Loopback()
        try loopback.clientSends("seven b")
        #expect(try loopback.serverEntry().receiveQueueBytes == 7)
        #expect(try loopback.serverEntry().tcpInfo?.bytesReceived == 7)
        let bulk = [UInt8](repeating: 0, count: 1 << 20)
        var sent = 7
        while case .sent(let count) = bulk.withUnsafeBytes({ Descriptor(rawValue: loopback.client).send($0) }),
            count > 0
        {
            sent += count
        }
        let (client, server) = (try loopback.clientEntry(), try loopback.serverEntry())
        #expect(try #require(client.sendQueueBytes) > 0)
        #expect(try #require(client.memory).sendQueued >= client.sendQueueBytes ?? 0)
        // What is on the way, or not acknowledged yet, may be in both.
        #expect(Int(client.sendQueueBytes ?? 0) + Int(server.receiveQueueBytes ?? 0) >= sent)
    }

    @Test("the peer's FIN counts as a byte in the receive queue")
    func endOfStream() throws {
        let loopback = try Loopback()
        loopback.finishServer()
        try Loopback.waitUntilReadable(loopback.client)
        let client = try loopback.clientEntry()
        #expect(client.state == .closeWait)
        #expect(client.receiveQueueBytes == 1)
    }

    @Test("a listening socket tells how many wait to be accepted, and how many may")
    func backlog() throws {
        let loopback = try Loopback(backlog: 5)
        let waiting = [try loopback.connectOnceMore(), try loopback.connectOnceMore()]
        defer { for descriptor in waiting { close(descriptor) } }
        var filter = SocketFilter()
        filter.localPort = try loopback.serverAddress.port
        filter.states = [.listen]
        let listener = try #require(try SocketInventory.sockets(matching: filter).first)
        #expect(listener.acceptQueueLength == 2)
        #expect(listener.acceptQueueLimit == 5)
        #expect(listener.receiveQueueBytes == nil && listener.sendQueueBytes == nil)

        // A connection that nobody has accepted belongs to no process.
        let address = try Loopback.address(of: waiting[0])
        let server = try #require(try SocketInventory.find(local: loopback.serverAddress, remote: address))
        #expect(server.inode == nil)
    }

    @Test("keepalive is a timer; without it an idle connection has none")
    func timer() throws {
        let loopback = try Loopback()
        #expect(try loopback.clientEntry().timer == nil)
        for (option, value) in [(TCP_KEEPIDLE, Int32(1_000)), (TCP_KEEPINTVL, 1_000)] {
            var value = value
            try #require(setsockopt(loopback.client, Int32(IPPROTO_TCP), option, &value, 4) == 0)
        }
        var on: Int32 = 1
        try #require(setsockopt(loopback.client, SOL_SOCKET, SO_KEEPALIVE, &on, 4) == 0)
        let timer = try #require(try loopback.clientEntry().timer)
        #expect(timer.kind == .keepalive && timer.retransmits == 0)
        #expect((900_000...1_000_100).contains(timer.milliseconds))
    }

    @Test("of a connection in TIME-WAIT only addresses and the timer are left")
    func timeWait() throws {
        let loopback = try Loopback()
        let pair = (local: try loopback.serverAddress, remote: try loopback.clientAddress)
        loopback.finishServer()
        try Loopback.waitUntilReadable(loopback.client)
        shutdown(loopback.client, Int32(SHUT_WR))
        // The last ACK is on its way when `shutdown` returns.
        var entry: SocketEntry?
        for _ in 0..<100_000 where entry?.state != .timeWait {
            entry = try SocketInventory.find(local: pair.local, remote: pair.remote)
        }
        let timeWait = try #require(entry)
        #expect(timeWait.state == .timeWait)
        #expect(timeWait.timer?.kind == .timeWait)
        #expect((1...60_100).contains(try #require(timeWait.timer).milliseconds))
        #expect(timeWait.inode == nil && timeWait.uid == nil && timeWait.tcpInfo == nil && timeWait.memory == nil)
        #expect(timeWait.receiveQueueBytes == nil && timeWait.sendQueueBytes == nil)
        var filter = SocketFilter.connections
        filter.port = pair.remote.port
        #expect(try SocketInventory.sockets(matching: filter).allSatisfy { $0.cookie != timeWait.cookie })
    }

    @Test("a socket that is bound and not connected is closed, where the kernel lists it")
    func bound() throws {
        let loopback = try Loopback()
        let descriptor = TestSockets.tcp()
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        try withUnsafeBytes(of: address) { bytes throws(ErrorNumber) in try SystemCalls.system.bind(descriptor, bytes) }
        var filter = SocketFilter()
        filter.localPort = try Loopback.address(of: descriptor).port
        let sockets = try SocketInventory.sockets(matching: filter)
        #expect(sockets.allSatisfy { $0.state == .closed && $0.remote == nil })
        // Linux tells of these from 6.8 on.
        #expect(sockets.count <= 1)
        filter.states = [.established]
        #expect(try SocketInventory.sockets(matching: filter).isEmpty)
        _ = loopback
    }

    // MARK: - Destroying

    @Test(
        "exactly the socket that is meant is destroyed, and only once",
        .enabled(if: Self.mayDestroy, "destroying a socket needs CAP_NET_ADMIN"),
        arguments: Loopback.Kind.allCases
    )
    func destroy(kind: Loopback.Kind) throws {
        let (victim, bystander) = (try Loopback(kind), try Loopback(kind))
        let entry = try victim.serverEntry()
        try SocketInventory.destroy(entry)
        var byte: UInt8 = 0
        #expect(recv(victim.server, &byte, 1, Int32(MSG_DONTWAIT)) == -1 && errno == ECONNABORTED)
        try Loopback.waitUntilReadable(victim.client)
        #expect(recv(victim.client, &byte, 1, Int32(MSG_DONTWAIT)) == -1 && errno == ECONNRESET)
        for end in [bystander.client, bystander.server] {
            #expect(recv(end, &byte, 1, Int32(MSG_DONTWAIT)) == -1 && errno == EAGAIN)
        }
        let error = #expect(throws: InventoryError.self) { try SocketInventory.destroy(entry) }
        #expect(error?.code == .gone)
        #expect(error?.message.hasSuffix("is not there any more") == true)
    }

    @Test(
        "a socket with the same addresses and another cookie is not destroyed",
        .enabled(if: Self.mayDestroy, "destroying a socket needs CAP_NET_ADMIN")
    )
    func destroyOther() throws {
        let loopback = try Loopback()
        for cookie in [try loopback.clientEntry().cookie + 1, .max] {
            var entry = try loopback.clientEntry()
            entry.cookie = cookie
            let error = #expect(throws: InventoryError.self) { try SocketInventory.destroy(entry) }
            #expect(error?.code == .gone)
        }
        #expect(try loopback.clientEntry().state == .established)
    }

    @Test(
        "a listening socket and one bound to an interface can be destroyed as well",
        .enabled(if: Self.mayDestroy, "destroying a socket needs CAP_NET_ADMIN"),
        arguments: Loopback.Kind.allCases
    )
    func destroyListener(kind: Loopback.Kind) throws {
        let loopback = try Loopback(kind, interface: "lo")
        try SocketInventory.destroy(loopback.clientEntry())
        var filter = SocketFilter()
        filter.localPort = try loopback.serverAddress.port
        filter.states = [.listen]
        try SocketInventory.destroy(#require(try SocketInventory.sockets(matching: filter).first))
        #expect(try SocketInventory.sockets(matching: filter).isEmpty)
    }

    /// Whether the effective capabilities have bit 12 (`include/uapi/linux/capability.h`).
    private static let mayDestroy: Bool = {
        var room = [UInt8](repeating: 0, count: 4_096)
        let count = (try? room.withUnsafeMutableBytes { try SystemCalls.system.readFile("/proc/self/status", $0) }) ?? 0
        let lines = String(decoding: room.prefix(count), as: UTF8.self).split(separator: "\n")
        let digits = lines.first { $0.hasPrefix("CapEff:") }?.split(separator: "\t").last
        return digits.flatMap { UInt64($0, radix: 16) }.map { $0 & 1 << 12 != 0 } ?? false
    }()

    /// The sockets that match, and how many the kernel told of.
    private static func counted(_ filter: SocketFilter) throws -> ([SocketEntry], told: Int) {
        let told = Mutex(0)
        var calls = SystemCalls.system
        calls.receive = { (descriptor, room, flags) throws(ErrorNumber) in
            let count = try SystemCalls.system.receive(descriptor, room, flags)
            var messages = NetlinkMessages(.init(rebasing: room.prefix(count)))
            while let message = messages.next() { if message.type == 20 { told.withLock { $0 += 1 } } }
            return count
        }
        let sockets = try SocketInventory.sockets(matching: filter, details: .all, through: calls)
        return (sockets, told.withLock { $0 })
    }
}
#endif
