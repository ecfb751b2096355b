//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The state of a TCP connection (RFC 9293 section 3.3.2), numbered as Linux does (`include/net/tcp_states.h`).
public enum TCPState: UInt8, CaseIterable, Hashable, Sendable {
    /// Open in both directions.
    case established = 1
    /// Our SYN is out and not answered.
    case synSent
    /// A SYN came and our answer is not acknowledged.
    case synReceived
    /// We sent FIN, which is not acknowledged.
    case finWait1
    /// Our FIN is acknowledged; the peer has not sent its own.
    case finWait2
    /// Both have sent FIN; what is late on the way is waited for.
    case timeWait
    /// Over, or never begun.
    case closed
    /// The peer sent FIN; our program has not closed.
    case closeWait
    /// The peer sent FIN, then we did, which is not acknowledged.
    case lastAck
    /// Waits for connections.
    case listen
    /// Both sent FIN at once, ours is not acknowledged.
    case closing
    /// A SYN came, in the kernel's own list (since Linux 4.4).
    case newSynReceived

    /// The state in words, as events and reports have it.
    public var name: String {
        switch self {
        case .established: "established"
        case .synSent: "syn-sent"
        case .synReceived, .newSynReceived: "syn-received"
        case .finWait1: "fin-wait-1"
        case .finWait2: "fin-wait-2"
        case .timeWait: "time-wait"
        case .closed: "closed"
        case .closeWait: "close-wait"
        case .lastAck: "last-ack"
        case .listen: "listen"
        case .closing: "closing"
        }
    }
}
