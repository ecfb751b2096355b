//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import NIOCore
import NIOPosix
import Testing

@testable import BelayNIO

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A server with real sockets: what it serves, what it refuses, and how its connections end.
@Suite(.timeLimit(.minutes(1))) struct BelayServerTests {
    // MARK: - Serving

    @Test("a closure per connection echoes", arguments: WireFormat.allCases.filter { $0 != .frames })
    func echo(format: WireFormat) async throws {
        try await TestServer.run(format, serving: Self.echo) { server in
            let peers = try await Self.connect(5, to: server)
            for (number, peer) in peers.enumerated() {
                try await peer.send("message \(number)\n")
                try await peer.receive("message \(number)\n")
            }
        }
    }

    @Test("a delegate is told what happens, in order")
    func delegate() async throws {
        let delegate = RecordingDelegate(onReceived: { message, connection in try? connection.send(message) })
        try await TestServer.run(delegate: delegate) { server in
            let peer = try await TestPeer.connect(to: server.port)
            try await peer.send("hello device-42\nnews\n")
            try await peer.receive("welcome")
            try await peer.receive("news\n")
            await peer.close()
            _ = try await server.events.firstClosed()
        }
        #expect(delegate.calls.elements == [.opened, .received("news"), .closed(.peerClosed)])
    }

    @Test("more bytes than all buffers hold are echoed, although the peer reads nothing for a while")
    func bulk() async throws {
        try await TestServer.run(serving: Self.echo) { server in
            let peer = try await TestPeer.connect(to: server.port)
            let line = String(repeating: "a", count: 60_000) + "\n"
            for _ in 0..<64 { try await peer.send(line) }
            try await peer.send("the end\n")
            try await peer.receive("the end\n")
            try await peer.finishSending()
            let (text, errno) = try await peer.receiveUntilEnd()
            #expect(text.utf8.count == 64 * 60_001 + 8)
            #expect(errno == nil)
        }
    }

    @Test("a closure that returns closes its connection with a goodbye")
    func closureReturns() async throws {
        let closed = try await TestServer.run(serving: { _ in }) { server in
            let peer = try await TestPeer.connect(to: server.port)
            #expect(try await peer.receiveUntilEnd().text == "bye local.closed\n")
            await peer.close()
            return try await server.events.firstClosed()
        }
        #expect(closed.reason.code == .localClosed)
    }

    @Test("a closure that throws closes its connection as our own failure")
    func closureThrows() async throws {
        let closed = try await TestServer.run(serving: { _ in throw CancellationError() }) { server in
            let peer = try await TestPeer.connect(to: server.port)
            #expect(try await peer.receiveUntilEnd().text == "bye local.failed\n")
            return try await server.events.firstClosed()
        }
        #expect(closed.reason.code == .localFailed)
    }

    @Test("a closure learns who the peer is before its first message")
    func identity() async throws {
        let identities = Recorder<String>()
        try await TestServer.run(serving: { connection in
            try await connection.send("who are you")
            for await _ in connection.messages {}
            identities.record(connection.peer ?? "nobody")
        }) { server in
            let peer = try await TestPeer.connect(to: server.port)
            try await peer.receive("who are you\n")
            try await peer.send("hello device-42\n")
            try await peer.receive("welcome")
            await peer.close()
            _ = try await identities.first { $0 }
        }
        #expect(identities.elements == ["device-42"])
    }

    // MARK: - Ends

    @Test(
        "a FIN and a RST are told apart, in the event and for the closure",
        arguments: [
            (false, DisconnectReason.Code.peerClosed, nil), (true, .peerReset, ErrorNumber.connectionReset),
        ] as [(Bool, DisconnectReason.Code, ErrorNumber?)]
    )
    func ends(resets: Bool, code: DisconnectReason.Code, errno: ErrorNumber?) async throws {
        let reasons = Recorder<DisconnectReason?>()
        let closed = try await TestServer.run(serving: { connection in
            for await message in connection.messages { try await connection.send(message) }
            reasons.record(connection.closeReason)
        }) { server in
            let peer = try await TestPeer.connect(to: server.port)
            try await peer.send("news\n")
            try await peer.receive("news\n")
            let port = peer.port
            if resets { try await peer.reset() } else { await peer.close() }
            let closed = try await server.events.firstClosed()
            #expect(closed.summary.remote == "127.0.0.1:\(port)")
            #expect(closed.summary.local == "127.0.0.1:\(server.port)")
            #expect(closed.summary.listener == "lines://127.0.0.1:\(server.port)")
            _ = try await reasons.first { $0 }
            return closed
        }
        #expect(closed.reason.code == code)
        #expect(closed.reason.evidence.errno == errno)
        #expect(reasons.elements.map { $0?.code } == [code])
    }

    @Test("what a peer sent before its FIN is delivered, all of it")
    func deliversBeforeEnd() async throws {
        let delegate = RecordingDelegate()
        try await TestServer.run(delegate: delegate) { server in
            let peer = try await TestPeer.connect(to: server.port)
            try await peer.send((0..<1_000).map { "message \($0)\n" }.joined())
            await peer.close()
            _ = try await server.events.firstClosed()
        }
        #expect(delegate.messages == (0..<1_000).map { "message \($0)" })
        #expect(delegate.calls.elements.last == .closed(.peerClosed))
    }

    @Test("closing twice, from two tasks at once, is one event")
    func closingTwice() async throws {
        let reasons = try await TestServer.run(serving: { connection in
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { connection.close(.localKicked) } }
            }
            for await _ in connection.messages {}
            connection.close()
        }) { server in
            let peer = try await TestPeer.connect(to: server.port)
            #expect(try await peer.receiveUntilEnd().text == "bye local.kicked\n")
            await peer.close()
            try await server.waitUntilEmpty()
            return server.events.reasons
        }
        #expect(reasons.map(\.code) == [.localKicked])
    }

    @Test("nothing can be sent after the end, and the error says why")
    func sendingAfterTheEnd() async throws {
        let errors = Recorder<SendError?>()
        try await TestServer.run(serving: { connection in
            for await _ in connection.messages {}
            do { try await connection.send("too late") } catch { errors.record(error as? SendError) }
        }) { server in
            try await TestPeer.connect(to: server.port).close()
            _ = try await errors.first { $0 }
        }
        #expect(errors.elements.first == .closed(DisconnectReason(.peerClosed, phase: .handshake)))
    }

    @Test("a peer that stops reading while we send is one that does not read, and its sender is told")
    func stuckPeer() async throws {
        let errors = Recorder<SendError?>()
        let closed = try await TestServer.run(
            serving: { connection in
                for await _ in connection.messages { break }
                do {
                    while true { try await connection.send(ByteBuffer(repeating: UInt8(ascii: "a"), count: 60_000)) }
                } catch { errors.record(error as? SendError) }
            },
            configure: { $0.liveness = LivenessPolicy(detectWithin: .seconds(1)) }
        ) { server in
            // A window that few messages close, however slow the machine is.
            let peer = try await TestPeer.connect(to: server.port, answersPings: true, receiveBuffer: 4_096)
            try await peer.send("go\n")
            // Who stops before anything was sent is frozen, not one that does not read.
            try await peer.receive("aaaa")
            try await peer.stopReading()
            let closed = try await server.events.firstClosed()
            _ = try await errors.first { $0 }
            await peer.close()
            return closed
        }
        #expect(closed.reason.code == .peerNotReading)
        #expect(try #require(closed.reason.evidence.unsentBytes) > 0)
        #expect(errors.elements.first == .interrupted(closed.reason))
    }

    @Test("a send that passes the limit of the queue ends, and says why")
    func sendThatEndsItsConnection() async throws {
        let errors = Recorder<SendError?>()
        let closed = try await TestServer.run(
            serving: { connection in
                for await _ in connection.messages { break }
                do {
                    try await connection.send(ByteBuffer(repeating: UInt8(ascii: "a"), count: 8 << 20))
                } catch { errors.record(error as? SendError) }
            },
            configure: {
                $0.listeners = [.frames(host: "127.0.0.1", port: 0)]
                $0.limits.messageBytes = 16 << 20
                $0.limits.outboundBytes = 4_096
            }
        ) { server in
            let peer = try await TestPeer.connect(to: server.port)
            try await peer.stopReading()
            // A message of two bytes in a frame.
            try await peer.send("\0\0\0\u{3}\0go")
            let closed = try await server.events.firstClosed()
            _ = try await errors.first { $0 }
            await peer.close()
            return closed
        }
        #expect(closed.reason.code == .slowConsumer)
        #expect(errors.elements.first == .interrupted(closed.reason))
    }

    @Test("a peer that falls silent is closed with a RST, and nobody waits for it")
    func silentPeer() async throws {
        let closed = try await TestServer.run(configure: { $0.liveness = LivenessPolicy(detectWithin: .seconds(1)) }) {
            server in
            let peer = try await TestPeer.connect(to: server.port, saying: "here\n")
            let closed = try await server.events.firstClosed()
            #expect(try await peer.receiveUntilEnd().errno == ErrorNumber.connectionReset.rawValue)
            return closed
        }
        #expect(closed.reason.code == .peerFrozen)
    }

    // MARK: - Limits and options

    @Test("a connection beyond the limit per address is told so, and one that ends makes room")
    func limitPerAddress() async throws {
        try await TestServer.run(configure: {
            $0.limits.connectionsPerAddress = 2
        }) { server in
            let peers = try await Self.connect(2, to: server)
            let refused = try await TestPeer.connect(to: server.port)
            #expect(try await refused.receiveUntilEnd().text == "bye policy.too-many-connections\n")
            await refused.close()
            await peers[0].close()
            try await eventually("the two are released") { server.server.connectionCount == 1 }
            let next = try await TestPeer.connect(to: server.port)
            try await next.send("ping 1\n")
            try await next.receive("pong 1\n")
            #expect(
                server.events.reasons.map(\.code).sorted { $0.rawValue < $1.rawValue } == [
                    .peerClosed, .tooManyConnections,
                ]
            )
        }
    }

    @Test("an endpoint that is in use, and one that is not ours, cannot be listened on")
    func listenErrors() async throws {
        try await TestServer.run { server in
            let second = BelayServer(.lines(host: "127.0.0.1", port: server.port), detectWithin: .seconds(30))
            let error = await #expect(throws: ListenError.self) { try await second.run() }
            #expect(error?.errno == .addressInUse)
            await #expect(throws: ListenError.self) { try await second.listeningEndpoints() }
        }
        let elsewhere = BelayServer(.lines(host: "192.0.2.1", port: 0), detectWithin: .seconds(30))
        let error = await #expect(throws: ListenError.self) { try await elsewhere.run() }
        #expect(error?.errno == .addressNotAvailable)
    }

    @Test("when one of two endpoints cannot be listened on, the other is let go")
    func listenErrorReleasesOthers() async throws {
        try await TestServer.run { server in
            let first = Endpoint.lines(host: "127.0.0.1", port: 0)
            let second = Endpoint.lines(host: "127.0.0.1", port: server.port)
            let before = SocketTable.count(port: server.port)
            let other = BelayServer(configuration: .init(listeners: [first, second]))
            await #expect(throws: ListenError.self) { try await other.run() }
            #expect(SocketTable.count(port: server.port) == before)
        }
    }

    @Test("an impossible configuration is reported by run and by those who wait for the port")
    func configurationError() async throws {
        let server = BelayServer(.lines(host: "127.0.0.1", port: 0), detectWithin: .milliseconds(1))
        await #expect(throws: ConfigurationError.self) { try await server.run() }
        await #expect(throws: ConfigurationError.self) { try await server.listeningEndpoints() }
        await #expect(throws: ConfigurationError.self) {
            try await BelayServer(configuration: .init(listeners: [])).run()
        }
    }

    @Test("waiting for the port ends when the task is cancelled")
    func cancelledWaitForPort() async throws {
        let server = BelayServer(.lines(host: "127.0.0.1", port: 0), detectWithin: .seconds(30))
        let waiting = Task { try await server.listeningEndpoints() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }

    #if os(Linux)
    @Test(
        "the kernel's timers are set on accepted connections, and anew for a bound that a peer asks for (R11)",
        arguments: [(asking: "", bound: Duration.seconds(30)), (asking: "hello device-42 within=12s\n", .seconds(12))]
    )
    func kernelOptions(asking: String, bound: Duration) async throws {
        let options = Recorder<[Int32]>()
        let delegate = RecordingDelegate(onReceived: { _, connection in
            guard let socket = connection.handler.socket else { return }
            let tcp = Int32(IPPROTO_TCP)
            options.record(
                [(SOL_SOCKET, SO_KEEPALIVE), (tcp, TCP_NODELAY), (tcp, TCP_KEEPIDLE), (tcp, TCP_KEEPINTVL), (tcp, 18)]
                    .map { level, name in
                        var value: Int32 = -1
                        var length = socklen_t(MemoryLayout<Int32>.size)
                        getsockopt(socket.rawValue, level, name, &value, &length)
                        return value
                    }
            )
        })
        try await TestServer.run(
            delegate: delegate,
            configure: {
                $0.liveness = LivenessPolicy(detectWithin: .seconds(30))
            }
        ) { server in
            let peer = try await TestPeer.connect(to: server.port)
            try await peer.send(asking + "news\n")
            let timeouts = KernelTimeouts(try LivenessPolicy(detectWithin: bound).timings())
            let idle = try #require(timeouts.keepaliveIdleSeconds)
            let expected = [1, 1, idle, timeouts.keepaliveIntervalSeconds, timeouts.userTimeoutMilliseconds]
            #expect(try await options.first { $0 } == expected)
            await peer.close()
        }
    }
    #endif

    // MARK: - Helpers

    static let echo: TestServer.Body = { connection in
        for await message in connection.messages { try await connection.send(message) }
    }

    static func connect(_ count: Int, to server: TestServer) async throws -> [TestPeer] {
        var peers: [TestPeer] = []
        for _ in 0..<count {
            peers.append(try await TestPeer.connect(to: server.port))
            // Loops accept side by side: without a wait a later connection may be counted before an earlier one.
            try await server.events.opened(atLeast: peers.count)
        }
        return peers
    }
}

extension BelayServer {
    /// How many connections hold a descriptor.
    var connectionCount: Int { self.admission.count }
}
