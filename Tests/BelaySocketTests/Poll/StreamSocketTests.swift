//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

#if os(Linux)
import BelayCore
import Synchronization
import Testing

@testable import BelaySocket

@Suite("sockets of ours that never block")
struct StreamSocketTests {
    @Test("a socket connects, is reported, reads what comes, and tells the end from nothing")
    func life() throws {
        let listener = try Listener()
        let poll = try EventPoll()
        let socket = try StreamSocket.connecting(to: listener.address)
        defer { socket.close() }
        try poll.add(socket.descriptor, token: 7)
        #expect(try Self.wait(poll, for: .writable) == 7)
        #expect(socket.descriptor.takeError() == nil)
        #expect(socket.localAddress?.host == "127.0.0.1")

        var bytes = [UInt8](repeating: 0, count: 16)
        #expect(bytes.withUnsafeMutableBytes { socket.receive(into: $0) } == .nothing)
        let peer = try listener.accept()
        try peer.send("pong")
        #expect(try Self.wait(poll, for: .readable) == 7)
        #expect(bytes.withUnsafeMutableBytes { socket.receive(into: $0) } == .received(4))
        #expect(bytes.prefix(4).elementsEqual("pong".utf8))
        peer.finish()
        #expect(try Self.wait(poll, for: .ended) == 7)
        #expect(bytes.withUnsafeMutableBytes { socket.receive(into: $0) } == .ended)
    }

    @Test("our end can be any address of the host, with a port that the kernel chooses")
    func sourceAddress() throws {
        let listener = try Listener()
        let local = TransportAddress(ipv4: 0x7F00_0309, port: 0)
        let socket = try StreamSocket.connecting(to: listener.address, from: local, receiveBufferBytes: 4_096)
        defer { socket.close() }
        #expect(socket.localAddress?.host == "127.0.3.9")
        #expect(socket.localAddress?.port ?? 0 > 0)
    }

    @Test("where nobody listens, the error says so")
    func refused() throws {
        // The listener is gone once its address is known.
        let address = try Listener().address
        let poll = try EventPoll()
        do throws(ErrorNumber) {
            let socket = try StreamSocket.connecting(to: address)
            defer { socket.close() }
            try poll.add(socket.descriptor, token: 1)
            try poll.wait(milliseconds: 5_000) { _, _ in }
            #expect(socket.descriptor.takeError() == .connectionRefused)
        } catch {
            #expect(error == .connectionRefused)
        }
    }

    @Test("to finish sending leaves the receiving half open, also with bytes unread")
    func finishing() throws {
        let listener = try Listener()
        let socket = try StreamSocket.connecting(to: listener.address)
        defer { socket.close() }
        let peer = try listener.accept()
        try peer.send("unread")
        socket.finishSending()
        #expect(peer.readsEnd())
    }

    @Test(
        "what the kernel refuses is thrown, and nothing stays open",
        arguments: [ErrorNumber.addressNotAvailable, .tooManyOpenFiles, .networkUnreachable]
    )
    func refusals(error: ErrorNumber) {
        let closed = Mutex<[Int32]>([])
        var calls = SystemCalls.system
        calls.openSocket = { (_, _, _) throws(ErrorNumber) in 999_999 }
        calls.setOption = { (_, _, _, _) throws(ErrorNumber) in }
        calls.close = { descriptor in closed.withLock { $0.append(descriptor) } }
        calls.connect = { (_, _) throws(ErrorNumber) in throw error }
        let remote = TransportAddress(ipv4: 0x7F00_0001, port: 9)
        #expect(throws: error) {
            try StreamSocket.connecting(to: remote, from: nil, receiveBufferBytes: nil, through: calls)
        }
        #expect(closed.withLock { $0 } == [999_999])
    }

    @Test("an address survives the form that the socket calls take", arguments: ["192.0.2.1:7400", "[2001:db8::1]:1"])
    func socketAddress(text: String) throws {
        let address = try TransportAddress(text: text)
        var read: TransportAddress?
        try address.withSocketAddress { (bytes) throws(ErrorNumber) in
            read = TransportAddress(socketAddress: bytes)
            #expect(TransportAddress(socketAddress: UnsafeRawBufferPointer(rebasing: bytes.prefix(15))) == nil)
        }
        #expect(read == address)
    }

    private static func wait(_ poll: borrowing EventPoll, for wanted: EventPoll.Readiness) throws -> UInt64? {
        var token: UInt64?
        for _ in 0..<100 where token == nil {
            try poll.wait(milliseconds: 100) { name, readiness in
                if readiness.isSuperset(of: wanted) { token = name }
            }
        }
        return token
    }
}
#endif
