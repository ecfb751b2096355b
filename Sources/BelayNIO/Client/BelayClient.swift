//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore
import BelaySocket
public import NIOCore
public import NIOPosix
public import ServiceLifecycle
import Synchronization

/// A client that stays connected, knows within a bound that the server is gone, and reports each change.
///
/// ```swift
/// let client = BelayClient(.lines(host: "gateway.example", port: 7400), detectWithin: .seconds(10), identity: "d-42")
/// async let running: Void = client.run()
/// for await change in client.changes { print(change) }
/// try await running
/// ```
///
/// It connects again by the rules of ``ReconnectPolicy``. ``run()`` returns after a graceful shutdown, when the task is
/// cancelled, or when it may not or must not connect again; ``changes`` and ``messages`` end then.
public final class BelayClient: Service {
    /// What the client was made with.
    public let configuration: Configuration

    /// What happens to the connection, in order.
    ///
    /// Can be iterated once.
    ///
    /// While nobody iterates the last 1,024 changes are kept; ``droppedChanges`` counts those that were not.
    public let changes: Changes

    /// The messages of the server, of one connection after the other.
    ///
    /// Can be iterated once.
    ///
    /// Messages that come before this property is first asked for are dropped. From then on they are kept for whoever
    /// iterates; while nobody does, 32 of them or 256 KiB are buffered, and then nothing is read, which is no silence of the server
    /// (rule R7). Those of the last 16 connections are kept; ``droppedConnections`` counts the ones before.
    public var messages: Messages {
        self.link.wantMessages()
        return Messages(perConnection: self.link.messages)
    }

    let link: ClientLink
    private let node: NodeContext
    private let group: any EventLoopGroup

    /// A client that detects within a bound.
    ///
    /// The values are checked when it runs.
    public convenience init(_ endpoint: Endpoint, detectWithin: Duration, identity: String? = nil) {
        self.init(
            configuration: Configuration(
                endpoint: endpoint,
                liveness: LivenessPolicy(detectWithin: detectWithin),
                identity: identity
            )
        )
    }

    /// A client with everything said.
    ///
    /// - Parameters:
    ///   - configuration: whom to connect to and how; checked when it runs.
    ///   - group: the event loops. Default: those that all of NIO shares in this process.
    public convenience init(
        configuration: Configuration,
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        self.init(configuration: configuration, group: group, roundTrips: RoundTripHistogram())
    }

    /// A client that measures into a histogram which others may share.
    package init(configuration: Configuration, group: any EventLoopGroup, roundTrips: RoundTripHistogram) {
        self.configuration = configuration
        self.group = group
        self.link = ClientLink()
        self.node = NodeContext(sink: configuration.events, logger: configuration.logger, roundTrips: roundTrips)
        self.changes = Changes(base: self.link.changes)
    }

    /// How many changes were dropped because nobody took them.
    public var droppedChanges: Int { self.link.droppedChanges }

    /// How many connections went with messages that nobody took.
    public var droppedConnections: Int { self.link.droppedConnections }

    /// How long the round trips of heartbeats took, over all connections so far; nil before the first.
    public var roundTrips: RoundTripSummary? { self.node.roundTrips.summary }

    /// Waits until a connection is open.
    ///
    /// - Returns: false when there will be none, because the client has ended, or when the task is cancelled.
    public func waitUntilConnected() async -> Bool {
        await self.link.connection() != nil
    }

    /// Sends a message on the connection that is open and waits until there is room for the next one.
    ///
    /// - Throws: ``SendError``, also when no connection is open.
    public func send(_ message: ByteBuffer) async throws {
        guard let connection = self.link.current else { throw SendError.closed(nil) }
        try await connection.send(message)
    }

    /// Sends text as UTF-8; otherwise as ``send(_:)-(ByteBuffer)``.
    public func send(_ text: String) async throws {
        try await self.send(ByteBuffer(string: text))
    }

    /// Connects, and connects again, until it is told to stop.
    ///
    /// - Returns: why the last connection or attempt ended, when the client may not connect again; nil when it was told
    ///   to stop.
    /// - Throws: ``ConfigurationError``.
    @discardableResult
    public func runUntilOver() async throws -> DisconnectReason? {
        defer { self.link.finish() }
        try self.configuration.validate()
        let environment = try self.makeEnvironment()
        let loops = try await LoopTimekeeperGroup(self.group)
        let reporter = StallReporter(threshold: environment.timings.stallThreshold, sink: self.configuration.events)
        await loops.onEach { $0.observeStalls(as: reporter) { reporter.noticed($0) } }
        let stop = Signal()
        let reason: DisconnectReason? = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Thrown when this task is cancelled, which stops the client as well.
                try? await gracefulShutdown()
                stop.fire()
            }
            defer { group.cancelAll() }
            return await withTaskCancellationHandler {
                await self.stayConnected(environment, stop)
            } onCancel: {
                stop.fire()
            }
        }
        await loops.onEach { $0.observeStalls(as: reporter, nil) }
        return reason
    }

    /// Connects, and connects again, until it is told to stop or may not.
    ///
    /// - Throws: ``ConfigurationError``.
    public func run() async throws {
        try await self.runUntilOver()
    }

    // MARK: - Staying connected

    private func makeEnvironment() throws(ConfigurationError) -> ConnectionEnvironment {
        var liveness = self.configuration.liveness
        liveness.pingsAtWholeIntervals = liveness.pingsAtWholeIntervals || self.configuration.smartHeartbeats != nil
        let timings = try liveness.timings()
        let hello = self.configuration.identity.map { identity in
            Hello(identity: identity, token: self.configuration.token, every: timings.interval, within: timings.bound)
        }
        return ConnectionEnvironment(
            role: .client(hello: hello),
            endpoint: self.configuration.endpoint,
            timings: timings,
            kernelMode: self.configuration.kernel,
            limits: self.configuration.limits,
            node: self.node,
            delegate: self.link,
            smartHeartbeats: self.configuration.smartHeartbeats
        )
    }

    private func stayConnected(_ environment: ConnectionEnvironment, _ stop: Signal) async -> DisconnectReason? {
        var backoff = self.configuration.reconnect.map { ReconnectBackoff($0) }
        var generator = SystemRandomNumberGenerator()
        let clock = ContinuousClock()
        while true {
            let attempt = ClientAttempt(
                group: self.group,
                endpoint: self.configuration.endpoint,
                environment: environment
            )
            let reason: DisconnectReason
            var lasted: Duration?
            switch await attempt.connect(within: self.configuration.connectWithin, unless: stop) {
            case .connected(let connection, let released):
                let openedAt = clock.now
                reason = await self.stay(on: connection, released, stop)
                lasted = openedAt.duration(to: clock.now)
            case .failed(let failure):
                reason = failure
                if !stop.hasFired { self.link.emit(.connectFailed(failure)) }
            }
            if stop.hasFired { return nil }
            switch backoff?.ended(reason, lasted: lasted, using: &generator) ?? .giveUp {
            case .giveUp:
                return reason
            case .wait(let delay):
                self.link.emit(.waiting(for: delay))
                await stop.wait(atMost: delay)
                if stop.hasFired { return nil }
            }
        }
    }

    /// Waits for the end of a connection.
    ///
    /// When `stop` fires first, says goodbye; the connection's own deadline bounds that.
    private func stay(on connection: ConnectionHandle, _ released: Signal, _ stop: Signal) async -> DisconnectReason {
        await Signal.first(of: released, stop)
        if stop.hasFired { connection.close(.localShutdown) }
        await released.waitInAnyCase()
        return await connection.closeReason() ?? DisconnectCause.endOfStream.reason(in: .active)
    }
}
