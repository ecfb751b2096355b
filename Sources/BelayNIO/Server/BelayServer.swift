//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore
import BelaySocket
import Logging
public import NIOCore
public import NIOPosix
public import ServiceLifecycle
import Synchronization

/// A server whose connections are watched: it knows, within a bound, that a peer is gone, and says why.
///
/// ```swift
/// let server = BelayServer(.lines(host: "0.0.0.0", port: 7400), detectWithin: .seconds(30))
/// try await server.run { connection in
///     for await message in connection.messages { try await connection.send(message) }
/// }
/// ```
///
/// As a `Service` it is run by a `ServiceGroup`, with a ``ConnectionDelegate`` that is called on the event loops. At a
/// graceful shutdown it stops accepting, says goodbye to everybody, waits for ``Configuration/drainWithin`` and resets
/// what is left. Cancelling the task that runs it resets everything at once.
public final class BelayServer: Service {
    /// What the server was made with.
    public let configuration: Configuration

    let node: NodeContext
    let admission: Admission
    private let delegate: (any ConnectionDelegate)?
    private let group: any EventLoopGroup
    private let bound = BoundEndpoints()
    private let isEnding = Atomic(false)

    /// A server on one endpoint that detects within a bound.
    ///
    /// The values are checked when it runs.
    public convenience init(_ endpoint: Endpoint, detectWithin: Duration) {
        self.init(
            configuration: Configuration(listeners: [endpoint], liveness: LivenessPolicy(detectWithin: detectWithin))
        )
    }

    /// A server with everything said.
    ///
    /// - Parameters:
    ///   - configuration: what to listen on and what to hold connections to; checked when it runs.
    ///   - delegate: who is told what happens, on the event loops. Without one messages are counted and dropped.
    ///   - group: the event loops. Default: those that all of NIO shares in this process.
    public init(
        configuration: Configuration,
        delegate: (any ConnectionDelegate)? = nil,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.configuration = configuration
        self.delegate = delegate
        self.group = group
        self.node = NodeContext(sink: configuration.events, logger: configuration.logger)
        let reserve = 64
        let files = max(1, Host.openFileLimit - reserve)
        self.admission = Admission(
            limit: min(configuration.limits.connections ?? files, files),
            limitPerAddress: configuration.limits.connectionsPerAddress
        )
    }

    /// Where the server listens, with the ports that the system chose; waits until it does.
    ///
    /// - Throws: `CancellationError` when the task is cancelled; the error of ``run()`` when it could not listen.
    public func listeningEndpoints() async throws -> [Endpoint] {
        try await self.bound.wait()
    }

    /// How long the round trips of heartbeats took, over all connections so far; nil before the first.
    public var roundTrips: RoundTripSummary? { self.node.roundTrips.summary }

    /// Serves until the task is cancelled or a graceful shutdown is over.
    ///
    /// - Throws: ``ConfigurationError``; ``ListenError`` when an endpoint cannot be listened on.
    public func run() async throws {
        try await self.serve(delegate: self.delegate)
    }

    /// Serves, with one call of `body` for each connection, in a task of its own.
    ///
    /// The connection lives as long as its closure: when it returns or throws, the connection is closed. When the
    /// connection ends first, ``BelayConnection/messages`` ends and ``BelayConnection/closeReason`` says why. At a
    /// graceful shutdown the closures have ``Configuration/drainWithin`` to return before their tasks are cancelled.
    ///
    /// - Throws: ``ConfigurationError``; ``ListenError`` when an endpoint cannot be listened on.
    public func run(_ body: @escaping @Sendable (BelayConnection) async throws -> Void) async throws {
        let acceptor = ConnectionAcceptor(logger: self.configuration.logger)
        try await self.serve(delegate: acceptor, acceptor: acceptor, body: body)
    }

    // MARK: - Serving

    private func serve(
        delegate: (any ConnectionDelegate)?,
        acceptor: ConnectionAcceptor? = nil,
        body: @escaping @Sendable (BelayConnection) async throws -> Void = { _ in }
    ) async throws {
        let loops = try await LoopTimekeeperGroup(self.group)
        let listeners: [any Channel]
        do {
            try self.configuration.validate()
            listeners = try await self.listen(delegate: delegate)
        } catch {
            self.bound.fail(error)
            throw error
        }
        let threshold = try self.configuration.liveness.timings().stallThreshold
        let reporter = StallReporter(threshold: threshold, sink: self.node.sink)
        await loops.onEach { $0.observeStalls(as: reporter) { reporter.noticed($0) } }
        self.node.sink?.record(
            Event(.nodeStarted(listeners: self.bound.endpoints.map(\.description)), at: Host.wallClock)
        )
        for (listener, endpoint) in zip(listeners, self.bound.endpoints) {
            listener.closeFuture.whenComplete { _ in
                guard !self.isEnding.load(ordering: .relaxed) else { return }
                self.configuration.logger.error(
                    "a listener was closed by an error",
                    metadata: ["listener": "\(endpoint)"]
                )
            }
            // Fails when the listener is closed, and then there is nothing to accept.
            try? await listener.setOption(.autoRead, value: true).get()
        }
        await withTaskGroup(of: Void.self) { group in
            let closuresReturned = Signal()
            group.addTask {
                await acceptor?.run(body)
                closuresReturned.fire()
            }
            await self.waitForTheEnd()
            self.isEnding.store(true, ordering: .relaxed)
            await self.close(listeners)
            acceptor?.finish()
            if !Task.isCancelled { await self.drain(loops, closuresReturned) }
            group.cancelAll()
            await self.abortAll(loops)
        }
        await loops.onEach { $0.observeStalls(as: reporter, nil) }
    }

    /// Waits for a graceful shutdown or for cancellation.
    private func waitForTheEnd() async {
        // Thrown when this task is cancelled, which is one of the two ends waited for.
        try? await gracefulShutdown()
    }

    private func close(_ listeners: [any Channel]) async {
        for listener in listeners {
            // A listener that is closed already has nothing left to close.
            try? await listener.close()
        }
    }

    private func listen(delegate: (any ConnectionDelegate)?) async throws -> [any Channel] {
        let timings = try self.configuration.liveness.timings()
        var channels: [any Channel] = []
        var endpoints: [Endpoint] = []
        do {
            for endpoint in self.configuration.listeners {
                let (channel, actual) = try await self.listen(on: endpoint, timings: timings, delegate: delegate)
                channels.append(channel)
                endpoints.append(actual)
            }
        } catch {
            await self.close(channels)
            throw error
        }
        self.bound.succeed(endpoints)
        return channels
    }

    private func listen(
        on endpoint: Endpoint,
        timings: LivenessTimings,
        delegate: (any ConnectionDelegate)?
    ) async throws -> (any Channel, Endpoint) {
        let environment = ConnectionEnvironment(
            role: .server,
            endpoint: endpoint,
            timings: timings,
            kernelMode: self.configuration.kernel,
            limits: self.configuration.limits,
            node: self.node,
            delegate: delegate
        )
        let bootstrap = ServerBootstrap(group: self.group)
            .serverChannelOption(.backlog, value: Int32(self.configuration.backlog))
            // NIO's default of 4 accepts per turn of the loop starves accepting while many connections are served.
            .serverChannelOption(.maxMessagesPerRead, value: 64)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            // Nothing is accepted before the port is known, because events name it, and before the node has started.
            .serverChannelOption(.autoRead, value: false)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptPauseHandler(logger: self.configuration.logger)
                    )
                }
            }
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try self.adopt(channel, environment: environment)
                }
            }
        do {
            let channel = try await bootstrap.bind(host: endpoint.host, port: endpoint.port).get()
            let actual = Endpoint(
                endpoint.format,
                host: endpoint.host,
                port: channel.localAddress?.port ?? endpoint.port
            )
            environment.listens(on: actual)
            return (channel, actual)
        } catch {
            throw ListenError(endpoint: endpoint, underlying: error)
        }
    }

    /// Puts an accepted channel under watch; one beyond a limit is told so and closed.
    private func adopt(_ channel: any Channel, environment: ConnectionEnvironment) throws {
        let handler = ConnectionHandler(
            eventLoop: channel.eventLoop,
            environment: environment,
            refusal: self.admission.opened(channel.remoteAddress),
            observer: self.admission
        )
        handler.receiveIntoSharedBuffer(of: channel)
        try channel.pipeline.syncOperations.addHandler(handler)
    }
}

// MARK: - Ending

extension BelayServer {
    /// Says goodbye to everybody and waits until all are gone and their closures returned, or the deadline passes.
    private func drain(_ loops: LoopTimekeeperGroup, _ closuresReturned: Signal) async {
        self.node.sink?.record(Event(.nodeStopping(within: self.configuration.drainWithin), at: Host.wallClock))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Throws when it is cancelled, because everybody is gone.
                // A tenth, at most 250 ms, is kept for resetting what is left, so that all is over within the deadline.
                let within = self.configuration.drainWithin
                try? await Task.sleep(for: within - min(within / 10, .milliseconds(250)))
            }
            group.addTask {
                await self.forEachConnection(loops) { handler in
                    guard let close = handler.machine.drainRequested(at: handler.timekeeper.now()) else { return }
                    handler.perform(close)
                }
                await self.admission.waitUntilEmpty()
                await closuresReturned.wait()
            }
            await group.next()
            group.cancelAll()
        }
    }

    /// Resets what is left; nothing waits for a peer here.
    private func abortAll(_ loops: LoopTimekeeperGroup) async {
        await self.forEachConnection(loops) { handler in
            if let close = handler.machine.drainRequested(at: handler.timekeeper.now()) {
                handler.ended(close)
            }
            handler.abort()
        }
        await self.admission.waitUntilEmpty(inAnyCase: true)
    }

    /// Calls `body` for each connection of this server, on its event loop.
    private func forEachConnection(
        _ loops: LoopTimekeeperGroup,
        _ body: @escaping @Sendable (ConnectionHandler) -> Void
    ) async {
        await loops.onEach { timekeeper in
            timekeeper.forEachDriver { driver in
                guard let handler = driver as? ConnectionHandler, handler.environment.node === self.node else { return }
                body(handler)
            }
        }
    }
}
