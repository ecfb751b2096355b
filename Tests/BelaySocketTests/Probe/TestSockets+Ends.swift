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

extension TestSockets {
    /// Waits until poll(2) reports one of these events, or an error or an end.
    func wait(for events: Int16) throws {
        var entry = pollfd(fd: self.ours, events: events, revents: 0)
        try #require(poll(&entry, 1, 10_000) == 1)
    }

    /// Waits until both sides' FIN have arrived and are acknowledged.
    func waitUntilOver() throws {
        try self.wait(for: 0)
        while self.descriptor.tcpInfo()?.state != .closed { sched_yield() }
    }

    /// The peer sends FIN, which has arrived when this returns.
    func finishAndWait() throws {
        self.finish()
        try self.wait(for: Self.receivingEnded)
    }

    /// The peer sends FIN and goes on reading; the FIN has arrived when this returns.
    func peerShutsSending() throws {
        let peer = try #require(self.peer)
        try #require(shutdown(peer, Int32(SHUT_WR)) == 0)
        try self.wait(for: Self.receivingEnded)
    }

    /// The peer sends RST, which has arrived when this returns; unread bytes may wait before it.
    func resetAndWait() throws {
        let peer = try #require(self.peer)
        try #require(Descriptor(rawValue: peer).resetOnClose())
        self.finish()
        try self.wait(for: 0)
    }

    /// The peer's socket ceases to be without a word on the wire, as if its power had failed.
    ///
    /// Needs CAP_NET_ADMIN; see ``canVanish``.
    func vanish() throws {
        let peer = try #require(self.peer)
        try #require(Self.repair(peer))
        self.finish()
    }

    /// Whether this process may take a socket out of the kernel without a word (TCP_REPAIR).
    static var canVanish: Bool {
        let socket = Self.tcp()
        defer { close(socket) }
        return Self.repair(socket)
    }

    private static func repair(_ socket: Int32) -> Bool {
        var on: Int32 = 1
        return setsockopt(socket, Int32(IPPROTO_TCP), 19, &on, socklen_t(MemoryLayout<Int32>.size)) == 0
    }

    /// Shuts our sending half (SHUT_WR), our receiving half (SHUT_RD) or both.
    func shutOurs(_ how: Int32) throws {
        try #require(shutdown(self.ours, how) == 0)
    }

    /// Everything that there is to read, up to the end or the error.
    func drain() -> (text: String, errno: Int32) {
        var text = ""
        var bytes = [UInt8](repeating: 0, count: 64)
        while true {
            let count = recv(self.ours, &bytes, bytes.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { return (text, count < 0 ? errno : 0) }
            text += String(decoding: bytes.prefix(count), as: UTF8.self)
        }
    }

    /// POLLRDHUP.
    static let receivingEnded: Int16 = 0x2000
}

/// Sockets at the beginning of a connection: a listener, and clients that do not wait for their connection.
final class HalfwaySockets {
    let listener = TestSockets.tcp()
    private(set) var clients: [Int32] = []
    private var address = sockaddr_in()

    /// A listener, or a bound socket that refuses connections.
    init(listening: Bool = true) throws {
        self.address.sin_family = sa_family_t(AF_INET)
        self.address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = self.listener
        try withUnsafeMutablePointer(to: &self.address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                try #require(bind(listener, address, length) == 0)
                // Room for one connection that nobody accepts.
                if listening { try #require(listen(listener, 0) == 0) }
                try #require(getsockname(listener, address, &length) == 0)
            }
        }
    }

    deinit {
        close(self.listener)
        for client in self.clients { close(client) }
    }

    /// A client that has sent its SYN.
    func connect() throws -> Int32 {
        let client = TestSockets.tcp()
        self.clients.append(client)
        try #require(fcntl(client, F_SETFL, O_NONBLOCK) == 0)
        let result = withUnsafePointer(to: &self.address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                systemConnect(client, address, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(result == -1 && errno == EINPROGRESS)
        return client
    }

    /// A client whose SYN is not answered, because the listener's queue is full.
    func connectInVain() throws -> Int32 {
        _ = try self.connect()
        var full = pollfd(fd: self.listener, events: Int16(POLLIN), revents: 0)
        try #require(poll(&full, 1, 10_000) == 1)
        return try self.connect()
    }
}

private func systemConnect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
    connect(descriptor, address, length)
}
