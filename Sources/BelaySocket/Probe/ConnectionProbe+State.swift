//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

extension ConnectionProbe {
    /// The state of a connection, as this host's kernel knows it.
    public enum State: Hashable, Sendable {
        /// Open in both directions, as far as this host knows.
        case open
        /// Our own program has shut this half, and the peer has not closed.
        case halfClosed(Half)
        /// Our own program has shut both halves without closing the descriptor, and the peer's FIN has not come.
        case closedLocally
        /// The peer's FIN came: it sends nothing more, and bytes from before it may wait unread.
        ///
        /// It may have closed or only shut its sending half; TCP does not tell until we send, and a peer that has
        /// closed answers with a reset (RFC 9293 section 3.6.1).
        case closedByPeer
        /// The peer reset the connection: ECONNRESET, or EPIPE where its FIN had come before.
        case reset
        /// Another error ended the connection, or kept it from being made.
        ///
        /// ETIMEDOUT: the kernel gave up (retransmissions, keepalive or user timeout). EHOSTUNREACH, ENETUNREACH: a
        /// router said so. ECONNREFUSED: nobody listens there.
        case failed(ErrorNumber)
        /// Over in both directions, and no error is left to tell why.
        ///
        /// Either both sides have closed in order (a descriptor does not show TIME_WAIT: the kernel keeps that apart),
        /// or there was an error which somebody else has taken; the kernel no longer knows which.
        case over
        /// Our own SYN is on its way, or the handshake is not complete.
        ///
        /// Where there is no TCP_INFO (other systems than Linux), such a socket looks ``open``.
        case connecting
        /// Never connected.
        case notConnected
        /// Waits for connections of others.
        case listening
        /// No TCP socket: UNIX-domain, UDP, a pipe, a file. Nothing more was asked of it.
        case notTCP
    }

    /// One direction of a connection.
    public enum Half: String, CaseIterable, Hashable, Sendable {
        /// From us to the peer: `shutdown` with SHUT_WR (FIN_WAIT_1 and FIN_WAIT_2).
        case sending
        /// From the peer to us: `shutdown` with SHUT_RD, of which the peer is not told.
        ///
        /// Told apart from the peer's FIN by TCP_INFO; without it, the state is ``State/closedByPeer``.
        case receiving
    }
}

extension ConnectionProbe.State: CustomStringConvertible {
    /// The state as one plain line.
    public var description: String {
        switch self {
        case .open: "open"
        case .halfClosed(.sending): "half closed: we send nothing more"
        case .halfClosed(.receiving): "half closed: we read nothing more"
        case .closedLocally: "closed by us, not yet by the peer"
        case .closedByPeer: "closed by the peer"
        case .reset: "reset by the peer"
        case .failed(let errno): "failed: \(errno)"
        case .over: "over"
        case .connecting: "connecting"
        case .notConnected: "not connected"
        case .listening: "listening"
        case .notTCP: "not a TCP socket"
        }
    }
}
