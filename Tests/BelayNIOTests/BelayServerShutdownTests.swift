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

/// How a server ends, and that nothing of it is left.
@Suite(.timeLimit(.minutes(1))) struct BelayServerShutdownTests {
    // MARK: - Graceful

    @Test("a graceful shutdown says goodbye to everybody and ends when all have gone")
    func graceful() async throws {
        let events = try await TestServer.run(serving: BelayServerTests.echo) { server in
            let peers = try await BelayServerTests.connect(20, to: server)
            for peer in peers {
                try await peer.send("hi\n")
                try await peer.receive("hi\n")
            }
            server.shutDown()
            for peer in peers {
                #expect(try await peer.receiveUntilEnd().text == "hi\nbye local.shutdown\n")
                await peer.close()
            }
            _ = try await server.events.closed(atLeast: 20)
            return server.events
        }
        #expect(events.types.count { $0 == "connection.opened" } == 20)
        #expect(events.reasons.map(\.code) == Array(repeating: .localShutdown, count: 20))
        #expect(events.reasons.allSatisfy { $0.phase == .draining && $0.mayReconnect })
        #expect(events.types.first == "node.started")
        #expect(events.types.contains("node.stopping"))
    }

    @Test("a server that shuts down accepts nobody any more")
    func acceptsNobody() async throws {
        try await TestServer.run(serving: BelayServerTests.echo) { server in
            let peer = try await TestPeer.connect(to: server.port)
            try await peer.send("hi\n")
            try await peer.receive("hi\n")
            server.shutDown()
            #expect(try await peer.receiveUntilEnd().text.hasSuffix("bye local.shutdown\n"))
            await #expect(throws: (any Error).self) { try await TestPeer.connect(to: server.port) }
            await peer.close()
        }
    }

    @Test("peers that never close are reset when the time to drain is over, and reported once")
    func deafPeers() async throws {
        let events = try await TestServer.run(configure: { $0.drainWithin = .milliseconds(100) }) { server in
            let peers = try await BelayServerTests.connect(20, to: server)
            for peer in peers {
                try await peer.send("ping 1\n")
                try await peer.receive("pong 1\n")
            }
            server.shutDown()
            // The peers never follow the FIN; their ends of the connections stay open until this closure has returned.
            try await server.waitUntilEmpty()
            for peer in peers { await peer.close() }
            return server.events
        }
        #expect(events.reasons.map(\.code) == Array(repeating: .localShutdown, count: 20))
    }

    @Test("a closure that does not return is cancelled when the time to drain is over")
    func stuckClosures() async throws {
        let cancelled = Recorder<Bool>()
        try await TestServer.run(
            serving: { connection in
                for await _ in connection.messages {}
                do { try await Task.sleep(for: .seconds(3_600)) } catch { cancelled.record(Task.isCancelled) }
            },
            configure: {
                $0.drainWithin = .milliseconds(100)
            }
        ) { server in
            let peers = try await BelayServerTests.connect(3, to: server)
            for peer in peers {
                try await peer.send("ping 1\n")
                try await peer.receive("pong 1\n")
            }
            server.shutDown()
            _ = try await cancelled.wait { $0.count == 3 ? true : nil }
            for peer in peers { await peer.close() }
        }
        #expect(cancelled.elements == [true, true, true])
    }

    @Test("a closure has the time to drain to say its last words")
    func lastWords() async throws {
        let ended = Recorder<DisconnectReason?>()
        try await TestServer.run(serving: { connection in
            for await _ in connection.messages {}
            ended.record(Task.isCancelled ? nil : connection.closeReason)
        }) { server in
            let peer = try await TestPeer.connect(to: server.port)
            try await peer.send("ping 1\n")
            try await peer.receive("pong 1\n")
            server.shutDown()
            _ = try await peer.receiveUntilEnd()
            await peer.close()
            _ = try await ended.wait { $0.first }
        }
        #expect(ended.elements.map { $0?.code } == [.localShutdown])
    }

    @Test("live and dead peers, closed in all ways at once: each that was opened is closed once")
    func mixedEnds() async throws {
        let events = try await TestServer.run(
            serving: BelayServerTests.echo,
            configure: {
                $0.drainWithin = .milliseconds(200)
            }
        ) { server in
            let peers = try await BelayServerTests.connect(60, to: server)
            for peer in peers {
                try await peer.send("hi\n")
                try await peer.receive("hi\n")
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { server.shutDown() }
                for (number, peer) in peers.enumerated() {
                    group.addTask {
                        switch number % 4 {
                        case 0: await peer.close()
                        case 1: try? await peer.reset()
                        case 2: try? await peer.send("bye\n")
                        default: break
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await server.waitUntilEmpty()
            for peer in peers { await peer.close() }
            return server.events
        }
        let opened = events.elements.compactMap { event in
            if case .connectionOpened(let summary) = event.kind { summary.connection } else { nil }
        }
        let closed = events.elements.compactMap(\.closed?.summary.connection)
        #expect(opened.count == 60)
        #expect(Set(opened) == Set(closed) && closed.count == 60)
    }

    // MARK: - Cancelled

    @Test("a server whose task is cancelled ends at once, although nobody closes", arguments: [true, false])
    func cancelled(closures: Bool) async throws {
        let body: TestServer.Body? = closures ? BelayServerTests.echo : nil
        let (events, peers) = try await TestServer.run(serving: body) { server in
            let peers = try await BelayServerTests.connect(10, to: server)
            for peer in peers {
                try await peer.send("ping 1\n")
                try await peer.receive("pong 1\n")
            }
            return (server.events, peers)
        }
        for peer in peers { await peer.close() }
        #expect(events.types.count { $0 == "connection.opened" } == 10)
        #expect(events.reasons.map(\.code) == Array(repeating: .localShutdown, count: 10))
    }

    @Test("a server that is cancelled while it begins ends")
    func cancelledAtOnce() async throws {
        for round in 0..<20 {
            let server = BelayServer(.lines(host: "127.0.0.1", port: 0), detectWithin: .seconds(30))
            let running = Task { try await server.run() }
            for _ in 0..<round { await Task.yield() }
            running.cancel()
            _ = try? await running.value
            let port = (try? await server.listeningEndpoints())?.first?.port
            if let port { #expect(SocketTable.count(port: port) == 0) }
        }
    }

    // MARK: - Nothing is left

    @Test("when a server has ended, no descriptor, handler, timer or loop entry of it is left")
    func nothingIsLeft() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let handlers = Recorder<WeakHandler>()
        let delegate = RecordingDelegate(
            onOpened: { handlers.record(WeakHandler(handler: $0.handler)) },
            onReceived: { message, connection in
                try? connection.send(message)
                if String(buffer: message) == "close me" { connection.close() }
            }
        )
        let port = try await TestServer.run(delegate: delegate, group: group) { server in
            let peers = try await BelayServerTests.connect(40, to: server)
            for (number, peer) in peers.enumerated() {
                try await peer.send("hi\n")
                try await peer.receive("hi\n")
                switch number % 5 {
                case 0: try await peer.reset()
                case 1: await peer.close()
                case 2: try await peer.send("close me\n")
                case 3: try await peer.send("\u{0}\n")
                default: break
                }
            }
            for (number, peer) in peers.enumerated() where number % 5 == 2 || number % 5 == 3 {
                _ = try await peer.receiveUntilEnd()
                await peer.close()
            }
            _ = try await server.events.closed(atLeast: 32)
            try await eventually("the ended ones are released") { server.server.connectionCount == 8 }
            server.shutDown()
            for (number, peer) in peers.enumerated() where number % 5 == 4 {
                _ = try await peer.receiveUntilEnd()
                await peer.close()
            }
            try await server.waitUntilEmpty()
            return server.port
        }
        #expect(handlers.elements.count == 40)
        try await eventually("no descriptor is left") { SocketTable.count(port: port) == 0 }
        try await eventually("no handler is left") { handlers.elements.allSatisfy { $0.handler == nil } }
        for loop in group.makeIterator() {
            let count = try await loop.submit { LoopTimekeepers.shared.timekeeper(of: loop).connectionCount }.get()
            #expect(count == 0)
        }
        try await group.shutdownGracefully()
    }

    @Test("closures leave nothing behind either")
    func closuresLeaveNothing() async throws {
        let connections = Recorder<WeakConnection>()
        let port = try await TestServer.run(serving: { connection in
            connections.record(WeakConnection(connection: connection))
            for await message in connection.messages {
                try await connection.send(message)
                if String(buffer: message) == "return" { return }
            }
        }) { server in
            let peers = try await BelayServerTests.connect(20, to: server)
            for (number, peer) in peers.enumerated() {
                try await peer.send(number % 2 == 0 ? "return\n" : "hi\n")
                try await peer.receive("\n")
                await peer.close()
            }
            try await server.waitUntilEmpty()
            return server.port
        }
        #expect(connections.elements.count == 20)
        try await eventually("no descriptor is left") { SocketTable.count(port: port) == 0 }
        try await eventually("no connection is left") { connections.elements.allSatisfy { $0.connection == nil } }
    }

    @Test("a channel that closes before it was active is counted no more")
    func neverActive() async throws {
        let released = Recorder<String>()
        try await DeafListener.run { deaf in
            let environment = try Self.environment(port: deaf.port)
            let connecting = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connectTimeout(.milliseconds(20))
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = ConnectionHandler(
                            eventLoop: channel.eventLoop,
                            environment: environment,
                            observer: released
                        )
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .connect(host: "127.0.0.1", port: deaf.port)
            await #expect(throws: (any Error).self) { _ = try await connecting.get() }
        }
        try await eventually("the connection is released") { released.elements.count == 1 }
    }

    @Test("a channel that was closed when its handler came is counted no more")
    func closedBefore() async throws {
        try await TestServer.run { server in
            let released = Recorder<String>()
            let environment = try Self.environment(port: server.port)
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: server.port).get()
            try await channel.eventLoop.submit {
                channel.close(promise: nil)
                let handler = ConnectionHandler(
                    eventLoop: channel.eventLoop,
                    environment: environment,
                    observer: released
                )
                try channel.pipeline.syncOperations.addHandler(handler)
            }.get()
            try await eventually("the connection is released") { released.elements.count == 1 }
        }
    }

    private static func environment(port: Int) throws -> ConnectionEnvironment {
        ConnectionEnvironment(
            role: .client(hello: nil),
            endpoint: .lines(host: "127.0.0.1", port: port),
            timings: try LivenessPolicy(detectWithin: .seconds(30)).timings(),
            kernelMode: .patient,
            limits: ConnectionLimits(),
            node: NodeContext(sink: nil, logger: .silent),
            delegate: nil
        )
    }
}

/// Whether a handler still lives, for other threads.
struct WeakHandler: @unchecked Sendable {
    // SAFETY: compared with nil and nothing else.
    weak let handler: ConnectionHandler?
}

/// Whether a connection still lives.
struct WeakConnection: Sendable {
    weak let connection: BelayConnection?
}
