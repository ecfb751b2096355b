//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What is known of a connection at one moment: the data of its events.
public struct ConnectionSummary: Hashable, Sendable {
    /// The name of the connection.
    public var connection: ConnectionID
    /// The identity of the peer, once known.
    public var peer: String?
    /// The number of the peer's connection; nil while the peer is unknown.
    public var epoch: UInt64?
    /// The peer's address, `HOST:PORT`.
    public var remote: String
    /// Our address, `HOST:PORT`.
    public var local: String
    /// The listener that accepted it or the server it was made to, as URL.
    public var listener: String
    /// Where in its life it is.
    public var phase: DisconnectReason.Phase
    /// When it was opened.
    public var openedAt: WallClock
    /// For how long it has been open, by the monotonic clock.
    public var duration: Duration
    /// How long nothing has proved the peer alive, by the observer clock.
    public var silence: Duration
    /// The bound in force.
    public var bound: Duration
    /// Counts and measurements.
    public var figures: ConnectionMachine.Figures
    /// What its detector thinks.
    public var detector: DetectorState

    /// A summary of these facts.
    public init(
        connection: ConnectionID,
        peer: String? = nil,
        epoch: UInt64? = nil,
        remote: String,
        local: String,
        listener: String,
        phase: DisconnectReason.Phase,
        openedAt: WallClock,
        duration: Duration,
        silence: Duration,
        bound: Duration,
        figures: ConnectionMachine.Figures,
        detector: DetectorState
    ) {
        self.connection = connection
        self.peer = peer
        self.epoch = epoch
        self.remote = remote
        self.local = local
        self.listener = listener
        self.phase = phase
        self.openedAt = openedAt
        self.duration = duration
        self.silence = silence
        self.bound = bound
        self.figures = figures
        self.detector = detector
    }
}
