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
#endif

#if os(Linux)
@Suite("a look at a descriptor of a process by its number")
struct ConnectionProbeOtherProcessTests {
    private static func state(of sockets: TestSockets) throws -> ConnectionProbe.State {
        try ConnectionProbe.state(ofProcess: getpid(), descriptor: sockets.ours)
    }

    @Test("what the tables show no more is seen, and its error is left to the program")
    func reset() throws {
        let sockets = try TestSockets()
        #expect(try Self.state(of: sockets) == .open)
        try sockets.reset()
        for _ in 0..<3 { #expect(try Self.state(of: sockets) == .over) }
        #expect(sockets.descriptor.peek() == .failed(.connectionReset))
    }

    @Test("a peer that closed, and bytes before its FIN")
    func closedByPeer() throws {
        let sockets = try TestSockets()
        try sockets.peerSends("bye")
        #expect(try Self.state(of: sockets) == .open)
        sockets.finish()
        #expect(try Self.state(of: sockets) == .closedByPeer)
        #expect(sockets.read(10).count == 3)
    }

    @Test("what is no TCP socket, and what was never connected")
    func others() throws {
        #expect(try Self.state(of: try TestSockets.unix()) == .notTCP)
        let fresh = TestSockets.tcp()
        defer { close(fresh) }
        #expect(try ConnectionProbe.state(ofProcess: getpid(), descriptor: fresh) == .notConnected)
    }

    @Test("each refusal of the kernel is a clear error, and no copy is left open")
    func refusals() {
        let rows: [(ErrorNumber, InventoryError.Code)] = [
            (.noSuchProcess, .noSuchProcess), (.badDescriptor, .noSuchDescriptor), (.notPermitted, .notPermitted),
            (.notImplemented, .unsupported), (.tooManyOpenFiles, .failed),
        ]
        for (errno, code) in rows {
            var calls = SystemCalls.refusing
            calls.copyDescriptor = { (_, _) throws(ErrorNumber) in throw errno }
            let error = #expect(throws: InventoryError.self) {
                try ConnectionProbe.state(ofProcess: 7, descriptor: 3, through: calls)
            }
            #expect(error?.code == code)
            #expect(error?.message.contains("\n") == false)
        }
        let closed = Mutex<[Int32]>([])
        var calls = SystemCalls.refusing
        calls.copyDescriptor = { (_, _) throws(ErrorNumber) in 42 }
        calls.close = { descriptor in closed.withLock { $0.append(descriptor) } }
        #expect(throws: InventoryError.self) {
            try ConnectionProbe.state(ofProcess: 7, descriptor: 3, through: calls)
        }
        #expect(closed.withLock { $0 } == [42])
    }
}
#endif
