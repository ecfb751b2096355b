//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket

/// One connection of a swarm.
///
/// Times are monotonic nanoseconds, `never` where nothing is due.
struct SwarmConnection {
    /// Where in its life it is.
    enum State {
        /// Not begun, or over.
        case idle
        case connecting
        case open
        /// We sent FIN; the server's is awaited.
        case closing
    }

    static let never = Int64.max

    var state = State.idle
    var socket: StreamSocket?
    /// Tells the sockets of one connection apart.
    var generation: UInt32 = 0
    var parser: WireParser
    /// What was read and is not a whole element yet.
    var input: [UInt8] = []
    /// What the kernel had no room for.
    var output: [UInt8] = []
    /// Whether it says nothing more.
    var isMute = false
    /// Whether it reads nothing more.
    var isDeaf = false
    /// Whether the server broke the protocol.
    var hasViolation = false
    /// Why sending failed.
    var sendError: ErrorNumber?
    /// The code of the server's farewell, empty where it has none.
    var farewell: String?
    /// What became of it so far; nil before it is connected.
    var record: SwarmRecord?

    /// The fault that is yet to strike.
    var pending: SwarmFault.Kind?
    var strikeAt = Self.never
    var connectBegan: Int64 = 0
    /// When it began to connect, by the wall clock.
    var startedAt: Int64 = 0
    /// When to give up connecting, or waiting for the server's FIN.
    var giveUpAt = Self.never
    /// When to connect again.
    var comeBackAt = Self.never
    var nextPing = Self.never
    var nextMessage = Self.never
    var lastSent: Int64 = 0
    var hasSpoken = false

    var pingNumber: UInt64 = 0
    var pingSentAt: Int64 = 0
    /// How many pings have no pong yet.
    var unanswered = 0

    /// The next time at which there is something to do.
    var deadline: Int64 {
        switch self.state {
        case .idle: self.comeBackAt
        case .connecting, .closing: self.giveUpAt
        case .open: self.isMute ? self.strikeAt : min(self.strikeAt, self.nextPing, self.nextMessage)
        }
    }
}
