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

/// What the kernel says about one socket, and what it does at our word.
@Suite struct DescriptorTests {
    // MARK: - Looking

    @Test("a socket with nothing to read is empty, although it would block")
    func empty() throws {
        let sockets = try TestSockets()
        #expect(sockets.descriptor.peek() == .empty)
    }

    @Test("unread bytes are seen as often as one looks, and none is consumed")
    func unread() throws {
        let sockets = try TestSockets()
        try sockets.peerSends("ping")
        for _ in 0..<3 { #expect(sockets.descriptor.peek() == .unread) }
        #expect(sockets.read(100).count == 4)
        #expect(sockets.descriptor.peek() == .empty)
    }

    @Test("a FIN that waits counts as unread, with bytes before it and without")
    func endOfStream() throws {
        let sockets = try TestSockets()
        try sockets.peerSends("bye")
        sockets.finish()
        #expect(sockets.descriptor.peek() == .unread)
        #expect(sockets.read(3).count == 3)
        try sockets.waitUntilReadable()
        #expect(sockets.descriptor.peek() == .unread)
        #expect(sockets.read(1).count == 0)
    }

    @Test("a reset is reported once by the kernel, and by us")
    func reset() throws {
        let sockets = try TestSockets()
        try sockets.reset()
        #expect(sockets.descriptor.peek() == .failed(.connectionReset))
        #expect(sockets.descriptor.peek() == .unread)
        #expect(sockets.read(1).count == 0)
    }

    #if os(Linux)
    @Test("bytes that came before a reset are seen first")
    func unreadBeforeReset() throws {
        let sockets = try TestSockets()
        try sockets.peerSends("ping")
        try sockets.reset()
        #expect(sockets.descriptor.peek() == .unread)
        #expect(sockets.read(4).count == 4)
        #expect(sockets.descriptor.peek() == .failed(.connectionReset))
    }
    #endif

    @Test("what is no connection cannot be looked at")
    func unknown() throws {
        let unconnected = TestSockets.tcp()
        defer { close(unconnected) }
        #expect(Descriptor(rawValue: unconnected).peek() == .unknown)

        // A high number, which nobody else in this process is given once it is closed.
        let closed = fcntl(unconnected, F_DUPFD, 900)
        try #require(closed >= 900)
        close(closed)
        #expect(Descriptor(rawValue: closed).peek() == .unknown)
        #expect(Descriptor(rawValue: -1).peek() == .unknown)

        var pipe: [Int32] = [-1, -1]
        try #require(Self.makePipe(&pipe))
        defer { for end in pipe { close(end) } }
        #expect(Descriptor(rawValue: pipe[0]).peek() == .unknown)
    }

    private static func makePipe(_ ends: inout [Int32]) -> Bool { pipe(&ends) == 0 }

    // MARK: - Sending

    private func send(_ text: String, on sockets: TestSockets) -> Descriptor.SendResult {
        Array(text.utf8).withUnsafeBytes { sockets.descriptor.send($0) }
    }

    @Test("what is sent arrives")
    func sends() throws {
        let sockets = try TestSockets.unix()
        #expect(self.send("ping", on: sockets) == .sent(4))
        var bytes = [UInt8](repeating: 0, count: 10)
        #expect(try recv(#require(sockets.peer), &bytes, 10, Int32(MSG_DONTWAIT)) == 4)
        #expect(bytes.prefix(4) == ArraySlice("ping".utf8))
    }

    @Test("a full send buffer of a blocking socket is no error and no wait")
    func full() throws {
        let sockets = try TestSockets()
        let bulk = [UInt8](repeating: 0, count: 1 << 20)
        var results: [Descriptor.SendResult] = []
        repeat {
            results.append(bulk.withUnsafeBytes { sockets.descriptor.send($0) })
        } while results.last != .sent(0) && results.count < 1_000
        #expect(results.last == .sent(0))
        #expect(results.first != .sent(0))
        #expect(results.allSatisfy { if case .sent = $0 { true } else { false } })
    }

    @Test("sending to a peer that reset tells so, once, and is a broken pipe from then on; no signal ends the process")
    func sendAfterReset() throws {
        let sockets = try TestSockets()
        try sockets.reset()
        #expect(self.send("ping", on: sockets) == .failed(.connectionReset))
        #expect(self.send("ping", on: sockets) == .failed(.brokenPipe))
    }

    @Test("sending after our own FIN is a broken pipe")
    func sendAfterShutdown() throws {
        let sockets = try TestSockets()
        try #require(shutdown(sockets.ours, Int32(SHUT_WR)) == 0)
        #expect(self.send("ping", on: sockets) == .failed(.brokenPipe))
    }

    @Test("sending on what is no socket fails with the kernel's own number")
    func sendOnNothing() {
        let result = [UInt8]([1]).withUnsafeBytes { Descriptor(rawValue: -1).send($0) }
        #expect(result == .failed(ErrorNumber(rawValue: EBADF)))
    }

    // MARK: - Resetting

    @Test("a close after resetOnClose is a reset for the peer, in place of an end", arguments: [true, false])
    func resetOnClose(resets: Bool) throws {
        let sockets = try TestSockets()
        let peer = try Descriptor(rawValue: #require(sockets.peer))
        if resets { #expect(peer.resetOnClose()) }
        sockets.finish()
        try sockets.waitUntilReadable()
        let (count, errno) = sockets.read(1)
        #expect(resets ? count == -1 && errno == ECONNRESET : count == 0)
    }

    @Test("resetOnClose discards what is queued")
    func resetDiscards() throws {
        let sockets = try TestSockets()
        let peer = try Descriptor(rawValue: #require(sockets.peer))
        let bulk = [UInt8](repeating: 0, count: 1 << 20)
        while bulk.withUnsafeBytes({ peer.send($0) }) != .sent(0) {}
        peer.resetOnClose()
        sockets.finish()
        var end = sockets.read(1 << 16)
        while end.count > 0 {
            try sockets.waitUntilReadable()
            end = sockets.read(1 << 16)
        }
        #expect(end.count == -1 && end.errno == ECONNRESET)
    }

    @Test("what is no socket cannot be reset")
    func resetNothing() {
        #expect(!Descriptor(rawValue: -1).resetOnClose())
    }
}
