//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import Logging
import NIOCore
import Synchronization

/// What all connections of one listener, or of one client, share.
final class ConnectionEnvironment: Sendable {
    /// Which end of the connection this is.
    enum Role: Sendable {
        /// Accepts, receives a hello, welcomes.
        case server
        /// Connects, and says hello where it has an identity.
        case client(hello: Hello?)
    }

    let role: Role
    let format: WireFormat
    let timings: LivenessTimings
    let kernelMode: KernelTimeouts.Mode
    let smartHeartbeats: SmartHeartbeats?
    let limits: ConnectionLimits
    let node: NodeContext
    /// Called on event loops.
    let delegate: (any ConnectionDelegate)?
    private let url: Mutex<String>
    private let areTimeoutsVerified = Atomic(false)

    init(
        role: Role,
        endpoint: Endpoint,
        timings: LivenessTimings,
        kernelMode: KernelTimeouts.Mode,
        limits: ConnectionLimits,
        node: NodeContext,
        delegate: (any ConnectionDelegate)?,
        smartHeartbeats: SmartHeartbeats? = nil
    ) {
        self.role = role
        self.format = endpoint.format
        self.timings = timings
        self.kernelMode = kernelMode
        self.smartHeartbeats = smartHeartbeats
        self.limits = limits
        self.url = Mutex(endpoint.description)
        self.node = node
        self.delegate = delegate
    }

    /// The URL of the listener, or of the server that is connected to.
    var listener: String { self.url.withLock { $0 } }

    /// The system chose a port: from now on the URL names it.
    func listens(on endpoint: Endpoint) {
        self.url.withLock { $0 = endpoint.description }
    }

    func kernelTimeouts(for timings: LivenessTimings) -> KernelTimeouts {
        var timeouts = KernelTimeouts(timings, mode: self.kernelMode)
        // Its probes would keep the path open, and nothing be learned.
        if self.smartHeartbeats != nil { timeouts.keepaliveIdleSeconds = nil }
        return timeouts
    }

    /// Applies the kernel's timers of a connection (rule R11).
    ///
    /// Those of the first connection are read back, and what this kernel did not take is logged; the others are like it.
    func apply(_ timeouts: KernelTimeouts, to socket: Descriptor) {
        _ = socket.apply(timeouts)
        guard !self.areTimeoutsVerified.exchange(true, ordering: .relaxed) else { return }
        for note in socket.verify(timeouts) {
            self.node.logger.info(
                "the kernel did not take an option; heartbeats judge without it",
                metadata: ["option": "\(note)"]
            )
        }
    }

    var outboundLimit: Int { self.limits.outboundBytes }
    var messageLimit: Int { self.limits.messageBytes ?? self.format.defaultMaximumMessageSize }
}

/// What all listeners and clients of one server or client share: names, counters, where events go.
final class NodeContext: Sendable {
    let sink: (any EventSink)?
    let logger: Logger
    let roundTrips: RoundTripHistogram

    private let nonce: UInt64
    private let connections = Atomic<UInt64>(0)
    private let epochs = Mutex(EpochRegistry())

    init(sink: (any EventSink)?, logger: Logger, roundTrips: RoundTripHistogram = RoundTripHistogram()) {
        self.sink = sink
        self.roundTrips = roundTrips
        self.logger = logger
        var system = SystemRandomNumberGenerator()
        self.nonce = system.next()
    }

    /// The number of a new connection, from 1; never given twice.
    func nextConnectionNumber() -> UInt64 { self.connections.add(1, ordering: .relaxed).newValue }

    /// The name of the connection with this number.
    func connectionID(_ number: UInt64) -> ConnectionID { ConnectionID(nonce: self.nonce, number: number) }

    /// The epoch of a peer's new connection.
    func nextEpoch(of identity: String) -> UInt64 {
        self.epochs.withLock { $0.next(for: identity) }
    }
}
