//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What one connection of a swarm did and suffered: what the server's events are held against.
///
/// Times are nanoseconds since 1970 by the clock of this host, which the server's events must share.
struct SwarmRecord: Codable, Equatable, Sendable {
    /// A fault that struck it.
    struct Strike: Codable, Equatable, Sendable {
        var kind: SwarmFault.Kind
        var at: Int64
        /// When the connection last sent anything before it.
        var lastSentAt: Int64
        /// Whether it had sent anything before, so that its handshake was over.
        var hasSpoken = true
    }

    /// A time in which the whole process stood still.
    struct Freeze: Codable, Equatable, Sendable {
        /// When the connection last sent anything before it.
        var lastSentAt: Int64
        var endedAt: Int64
        /// Whether it had sent anything before.
        var hasSpoken = true
    }

    /// Our end, `HOST:PORT`, which the server calls `remote`.
    var local: String
    /// When it began to connect.
    var startedAt: Int64
    var strike: Strike?
    var freezes: [Freeze] = []
    /// When we closed it because the swarm was over; nil when that was not needed any more.
    var closedAt: Int64?
}

/// All that a process of a swarm has to tell at its end.
struct SwarmOutcome: Codable, Sendable {
    var tally = SwarmTally()
    var records: [SwarmRecord] = []
    /// Whether a signal ended it before its time.
    var isCutShort = false

    /// Adds what another process has to tell.
    mutating func add(_ other: SwarmOutcome) {
        self.tally.add(other.tally)
        self.records += other.records
        self.isCutShort = self.isCutShort || other.isCutShort
    }
}
