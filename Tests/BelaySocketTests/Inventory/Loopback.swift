//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

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
/// A connection over the loopback interface and the socket that listened for it; all are closed with it.
final class Loopback {
    /// How the two ends see each other.
    enum Kind: CaseIterable {
        case ipv4
        case ipv6
        /// The server's sockets are IPv6 ones that speak IPv4.
        case mapped
    }

    let listener: Int32
    let client: Int32
    private(set) var server: Int32

    /// With `interface`, the client's socket is bound to that one.
    init(_ kind: Kind = .ipv4, backlog: Int32 = 8, interface: String? = nil) throws {
        let listenerFamily = kind == .ipv4 ? AF_INET : AF_INET6
        let host = ["127.0.0.1", "::1", "::ffff:127.0.0.1"][kind == .ipv4 ? 0 : kind == .ipv6 ? 1 : 2]
        self.listener = socket(listenerFamily, stream, 0)
        self.client = socket(kind == .ipv6 ? AF_INET6 : AF_INET, stream, 0)
        self.server = -1
        let address = try #require(TransportAddress(host: host, port: 0))
        let listenerSocket = self.listener
        let clientSocket = self.client
        try Self.withSocketAddress(address, listenerFamily) { try #require(bind(listenerSocket, $0, $1) == 0) }
        try #require(listen(self.listener, backlog) == 0)
        if let interface {
            let name = Array(interface.utf8CString)
            let length = socklen_t(name.count)
            try #require(setsockopt(self.client, SOL_SOCKET, SO_BINDTODEVICE, name, length) == 0)
        }
        let target = try Self.address(of: self.listener)
        try Self.withSocketAddress(target, kind == .ipv6 ? AF_INET6 : AF_INET) {
            try #require(connect(clientSocket, $0, $1) == 0)
        }
        self.server = accept(self.listener, nil, nil)
        try #require(self.server >= 0)
    }

    deinit {
        for descriptor in [self.listener, self.client, self.server] where descriptor >= 0 { close(descriptor) }
    }

    var clientAddress: TransportAddress { get throws { try Self.address(of: self.client) } }
    var serverAddress: TransportAddress { get throws { try Self.address(of: self.listener) } }

    func clientEntry() throws -> SocketEntry {
        try #require(try SocketInventory.find(local: self.clientAddress, remote: self.serverAddress))
    }

    func serverEntry() throws -> SocketEntry {
        try #require(try SocketInventory.find(local: self.serverAddress, remote: self.clientAddress))
    }

    /// What the kernel calls the three sockets: client, server, listener (SO_COOKIE).
    var cookies: [UInt64] {
        get throws {
            try [self.client, self.server, self.listener].map { descriptor in
                var cookie: UInt64 = 0
                var length: socklen_t = 8
                try #require(getsockopt(descriptor, SOL_SOCKET, 57, &cookie, &length) == 0)
                return cookie
            }
        }
    }

    /// Which of the three sockets are listed: other connections of this host may have the same ports.
    func listed(_ filter: SocketFilter) throws -> [SocketEntry] {
        let cookies = try self.cookies
        return try SocketInventory.sockets(matching: filter).filter { cookies.contains($0.cookie) }
    }

    func clientSends(_ text: String) throws {
        try #require(send(self.client, text, text.utf8.count, 0) == text.utf8.count)
        try Self.waitUntilReadable(self.server)
    }

    /// Connects once more and leaves the connection to be accepted; the caller closes it.
    func connectOnceMore() throws -> Int32 {
        let descriptor = socket(AF_INET, stream, 0)
        try Self.withSocketAddress(try self.serverAddress, AF_INET) { try #require(connect(descriptor, $0, $1) == 0) }
        try Self.waitUntilReadable(self.listener)
        return descriptor
    }

    /// A client's socket and its address.
    struct Client {
        var descriptor: Int32
        var address: TransportAddress

        func close() {
            closeDescriptor(self.descriptor)
        }
    }

    /// Connects once more to a server that wants to see a byte first (TCP_DEFER_ACCEPT).
    func connectDeferred() throws -> Client {
        var seconds: Int32 = 60
        try #require(setsockopt(self.listener, Int32(IPPROTO_TCP), TCP_DEFER_ACCEPT, &seconds, 4) == 0)
        let descriptor = socket(AF_INET, stream, 0)
        try Self.withSocketAddress(try self.serverAddress, AF_INET) { try #require(connect(descriptor, $0, $1) == 0) }
        return Client(descriptor: descriptor, address: try Self.address(of: descriptor))
    }

    /// The server's end sends FIN.
    func finishServer() {
        close(self.server)
        self.server = -1
    }

    static func waitUntilReadable(_ descriptor: Int32) throws {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        try #require(poll(&entry, 1, 10_000) == 1)
    }

    static func address(of descriptor: Int32) throws -> TransportAddress {
        var room = [UInt8](repeating: 0, count: 128)
        try room.withUnsafeMutableBytes { room in
            var length = socklen_t(room.count)
            let address = try #require(room.baseAddress).assumingMemoryBound(to: sockaddr.self)
            try #require(getsockname(descriptor, address, &length) == 0)
        }
        let isIPv4 = room[0] == UInt8(AF_INET)
        let port = UInt16(room[2]) << 8 | UInt16(room[3])
        return try #require(TransportAddress(bytes: isIPv4 ? room[4..<8] : room[8..<24], port: port))
    }

    private static func withSocketAddress(
        _ address: TransportAddress,
        _ family: Int32,
        _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void
    ) throws {
        var bytes = [UInt8](repeating: 0, count: family == AF_INET ? 16 : 28)
        bytes[0] = UInt8(family)
        bytes[2] = UInt8(address.port >> 8)
        bytes[3] = UInt8(truncatingIfNeeded: address.port)
        let words = address.words(mapped: family == AF_INET6)
        withUnsafeBytes(of: words) { words in
            let offset = family == AF_INET ? 4 : 8
            for index in 0..<(family == AF_INET ? 4 : 16) { bytes[offset + index] = words[index] }
        }
        try bytes.withUnsafeBytes { bytes in
            let start = try #require(bytes.baseAddress).assumingMemoryBound(to: sockaddr.self)
            try body(start, socklen_t(bytes.count))
        }
    }
}

private func closeDescriptor(_ descriptor: Int32) {
    close(descriptor)
}

#if canImport(Glibc)
private let stream = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
#else
private let stream = Int32(SOCK_STREAM) | Int32(SOCK_CLOEXEC)
#endif
#endif
