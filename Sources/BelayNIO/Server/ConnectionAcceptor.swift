//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Logging
import NIOCore

/// Gives each connection of a server a task with a closure.
final class ConnectionAcceptor: ConnectionDelegate {
    private let accepted: AsyncStream<BelayConnection>
    private let accept: AsyncStream<BelayConnection>.Continuation
    private let logger: Logger

    init(logger: Logger) {
        // Bounded by the server's limit on connections: each element is an open one.
        (self.accepted, self.accept) = AsyncStream.makeStream()
        self.logger = logger
    }

    /// Runs `body` for each connection; returns when ``finish()`` was called and all closures have returned.
    func run(_ body: @escaping @Sendable (BelayConnection) async throws -> Void) async {
        await withDiscardingTaskGroup { group in
            for await connection in self.accepted {
                group.addTask { await self.serve(connection, body) }
            }
        }
    }

    /// No more connections are accepted.
    func finish() {
        self.accept.finish()
    }

    private func serve(
        _ connection: BelayConnection,
        _ body: @Sendable (BelayConnection) async throws -> Void
    ) async {
        await withTaskCancellationHandler {
            do {
                try await body(connection)
                connection.close()
            } catch {
                self.logger.debug(
                    "a connection's closure threw an error",
                    metadata: ["connection": "\(connection.id)", "error": "\(error)"]
                )
                connection.close(.localFailed)
            }
        } onCancel: {
            // Nobody but the server's own end cancels it.
            connection.close(.localShutdown)
        }
    }

    // MARK: - ConnectionDelegate

    func opened(_ connection: Connection) {
        let bridge = AsyncBridge(connection)
        connection.attachment = bridge
        self.accept.yield(bridge.connection)
    }

    func introduced(_ connection: Connection) {
        let bridge = connection.attachment as? AsyncBridge
        bridge?.connection.introduced(peer: connection.peer, epoch: connection.epoch)
    }

    func received(_ message: ByteBuffer, on connection: Connection) {
        (connection.attachment as? AsyncBridge)?.received(message, on: connection)
    }

    func writabilityChanged(_ connection: Connection) {
        (connection.attachment as? AsyncBridge)?.writabilityChanged(connection)
    }

    func closed(_ connection: Connection, reason: DisconnectReason) {
        (connection.attachment as? AsyncBridge)?.ended(reason)
    }
}
