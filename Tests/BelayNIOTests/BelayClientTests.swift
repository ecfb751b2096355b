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

/// A client with real sockets: what it says, how it comes back, and how it ends.
@Suite(.timeLimit(.minutes(1))) struct BelayClientTests {
    // MARK: - Connected

    @Test("a client sends and receives messages", arguments: WireFormat.allCases)
    func messages(format: WireFormat) async throws {
        try await TestServer.run(format, serving: BelayServerTests.echo) { server in
            try await TestClient.run(to: server.port, format) { client in
                let messages = client.client.messages
                try await client.connected()
                var iterator = messages.makeAsyncIterator()
                for number in 0..<10 {
                    try await client.client.send("message \(number)")
                    let message = try #require(await iterator.next())
                    #expect(String(buffer: message) == "message \(number)")
                }
            }
        }
    }

    @Test("a client says who it is, and what it asks for is in force at both ends")
    func identity() async throws {
        let events = Recorder<Event>()
        let closed = try await TestServer.run(
            serving: BelayServerTests.echo,
            configure: {
                $0.liveness.requiresHello = true
            }
        ) { server in
            try await TestClient.run(
                to: server.port,
                configure: {
                    $0.identity = "device-42"
                    $0.liveness = LivenessPolicy(detectWithin: .seconds(3))
                    // A client that does not ping depends on the server's pings, and so on its bound.
                    $0.liveness.heartbeats = .answer
                    $0.events = events
                }
            ) { client in
                var messages = client.client.messages.makeAsyncIterator()
                try await client.connected()
                // The echo comes after the welcome.
                try await client.client.send("hi")
                _ = await messages.next()
                client.shutDown()
                _ = try await client.ended()
                return try await server.events.firstClosed()
            }
        }
        #expect(closed.summary.peer == "device-42" && closed.summary.epoch == 1)
        #expect(closed.reason.code == .peerGoodbye && closed.reason.evidence.goodbyeCode == "local.shutdown")
        // A tenth of the server's bound is the shortest that it grants.
        #expect(closed.summary.bound == .seconds(30))
        // A machine that is busy may add stalls.
        #expect(events.types.filter { $0 != "node.stalled" } == ["connection.opened", "connection.closed"])
        #expect(events.elements.compactMap(\.closed).map(\.summary.bound) == [.seconds(30)])
    }

    @Test("nothing can be sent while no connection is open")
    func notConnected() async throws {
        let client = BelayClient(.lines(host: "127.0.0.1", port: 1), detectWithin: .seconds(30))
        await #expect(throws: SendError.closed(nil)) { try await client.send("news") }
    }

    @Test("messages that nobody takes are not read without end, and none is lost")
    func backpressure() async throws {
        let sent = Recorder<Int>()
        try await TestServer.run(serving: { connection in
            for number in 0..<400 {
                try await connection.send("\(number) " + String(repeating: "a", count: 60_000))
                sent.record(number)
            }
            for await _ in connection.messages {}
        }) { server in
            try await TestClient.run(to: server.port) { client in
                let messages = client.client.messages
                try await client.connected()
                let handle = try #require(client.client.link.current).handle
                let isPaused = Recorder<Bool>()
                try await eventually("reading pauses") {
                    handle.execute { isPaused.record($0.handler.machine.areReadsPaused) }
                    return isPaused.elements.contains(true)
                }
                #expect(sent.elements.count < 400)
                var numbers: [Substring] = []
                for await message in messages {
                    numbers.append(String(buffer: message).prefix { $0 != " " })
                    if numbers.count == 400 { break }
                }
                #expect(numbers == (0..<400).map { Substring("\($0)") })
            }
        }
    }

    // MARK: - Coming back

    @Test("a client connects again after its server was restarted")
    func serverRestarts() async throws {
        let host = "127.0.0.3"
        let port = try await TestServer.run(host: host) { $0.port }
        try await TestClient.run(to: port, of: host) { client in
            let first = try await TestServer.run(serving: BelayServerTests.echo, host: host, port: port) { server in
                // Open at both ends: a connection that was not accepted yet is the kernel's to reset.
                try await client.connected(1)
                try await server.events.opened()
                server.shutDown()
                return try await server.events.firstClosed()
            }
            #expect(first.reason.code == .localShutdown)
            try await TestServer.run(serving: BelayServerTests.echo, host: host, port: port) { server in
                try await server.events.opened()
                try await client.connected(2)
            }
            let texts = client.changes.elements.map(\.text)
            #expect(texts.contains("disconnected peer.goodbye"))
            #expect(texts.contains("waiting"))
            // Each connection is over before the next one begins.
            let transitions = texts.filter { $0.hasPrefix("connected") || $0.hasPrefix("disconnected") }
            #expect(transitions.prefix(3).map { $0.prefix(9) } == ["connected", "disconnec", "connected"])
        }
    }

    @Test("messages go on after a reconnection, in one sequence")
    func messagesAcrossConnections() async throws {
        try await TestServer.run(serving: { connection in
            try await connection.send("hi")
            for await _ in connection.messages { return }
        }) { server in
            try await TestClient.run(to: server.port) { client in
                var iterator = client.client.messages.makeAsyncIterator()
                for _ in 0..<10 {
                    let message = try #require(await iterator.next())
                    #expect(String(buffer: message) == "hi")
                    try await client.client.send("next please")
                }
                try await client.connected(11)
            }
        }
    }

    @Test("a client that may not connect again ends with the reason", arguments: [true, false])
    func noReconnect(resets: Bool) async throws {
        let delegate = RecordingDelegate(onReceived: { message, connection in
            if String(buffer: message) == "kick me" {
                connection.close(.localKicked)
            } else {
                connection.handler.abort()
            }
        })
        let reason = try await TestServer.run(delegate: delegate) { server in
            try await TestClient.run(to: server.port, configure: { $0.reconnect = nil }) { client in
                try await client.connected()
                try await client.client.send(resets ? "reset me" : "kick me")
                let reason = try await client.ended()
                #expect(client.changes.elements.count { if case .connected = $0 { true } else { false } } == 1)
                return reason
            }
        }
        #expect(reason?.code == (resets ? .peerReset : .peerGoodbye))
    }

    @Test("a client that was kicked does not come back, although it would reconnect")
    func kicked() async throws {
        let delegate = RecordingDelegate(onOpened: { $0.close(.localKicked) })
        let reason = try await TestServer.run(delegate: delegate) { server in
            try await TestClient.run(to: server.port) { try await $0.ended() }
        }
        #expect(reason?.evidence.goodbyeCode == "local.kicked")
        #expect(delegate.calls.elements == [.opened, .closed(.localKicked)])
    }

    @Test("a refused attempt keeps its errno, and attempts are limited")
    func refusedAttempts() async throws {
        let port = try await TestServer.run(host: "127.0.0.4") { $0.port }
        let (reason, texts) = try await TestClient.run(
            to: port,
            of: "127.0.0.4",
            configure: {
                $0.reconnect?.maximumAttempts = 3
            }
        ) { client in
            let reason = try await client.ended()
            try await eventually("all changes came") { client.changes.elements.count >= 7 }
            return (reason, client.changes.elements.map(\.text))
        }
        #expect(reason?.code == .pathUnreachable)
        #expect(reason?.evidence.errno == .connectionRefused)
        let round = ["failed path.unreachable", "waiting"]
        #expect(texts == round + round + round + ["failed path.unreachable"])
    }

    @Test("an attempt that hangs is given up in time")
    func connectTimeout() async throws {
        let reason = try await DeafListener.run { deaf in
            try await TestClient.run(
                to: deaf.port,
                configure: {
                    $0.reconnect = nil
                    $0.connectWithin = .milliseconds(30)
                }
            ) { try await $0.ended() }
        }
        #expect(reason?.code == .pathTimedOut)
        #expect(reason?.phase == .handshake)
    }

    @Test("a name that cannot be resolved is a failed attempt")
    func unknownName() async throws {
        var configuration = BelayClient.Configuration(endpoint: .lines(host: Self.impossibleName, port: 7_400))
        configuration.reconnect = nil
        let reason = try await BelayClient(configuration: configuration).runUntilOver()
        #expect(reason?.code == .localFailed)
        #expect(reason?.evidence.detail == "the name '\(Self.impossibleName)' cannot be resolved")
    }

    @Test("an impossible configuration is reported with all its problems")
    func configurationError() async throws {
        var configuration = BelayClient.Configuration(
            endpoint: .raw(host: "127.0.0.1", port: 0),
            liveness: LivenessPolicy(detectWithin: .zero),
            identity: "two words"
        )
        configuration.connectWithin = .zero
        let client = BelayClient(configuration: configuration)
        let error = await #expect(throws: ConfigurationError.self) { try await client.run() }
        #expect(error?.problems.map(\.key) == ["endpoint", "identity", "connectWithin", "detectWithin"])
        for await _ in client.changes {}
        for await _ in client.messages {}
    }

    // MARK: - Helpers

    /// No question is asked for a name with so long a label.
    private static let impossibleName = String(repeating: "a", count: 64) + ".invalid"
}
