//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

#if os(Linux)
/// Each state, by sockets that are in it.
@Suite(.timeLimit(.minutes(1))) struct ConnectionProbeTests {
    private func state(_ sockets: TestSockets) throws -> ConnectionProbe.State {
        try ConnectionProbe.state(of: sockets.descriptor)
    }

    // MARK: - Connections

    @Test("a connection is open on both sides, with bytes waiting and without")
    func open() throws {
        let sockets = try TestSockets()
        #expect(try self.state(sockets) == .open)
        #expect(try ConnectionProbe.state(of: #require(sockets.peer)) == .open)
        try sockets.peerSends("ping")
        #expect(try self.state(sockets) == .open)
    }

    @Test("a send buffer that is full does not keep a connection from being open")
    func fullBuffer() throws {
        let sockets = try TestSockets()
        let bulk = [UInt8](repeating: 0, count: 1 << 20)
        while bulk.withUnsafeBytes({ sockets.descriptor.send($0) }) != .sent(0) {}
        #expect(try self.state(sockets) == .open)
    }

    @Test("our own SHUT_WR is the half of sending")
    func shutSending() throws {
        let sockets = try TestSockets()
        try sockets.shutOurs(Int32(SHUT_WR))
        #expect(try self.state(sockets) == .halfClosed(.sending))
        let peer = try #require(sockets.peer)
        var entry = pollfd(fd: peer, events: TestSockets.receivingEnded, revents: 0)
        try #require(poll(&entry, 1, 10_000) == 1)
        #expect(try ConnectionProbe.state(of: peer) == .closedByPeer)
    }

    @Test("our own SHUT_RD is the half of receiving, and nothing that the peer did")
    func shutReceiving() throws {
        let sockets = try TestSockets()
        try sockets.shutOurs(Int32(SHUT_RD))
        #expect(try self.state(sockets) == .halfClosed(.receiving))
        #expect(try ConnectionProbe.state(of: #require(sockets.peer)) == .open)
    }

    @Test("both of our halves shut is closed by us, until the peer closes too")
    func shutBoth() throws {
        let sockets = try TestSockets()
        try sockets.shutOurs(Int32(SHUT_RDWR))
        #expect(try self.state(sockets) == .closedLocally)
    }

    @Test("the peer's FIN is closed by the peer, with bytes before it and without", arguments: ["", "bye"])
    func closedByPeer(text: String) throws {
        let sockets = try TestSockets()
        if !text.isEmpty { try sockets.peerSends(text) }
        try sockets.finishAndWait()
        var probe = ConnectionProbe(of: sockets.descriptor)
        for _ in 0..<3 {
            let look = try probe.look()
            #expect(look.state == .closedByPeer)
            #expect(look.hasUnreadBytes == !text.isEmpty)
            #expect(look.error == nil)
            #expect(look.tcpInfo?.state == .closeWait)
        }
    }

    @Test("both sides closed in order, whoever was first, is over")
    func over() throws {
        let first = try TestSockets()
        try first.shutOurs(Int32(SHUT_WR))
        try first.finishAndWait()
        try first.waitUntilOver()
        #expect(try self.state(first) == .over)

        let second = try TestSockets()
        try second.peerShutsSending()
        try second.shutOurs(Int32(SHUT_WR))
        // Until the peer has acknowledged our FIN, the state is LAST_ACK.
        try second.waitUntilOver()
        #expect(try self.state(second) == .over)
    }

    // MARK: - Errors

    @Test("a reset is a reset, with bytes before it and without, and stays one for a probe", arguments: ["", "bye"])
    func reset(text: String) throws {
        let sockets = try TestSockets()
        if !text.isEmpty { try sockets.peerSends(text) }
        try sockets.resetAndWait()
        var probe = ConnectionProbe(of: sockets.descriptor)
        for _ in 0..<3 {
            let look = try probe.look()
            #expect(look.state == .reset)
            #expect(look.error == .connectionReset)
            #expect(look.hasUnreadBytes == !text.isEmpty)
        }
        #expect(probe.error == .connectionReset)
        // The kernel told it once.
        #expect(try self.state(sockets) == .over)
    }

    @Test("a reset after the peer's FIN is a reset, although a read shows the end in order")
    func resetAfterEnd() throws {
        let sockets = try TestSockets()
        try sockets.peerShutsSending()
        try sockets.resetAndWait()
        var probe = ConnectionProbe(of: sockets.descriptor)
        let look = try probe.look()
        #expect(look.state == .reset)
        #expect(look.error == .brokenPipe)
        #expect(sockets.read(1).count == 0)
    }

    @Test("an error that somebody else has taken leaves a connection that is over")
    func taken() throws {
        let sockets = try TestSockets()
        try sockets.resetAndWait()
        #expect(sockets.read(1).errno == ECONNRESET)
        #expect(try self.state(sockets) == .over)
    }

    @Test("the kernel's own time limit is ETIMEDOUT")
    func timedOut() throws {
        let sockets = try TestSockets()
        // A peer that does not read, and a user timeout that its first probe of the window finds to be over.
        var milliseconds: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        try #require(setsockopt(sockets.ours, Int32(IPPROTO_TCP), 18, &milliseconds, size) == 0)
        let bulk = [UInt8](repeating: 0, count: 1 << 20)
        while bulk.withUnsafeBytes({ sockets.descriptor.send($0) }) != .sent(0) {}
        try sockets.wait(for: 0)
        var probe = ConnectionProbe(of: sockets.descriptor)
        for _ in 0..<2 { #expect(try probe.look().state == .failed(.timedOut)) }
    }

    @Test("a connection that nobody takes is ECONNREFUSED")
    func refused() throws {
        let sockets = try HalfwaySockets(listening: false)
        let client = try sockets.connect()
        var entry = pollfd(fd: client, events: 0, revents: 0)
        try #require(poll(&entry, 1, 10_000) == 1)
        #expect(try ConnectionProbe.state(of: client) == .failed(.connectionRefused))
    }

    // MARK: - Beginnings, and what is none

    @Test("a SYN that is not answered is connecting")
    func connecting() throws {
        let sockets = try HalfwaySockets()
        let client = try sockets.connectInVain()
        #expect(try ConnectionProbe.state(of: client) == .connecting)
        #expect(try ConnectionProbe.state(of: sockets.clients[0]) == .open)
    }

    @Test("a listener listens, with somebody waiting to be accepted and without")
    func listening() throws {
        let sockets = try HalfwaySockets()
        #expect(try ConnectionProbe.state(of: sockets.listener) == .listening)
        _ = try sockets.connectInVain()
        #expect(try ConnectionProbe.state(of: sockets.listener) == .listening)
    }

    @Test("a fresh socket is not connected, bound or not")
    func notConnected() throws {
        let fresh = TestSockets.tcp()
        defer { close(fresh) }
        #expect(try ConnectionProbe.state(of: fresh) == .notConnected)
        let bound = try HalfwaySockets(listening: false)
        #expect(try ConnectionProbe.state(of: bound.listener) == .notConnected)
    }

    @Test("UNIX-domain sockets, datagram sockets, pipes and files are not TCP")
    func notTCP() throws {
        let unix = try TestSockets.unix()
        try unix.peerSends("ping")
        let datagram = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        let file = systemOpen("/dev/null")
        var ends: [Int32] = [-1, -1]
        try #require(systemPipe(&ends) == 0)
        defer { for descriptor in ends + [datagram, file] { close(descriptor) } }
        for descriptor in ends + [datagram, file, unix.ours] {
            var probe = ConnectionProbe(of: descriptor)
            let look = try probe.look()
            #expect(look.state == .notTCP)
            #expect(!look.hasUnreadBytes)
            #expect(look.tcpInfo == nil)
        }
        #expect(unix.drain().text == "ping")
    }

    @Test("Multipath TCP is TCP", .enabled(if: Self.hasMultipath))
    func multipath() throws {
        let fresh = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 262)
        defer { close(fresh) }
        #expect(try ConnectionProbe.state(of: fresh) == .notConnected)
        try #require(listen(fresh, 1) == 0)
        #expect(try ConnectionProbe.state(of: fresh) == .listening)
    }

    private static var hasMultipath: Bool {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 262)
        return socket >= 0 && close(socket) == 0
    }

    @Test("a number that was closed is no open descriptor")
    func notOpen() throws {
        let socket = TestSockets.tcp()
        // A high number, which nobody else in this process is given once it is closed.
        let number = fcntl(socket, F_DUPFD, 930)
        close(socket)
        try #require(number >= 930)
        #expect(try ConnectionProbe.state(of: number) == .notConnected)
        close(number)
        let failure = #expect(throws: ConnectionProbe.Failure.self) { try ConnectionProbe.state(of: number) }
        #expect(failure == .notOpen(Descriptor(rawValue: number)))
    }
}

private func systemOpen(_ path: String) -> Int32 { open(path, O_RDONLY) }

private func systemPipe(_ ends: inout [Int32]) -> Int32 { pipe(&ends) }
#endif
