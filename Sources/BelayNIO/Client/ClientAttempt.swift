//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import NIOCore
import NIOPosix
import Synchronization

/// One attempt of a client to connect.
final class ClientAttempt: Sendable {
    /// What came of an attempt.
    enum Outcome: Sendable {
        /// A connection; the signal fires when its descriptor is released.
        case connected(ConnectionHandle, released: Signal)
        /// None, and why.
        case failed(DisconnectReason)
    }

    private struct State {
        var channels: [any Channel] = []
        var isAbandoned = false
    }

    private let group: any EventLoopGroup
    private let endpoint: Endpoint
    private let environment: ConnectionEnvironment
    private let state = Mutex(State())

    init(group: any EventLoopGroup, endpoint: Endpoint, environment: ConnectionEnvironment) {
        self.group = group
        self.endpoint = endpoint
        self.environment = environment
    }

    /// Connects; when `stop` fires first, the attempt is abandoned at once and its descriptors are released.
    func connect(within: Duration, unless stop: Signal) async -> Outcome {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await stop.wait()
                if stop.hasFired { self.abandon() }
            }
            defer { group.cancelAll() }
            do {
                return try await self.bootstrap(within: within)
                    .connect(host: self.endpoint.host, port: self.endpoint.port)
                    // In the turn of the loop in which it is open: a server may say something and close at once, and NIO
                    // reads all that comes before a FIN, whether or not reading is on.
                    .flatMapThrowing { try self.watch($0) }
                    .get()
            } catch {
                return .failed(DisconnectCause(connecting: error).reason(in: .handshake))
            }
        }
    }

    private func bootstrap(within: Duration) -> ClientBootstrap {
        ClientBootstrap(group: self.group)
            .connectTimeout(.nanoseconds(within.wholeNanoseconds))
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            // A name may have several addresses and so several channels. Only the one that wins becomes a connection, and
            // nothing is read from it before it is one.
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                let isAbandoned = self.state.withLock { state in
                    state.channels.append(channel)
                    return state.isAbandoned
                }
                return isAbandoned
                    ? channel.eventLoop.makeFailedFuture(CancellationError())
                    : channel.eventLoop.makeSucceededVoidFuture()
            }
    }

    /// Makes the channel a connection, unless the attempt was abandoned meanwhile.
    private func watch(_ channel: any Channel) throws -> Outcome {
        let isAbandoned = self.state.withLock { state in
            // From here on the connection says goodbye and ends by itself.
            state.channels = []
            return state.isAbandoned
        }
        guard !isAbandoned else {
            channel.close(mode: .all, promise: nil)
            throw CancellationError()
        }
        let released = Signal()
        let handler = ConnectionHandler(
            eventLoop: channel.eventLoop,
            environment: self.environment,
            observer: released
        )
        handler.receiveIntoSharedBuffer(of: channel)
        try channel.pipeline.syncOperations.addHandler(handler)
        try channel.syncOptions?.setOption(.autoRead, value: true)
        return .connected(ConnectionHandle(handler: handler), released: released)
    }

    private func abandon() {
        let channels = self.state.withLock { state in
            state.isAbandoned = true
            return state.channels
        }
        for channel in channels { channel.close(mode: .all, promise: nil) }
    }
}

extension Signal: ReleaseObserver {
    func released(_ remoteAddress: SocketAddress?) { self.fire() }
}
