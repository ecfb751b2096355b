//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import NIOCore
import NIOPosix
import Testing

@testable import BelayNIO

/// How a client ends, at whatever it is, and that nothing of it is left.
@Suite(.timeLimit(.minutes(1))) struct BelayClientEndTests {
    @Test("a graceful shutdown says goodbye and ends the client without a reason")
    func graceful() async throws {
        try await TestServer.run(serving: BelayServerTests.echo) { server in
            let texts = try await TestClient.run(to: server.port) { client in
                try await client.connected()
                client.shutDown()
                #expect(try await client.ended() == nil)
                return client.changes
            }
            #expect(texts.elements.map(\.text) == ["connected", "disconnected local.shutdown"])
            let closed = try await server.events.firstClosed()
            #expect(closed.reason.code == .peerGoodbye)
        }
    }

    @Test("a client whose task is cancelled ends, although its server never closes")
    func cancelledWithDeafServer() async throws {
        let changes = try await DeafListener.run(hasRoom: true) { deaf in
            try await TestClient.run(to: deaf.port, configure: { $0.liveness.closeWithin = .milliseconds(50) }) {
                client in
                try await client.connected()
                return client.changes
            }
        }
        #expect(changes.elements.map(\.text) == ["connected", "disconnected local.shutdown"])
    }

    #if os(Linux)
    @Test("a hanging attempt is abandoned at once when the client is told to stop", arguments: [true, false])
    func abandonsHangingAttempt(gracefully: Bool) async throws {
        try await DeafListener.run { deaf in
            let changes = try await TestClient.run(to: deaf.port, configure: { $0.connectWithin = .seconds(3_600) }) {
                client in
                try await eventually("the attempt hangs") { SocketTable.isConnecting(to: deaf.port) }
                if gracefully {
                    client.shutDown()
                    #expect(try await client.ended() == nil)
                }
                return client.changes
            }
            #expect(changes.elements == [])
            try await eventually("the attempt's descriptor is released") { !SocketTable.isConnecting(to: deaf.port) }
        }
    }

    #endif

    @Test("a client that waits for its next attempt ends at once when it is told to stop")
    func stopsWaiting() async throws {
        let port = try await TestServer.run(host: "127.0.0.2") { $0.port }
        try await TestClient.run(
            to: port,
            of: "127.0.0.2",
            configure: {
                $0.reconnect?.shortestDelay = .seconds(3_600)
                $0.reconnect?.longestDelay = .seconds(3_600)
            }
        ) { client in
            _ = try await client.changes.first { if case .waiting = $0 { true } else { nil } }
            client.shutDown()
            #expect(try await client.ended() == nil)
        }
    }

    @Test("a client that is stopped at any moment of connecting ends, and leaves no descriptor")
    func stoppedAnyTime() async throws {
        try await TestServer.run(serving: BelayServerTests.echo) { server in
            for round in 0..<150 {
                let client = BelayClient(.lines(host: "127.0.0.1", port: server.port), detectWithin: .seconds(30))
                let running = Task { try await client.run() }
                for _ in 0..<round { await Task.yield() }
                running.cancel()
                try await running.value
                let texts = await Self.texts(of: client)
                #expect(
                    texts == [] || texts == ["connected", "disconnected local.shutdown"],
                    "\(texts), round \(round)"
                )
            }
            try await server.waitUntilEmpty()
            try await eventually("only the listener is left") { SocketTable.count(port: server.port) == 1 }
        }
    }

    @Test("iterating changes and messages ends with the client")
    func sequencesEnd() async throws {
        try await TestServer.run(serving: BelayServerTests.echo) { server in
            let client = BelayClient(.lines(host: "127.0.0.1", port: server.port), detectWithin: .seconds(30))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in client.messages {} }
                let changes = Recorder<BelayClient.Change>()
                group.addTask { for await change in client.changes { changes.record(change) } }
                let running = Task { try await client.run() }
                _ = try await changes.first { $0 }
                running.cancel()
                try await group.waitForAll()
            }
        }
    }

    @Test("changes that nobody takes are counted when they are dropped")
    func droppedChanges() {
        let link = ClientLink()
        let reason = DisconnectCause.endOfStream.reason(in: .active)
        for _ in 0..<1_030 { link.emit(.connectFailed(reason)) }
        #expect(link.droppedChanges == 6)
    }

    @Test("connections that went with messages which nobody took are counted beyond the last 16")
    func droppedConnections() async throws {
        try await TestServer.run(serving: { connection in try await connection.send("news") }) { server in
            try await TestClient.run(to: server.port) { client in
                let messages = client.client.messages
                try await client.connected(20)
                client.shutDown()
                _ = try await client.ended()
                var taken = 0
                for await _ in messages { taken += 1 }
                #expect(client.client.droppedConnections >= 4)
                #expect(taken <= 16)
            }
        }
    }

    @Test("messages that nobody took keep no client that is gone")
    func untakenMessages() async throws {
        struct WeakLink: Sendable { weak let link: ClientLink? }
        let links = Recorder<WeakLink>()
        try await TestServer.run(serving: { connection in try await connection.send("news") }) { server in
            try await TestClient.run(to: server.port) { client in
                links.record(WeakLink(link: client.client.link))
                client.client.link.wantMessages()
                try await client.connected(2)
                client.shutDown()
                _ = try await client.ended()
            }
        }
        try await eventually("the client is gone") { links.elements.allSatisfy { $0.link == nil } }
    }

    @Test("a client that reconnected many times has left nothing behind")
    func nothingIsLeft() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let handlers = Recorder<WeakHandler>()
        let connections = Recorder<WeakConnection>()
        let delegate = RecordingDelegate(onOpened: { handlers.record(WeakHandler(handler: $0.handler)) })
        try await TestServer.run(delegate: delegate, group: group) { server in
            try await TestClient.run(to: server.port, group: group) { client in
                for round in 1...20 {
                    try await client.connected(round)
                    _ = try await handlers.wait { $0.count >= round ? true : nil }
                    let current = client.client.link.current
                    connections.record(WeakConnection(connection: current))
                    current?.close()
                    _ = try await client.changes.wait { changes in
                        changes.count { if case .disconnected = $0 { true } else { false } } >= round ? true : nil
                    }
                }
            }
            try await server.waitUntilEmpty()
            try await eventually("only the listener is left") { SocketTable.count(port: server.port) == 1 }
        }
        try await eventually("no handler is left") { handlers.elements.allSatisfy { $0.handler == nil } }
        try await eventually("no connection is left") { connections.elements.allSatisfy { $0.connection == nil } }
        for loop in group.makeIterator() {
            let count = try await loop.submit { LoopTimekeepers.shared.timekeeper(of: loop).connectionCount }.get()
            #expect(count == 0)
        }
        try await group.shutdownGracefully()
    }

    // MARK: - Helpers

    private static func texts(of client: BelayClient) async -> [String] {
        var texts: [String] = []
        for await change in client.changes { texts.append(change.text) }
        return texts
    }
}
