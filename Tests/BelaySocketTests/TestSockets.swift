//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelaySocket
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Two sockets that are connected to each other; they are closed with it.
final class TestSockets {
    let ours: Int32
    private(set) var peer: Int32?

    var descriptor: Descriptor { Descriptor(rawValue: self.ours) }

    /// TCP over the loopback interface.
    init() throws {
        let listener = Self.tcp()
        defer { close(listener) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let ours = Self.tcp()
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                try #require(bind(listener, address, length) == 0)
                try #require(listen(listener, 1) == 0)
                try #require(getsockname(listener, address, &length) == 0)
                try #require(connect(ours, address, length) == 0)
            }
        }
        self.ours = ours
        self.peer = accept(listener, nil, nil)
    }

    private init(pair: (Int32, Int32)) {
        (self.ours, self.peer) = pair
    }

    /// Two ends of a UNIX-domain connection.
    static func unix() throws -> TestSockets {
        var pair: [Int32] = [-1, -1]
        try #require(socketpair(AF_UNIX, stream, 0, &pair) == 0)
        return TestSockets(pair: (pair[0], pair[1]))
    }

    static func tcp() -> Int32 { socket(AF_INET, stream, 0) }

    deinit {
        close(self.ours)
        self.finish()
    }

    // MARK: - The peer

    func peerSends(_ text: String) throws {
        let peer = try #require(self.peer)
        let result = Array(text.utf8).withUnsafeBytes { Descriptor(rawValue: peer).send($0) }
        try #require(result == .sent(text.utf8.count))
        try self.waitUntilReadable()
    }

    /// The peer sends FIN, or RST where it left something unread.
    func finish() {
        if let peer { close(peer) }
        self.peer = nil
    }

    /// The peer sends RST.
    func reset() throws {
        let peer = try #require(self.peer)
        try #require(Descriptor(rawValue: peer).resetOnClose())
        self.finish()
        try self.waitUntilReadable()
    }

    // MARK: - Our end

    /// What arrives on the loopback interface arrives at once, but not always within the call that sends it.
    func waitUntilReadable() throws {
        var entry = pollfd(fd: self.ours, events: Int16(POLLIN), revents: 0)
        try #require(poll(&entry, 1, 10_000) == 1)
    }

    /// Consumes up to so many bytes; -1 for an error, 0 for the end.
    func read(_ count: Int) -> (count: Int, errno: Int32) {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = recv(self.ours, &bytes, count, Int32(MSG_DONTWAIT))
        return (read, read < 0 ? errno : 0)
    }

    /// An integer option as the kernel has it.
    func option(_ level: Int32, _ name: Int32) -> Int32? {
        var value: Int32 = -1
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(self.ours, level, name, &value, &length) == 0 ? value : nil
    }
}

#if canImport(Glibc)
private let stream = Int32(SOCK_STREAM.rawValue)
#else
private let stream = Int32(SOCK_STREAM)
#endif
