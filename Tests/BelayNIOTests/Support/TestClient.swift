//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import NIOCore
import NIOPosix
import ServiceLifecycleTestKit

@testable import BelayNIO

/// A client, with everything that it says.
struct TestClient {
    let client: BelayClient
    let changes: Recorder<BelayClient.Change>
    /// Begins the graceful shutdown.
    let shutDown: @Sendable () -> Void
    private let endings: Recorder<DisconnectReason?>

    /// Runs a client while `test` runs, and returns when the client has ended.
    ///
    /// The client is cancelled afterwards.
    static func run<Result: Sendable>(
        to port: Int,
        of host: String = "127.0.0.1",
        _ format: WireFormat = .lines,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        configure: (inout BelayClient.Configuration) -> Void = { _ in },
        test: @escaping @Sendable (TestClient) async throws -> Result
    ) async throws -> Result {
        var configuration = BelayClient.Configuration(
            endpoint: Endpoint(format, host: host, port: port),
            liveness: LivenessPolicy(detectWithin: .seconds(300))
        )
        configuration.reconnect?.shortestDelay = .milliseconds(1)
        configuration.reconnect?.longestDelay = .milliseconds(5)
        configure(&configuration)
        let client = BelayClient(configuration: configuration, group: group)
        let changes = Recorder<BelayClient.Change>()
        let endings = Recorder<DisconnectReason?>()
        return try await testGracefulShutdown { trigger in
            // Not children of one group: the changes end with the client, and are taken until then.
            let running = Task { endings.record(try await client.runUntilOver()) }
            let taking = Task {
                for await change in client.changes { changes.record(change) }
            }
            let shutDown = { @Sendable in trigger.triggerGracefulShutdown() }
            let outcome: Swift.Result<Result, any Error>
            do {
                outcome = .success(
                    try await test(TestClient(client: client, changes: changes, shutDown: shutDown, endings: endings))
                )
            } catch {
                outcome = .failure(error)
            }
            running.cancel()
            try await running.value
            await taking.value
            return try outcome.get()
        }
    }

    /// Waits until a connection is open, the first one or a later one.
    func connected(_ count: Int = 1) async throws {
        _ = try await self.changes.wait { changes in
            let connected = changes.count { if case .connected = $0 { true } else { false } }
            return connected >= count ? true : nil
        }
    }

    /// Waits until the client has ended by itself, or by a graceful shutdown, and says why.
    func ended() async throws -> DisconnectReason? {
        try await self.endings.wait { $0.first }
    }
}

extension BelayClient.Change {
    /// The change in a word or two.
    var text: String {
        switch self {
        case .connected: "connected"
        case .suspected: "suspected"
        case .recovered: "recovered"
        case .disconnected(let reason): "disconnected \(reason.code.rawValue)"
        case .connectFailed(let reason): "failed \(reason.code.rawValue)"
        case .waiting: "waiting"
        }
    }
}
