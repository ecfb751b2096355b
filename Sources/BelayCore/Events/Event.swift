//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Something that happened to a connection or to this node and that others are told.
public struct Event: Hashable, Sendable {
    /// What happened.
    public enum Kind: Hashable, Sendable {
        /// A connection was opened.
        case connectionOpened(ConnectionSummary)
        /// A peer has been silent for long enough to be suspected (rule R4); what the kernel told then.
        case connectionSuspected(ConnectionSummary, tcp: TCPEvidence?)
        /// A suspected peer spoke again; how long it had been silent.
        case connectionRecovered(ConnectionSummary, afterSilence: Duration)
        /// A connection ended; exactly one for each that was opened.
        case connectionClosed(ConnectionSummary, DisconnectReason)
        /// The node serves; the URLs it listens on.
        case nodeStarted(listeners: [String])
        /// This process did not run for a while (rule R6).
        case nodeStalled(length: Duration)
        /// The node drains; how long that may take.
        case nodeStopping(within: Duration)
    }

    /// What happened.
    public var kind: Kind
    /// When, for people.
    public var time: WallClock

    /// An event of this kind at this time.
    public init(_ kind: Kind, at time: WallClock) {
        self.kind = kind
        self.time = time
    }

    /// The type as CloudEvents name it.
    public var type: String {
        switch self.kind {
        case .connectionOpened: "dev.belay.connection.opened"
        case .connectionSuspected: "dev.belay.connection.suspected"
        case .connectionRecovered: "dev.belay.connection.recovered"
        case .connectionClosed: "dev.belay.connection.closed"
        case .nodeStarted: "dev.belay.node.started"
        case .nodeStalled: "dev.belay.node.stalled"
        case .nodeStopping: "dev.belay.node.stopping"
        }
    }

    /// Whom it is about: the identity of the peer, its address while that is unknown, nil for the node itself.
    public var subject: String? {
        switch self.kind {
        case .connectionOpened(let summary), .connectionSuspected(let summary, _), .connectionRecovered(let summary, _),
            .connectionClosed(let summary, _):
            summary.peer ?? summary.remote
        case .nodeStarted, .nodeStalled, .nodeStopping:
            nil
        }
    }
}

/// Who takes events.
///
/// Called on event loops: an implementation copies the event somewhere bounded and returns at once. It counts what it
/// drops.
public protocol EventSink: Sendable {
    /// Takes one event.
    func record(_ event: Event)
}
