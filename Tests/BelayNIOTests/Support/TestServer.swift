//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import NIOCore
import NIOPosix
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@testable import BelayNIO

/// A server on a port of the loopback interface that the system chose.
struct TestServer {
    let server: BelayServer
    let port: Int
    let events: Recorder<Event>
    /// Begins the graceful shutdown.
    let shutDown: @Sendable () -> Void

    typealias Body = @Sendable (BelayConnection) async throws -> Void

    /// Runs a server while `test` runs, and returns when the server has ended.
    ///
    /// The server is cancelled afterwards, unless it was shut down. A test in which nobody listens for a while takes a
    /// `host` of its own, of 127.0.0.0/8: the system may give the port of 127.0.0.1 to a server of another test.
    static func run<Result: Sendable>(
        _ format: WireFormat = .lines,
        delegate: (any ConnectionDelegate)? = nil,
        serving body: Body? = nil,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        host: String = "127.0.0.1",
        port: Int = 0,
        configure: (inout BelayServer.Configuration) -> Void = { _ in },
        test: @escaping @Sendable (TestServer) async throws -> Result
    ) async throws -> Result {
        let events = Recorder<Event>()
        var configuration = BelayServer.Configuration(
            listeners: [Endpoint(format, host: host, port: port)],
            // Long: the tests of sockets are not about time.
            liveness: LivenessPolicy(detectWithin: .seconds(300))
        )
        configuration.events = events
        configure(&configuration)
        let server = BelayServer(configuration: configuration, delegate: delegate, group: group)
        return try await testGracefulShutdown { trigger in
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask {
                    if let body { try await server.run(body) } else { try await server.run() }
                }
                let endpoints = try await server.listeningEndpoints()
                let running = TestServer(server: server, port: endpoints[0].port, events: events) {
                    trigger.triggerGracefulShutdown()
                }
                let result = try await test(running)
                tasks.cancelAll()
                try await tasks.waitForAll()
                return result
            }
        }
    }

    /// Waits until the server has no connection any more.
    func waitUntilEmpty() async throws {
        let server = self.server
        try await eventually("the server has no connections") { server.connectionCount == 0 }
    }
}
