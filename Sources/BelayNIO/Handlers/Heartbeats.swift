//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// How a protocol of your own writes heartbeats and how they are recognised.
///
/// ```swift
/// static let heartbeats = Heartbeats<Frame, Frame>(
///     ping: { token in .ping(token) },
///     recognize: { frame in
///         switch frame {
///         case .ping(let token): .ping(answer: .pong(token))
///         case .pong(let token): .pong(token: token)
///         default: .message
///         }
///     }
/// )
/// ```
public struct Heartbeats<Inbound, Outbound>: Sendable {
    /// What something that was received is.
    public enum Recognized {
        /// The peer pinged; what to answer. Not handed on.
        case ping(answer: Outbound)
        /// The peer answered a ping, the one with this token where the protocol can tell. Not handed on.
        case pong(token: UInt64?)
        /// Anything else. Handed on, and proof of life all the same.
        case message
    }

    /// Makes a ping.
    ///
    /// Its token comes back in the pong, where the protocol has room for it; it says when it was sent.
    public var ping: @Sendable (_ token: UInt64) -> Outbound
    /// Tells what something is that was received.
    public var recognize: @Sendable (_ inbound: Inbound) -> Recognized
    /// Makes a farewell, where the protocol has one.
    ///
    /// Default: none.
    public var goodbye: @Sendable (_ reason: DisconnectReason) -> Outbound?

    /// Heartbeats that are written and recognised like this.
    public init(
        ping: @escaping @Sendable (_ token: UInt64) -> Outbound,
        recognize: @escaping @Sendable (_ inbound: Inbound) -> Recognized,
        goodbye: @escaping @Sendable (_ reason: DisconnectReason) -> Outbound? = { _ in nil }
    ) {
        self.ping = ping
        self.recognize = recognize
        self.goodbye = goodbye
    }
}

/// What a ``HeartbeatHandler`` tells the handlers behind it, as user inbound events.
public enum HeartbeatEvent: Hashable, Sendable {
    /// The peer has been silent for this long and is suspected.
    case suspected(silence: Duration)
    /// The suspected peer spoke again after this long.
    case recovered(silence: Duration)
    /// The connection is over; fired exactly once, before `channelInactive`.
    case closed(DisconnectReason)
}
