//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import NIOCore
import Synchronization

/// Connects the event loop with those who watch a ``BelayClient``.
final class ClientLink: ConnectionDelegate {
    /// How many changes are kept while nobody takes them.
    private static let changesKept = 1_024
    /// How many connections may have messages that nobody took yet.
    private static let connectionsKept = 16

    private struct State {
        var current: BelayConnection?
        var wantsMessages = false
        var isFinished = false
        /// Fires with the next connection, or when there will be none.
        var next = Signal()
        var droppedChanges = 0
        var droppedConnections = 0
    }

    let changes: AsyncStream<BelayClient.Change>
    let messages: AsyncStream<BelayConnection.Messages>
    private let changed: AsyncStream<BelayClient.Change>.Continuation
    // Not of connections: each keeps its handler, and that this link, which would keep itself with messages that nobody takes.
    private let offered: AsyncStream<BelayConnection.Messages>.Continuation
    private let state = Mutex(State())

    init() {
        (self.changes, self.changed) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.changesKept))
        (self.messages, self.offered) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(Self.connectionsKept))
    }

    /// The connection that is open.
    var current: BelayConnection? { self.state.withLock { $0.current } }

    var droppedChanges: Int { self.state.withLock { $0.droppedChanges } }

    /// How many connections went with messages that nobody had taken.
    var droppedConnections: Int { self.state.withLock { $0.droppedConnections } }

    func emit(_ change: BelayClient.Change) {
        if case .dropped = self.changed.yield(change) {
            self.state.withLock { $0.droppedChanges += 1 }
        }
    }

    func wantMessages() {
        let current = self.state.withLock { state in
            defer { state.wantsMessages = true }
            return state.wantsMessages ? nil : state.current
        }
        if let current { self.offerMessages(of: current) }
    }

    private func offerMessages(of connection: BelayConnection) {
        if case .dropped = self.offered.yield(connection.messages) {
            self.state.withLock { $0.droppedConnections += 1 }
        }
    }

    func finish() {
        self.changed.finish()
        self.offered.finish()
        let next = self.state.withLock { state in
            state.isFinished = true
            return state.next
        }
        next.fire()
    }

    /// The connection that is open; waits for one.
    ///
    /// Nil when there will be none or the task is cancelled.
    func connection() async -> BelayConnection? {
        while !Task.isCancelled {
            let (current, isFinished, next) = self.state.withLock { ($0.current, $0.isFinished, $0.next) }
            if current != nil || isFinished { return current }
            await next.wait()
        }
        return nil
    }

    // MARK: - ConnectionDelegate

    func opened(_ connection: Connection) {
        let bridge = AsyncBridge(connection)
        connection.attachment = bridge
        let (wantsMessages, next) = self.state.withLock { state in
            state.current = bridge.connection
            defer { state.next = Signal() }
            return (state.wantsMessages, state.next)
        }
        next.fire()
        if wantsMessages { self.offerMessages(of: bridge.connection) }
        self.emit(.connected(connection.id))
    }

    func received(_ message: ByteBuffer, on connection: Connection) {
        guard self.state.withLock({ $0.wantsMessages }) else { return }
        (connection.attachment as? AsyncBridge)?.received(message, on: connection)
    }

    func suspected(_ connection: Connection, silence: Duration) {
        self.emit(.suspected(silence: silence))
    }

    func recovered(_ connection: Connection, silence: Duration) {
        self.emit(.recovered(silence: silence))
    }

    func writabilityChanged(_ connection: Connection) {
        (connection.attachment as? AsyncBridge)?.writabilityChanged(connection)
    }

    func closed(_ connection: Connection, reason: DisconnectReason) {
        (connection.attachment as? AsyncBridge)?.ended(reason)
        self.state.withLock { state in
            if state.current?.id == connection.id { state.current = nil }
        }
        self.emit(.disconnected(reason))
    }
}
