//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import NIOCore
import Testing

@testable import BelayNIO

@Suite("messages that nobody takes")
struct MessageBacklogTests {
    @Test("reading pauses at 32 messages and goes on below 8")
    func count() {
        let strategy = MessageBacklog.Strategy(backlog: MessageBacklog())
        #expect(strategy.didYield(bufferDepth: 31))
        #expect(!strategy.didYield(bufferDepth: 32))
        #expect(!strategy.didConsume(bufferDepth: 8))
        #expect(strategy.didConsume(bufferDepth: 7))
    }

    @Test("reading pauses at 256 KiB and goes on below 64 KiB, or when nothing waits")
    func bytes() {
        let backlog = MessageBacklog()
        let strategy = MessageBacklog.Strategy(backlog: backlog)
        let message = 65_536
        for _ in 0..<3 { backlog.add(message) }
        #expect(strategy.didYield(bufferDepth: 3))
        backlog.add(message)
        #expect(!strategy.didYield(bufferDepth: 4))
        for _ in 0..<3 { backlog.remove(message) }
        #expect(!strategy.didConsume(bufferDepth: 1))
        #expect(strategy.didConsume(bufferDepth: 0))
        backlog.remove(message)
        #expect(strategy.didConsume(bufferDepth: 1))
    }

    @Test("a closure that takes nothing holds no more than 256 KiB and one read, and then gets all of it in order")
    func largeMessages() async throws {
        let size = 100_000
        let taken = Recorder<UInt8?>()
        let open = Signal()
        let handles = Recorder<ConnectionHandle>()
        try await TestServer.run(
            .frames,
            serving: { connection in
                handles.record(connection.handle)
                await open.wait()
                for await message in connection.messages { taken.record(message.readableBytesView.first) }
            }
        ) { server in
            try await TestClient.run(to: server.port, .frames) { client in
                try await client.connected()
                let sending = Task {
                    for number in UInt8(0)..<50 {
                        try await client.client.send(ByteBuffer(repeating: number, count: size))
                    }
                }
                let handle = try await handles.first { $0 }
                let counts = Recorder<UInt64>()
                try await eventually("reading pauses") {
                    handle.execute { connection in
                        guard connection.handler.machine.areReadsPaused else { return }
                        counts.record(connection.handler.machine.figures.messagesIn)
                    }
                    return !counts.elements.isEmpty
                }
                // The third one fills it, and what was read with it may hold the end of the fourth.
                #expect(counts.elements.allSatisfy { 3...4 ~= $0 })
                open.fire()
                try await sending.value
                let all = try await taken.wait { $0.count == 50 ? $0 : nil }
                #expect(all == (0..<50).map { UInt8($0) })
            }
        }
    }

    @Test("messages that come although there is no room wait packed, and are taken in order, to the last one")
    func packed() async throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        let bridge = AsyncBridge(fixture.connection)
        fixture.handler.attachment = bridge
        var iterator = bridge.connection.messages.makeAsyncIterator()
        for number in 0..<100 { bridge.received(ByteBuffer(string: "\(number)"), on: fixture.connection) }
        let pauses = fixture.handler.machine.areReadsPaused
        #expect(pauses)
        // Behind the 32 that there was room for: two digits and four bytes of length each.
        #expect(bridge.packed.readableBytes == 68 * 6)
        for number in 0..<32 { #expect(await iterator.next() == ByteBuffer(string: "\(number)")) }
        let pausesStill = fixture.handler.machine.areReadsPaused
        #expect(!pausesStill)
        #expect(bridge.packed.readableBytes == 0)
        #expect(await iterator.next() == ByteBuffer(string: "32"))
        for number in 100..<200 { bridge.received(ByteBuffer(string: "\(number)"), on: fixture.connection) }
        bridge.ended(DisconnectReason(.peerClosed, phase: .active))
        for number in 33..<200 { #expect(await iterator.next() == ByteBuffer(string: "\(number)")) }
        #expect(await iterator.next() == nil)
    }

    @Test("a peer that leaves is told of at once, and what it sent is taken later, in order and to the last one")
    func peerThatLeaves() async throws {
        // Few enough bytes that the kernel takes them, and the FIN behind them, although nobody reads.
        let count = 10_000
        let taken = Recorder<String>()
        let open = Signal()
        try await TestServer.run(
            .lines,
            serving: { connection in
                await open.wait()
                for await message in connection.messages { taken.record(String(buffer: message)) }
                taken.record("end")
            }
        ) { server in
            let peer = try await TestPeer.connect(to: server.port)
            try await peer.send((0..<count).map { "\($0)\n" }.joined())
            await peer.close()
            let reasons = try await server.events.closed(atLeast: 1)
            #expect(reasons.map(\.code) == [.peerClosed])
            #expect(taken.elements == [])
            open.fire()
            let all = try await taken.wait { $0.last == "end" ? $0 : nil }
            #expect(all == (0..<count).map { "\($0)" } + ["end"])
        }
    }
}
