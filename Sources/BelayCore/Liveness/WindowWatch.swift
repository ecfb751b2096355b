//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Whether the receive window of a peer was ever full: from then on TCP_USER_TIMEOUT may end the peer although it lives
/// (rule R11).
///
/// Linux counts the user timeout from the first probe of a full window. It forgets that time only when the window has room
/// for all of the segment that waits while nothing is in flight, or when the timer goes off while something is
/// (`tcp_ack_probe`, `tcp_probe_timer` in `net/ipv4`). Where the window opens by less, the time runs on: a peer that reads
/// slowly is ended although bytes move, and one that has read everything is ended by the first probe of its next full
/// window, hours later (both measured on Linux 6.18). No option clears that time. So the timeout is lifted, once and for
/// all, when the window was full for the first time; what is not acknowledged is given up after the repetitions of
/// `net.ipv4.tcp_retries2`.
///
/// A shell says what it writes, looks at each deadline of the connection where ``isLookDue`` says so, and lifts the timeout
/// where ``looked(at:)`` says so. Two deadlines are at most a bound apart, the timeout is two bounds: it is lifted in time.
public struct WindowWatch: Hashable, Sendable {
    /// Whether the window was full, or may have been: the user timeout is lifted.
    public private(set) var wasFull = false
    private var hasWritten = false

    /// A watch of a connection on which nothing was written yet.
    public init() {}

    /// The program wrote something; heartbeats alone fill no window.
    public mutating func wrote() { self.hasWritten = true }

    /// Whether something was written that may have filled the window.
    public var isLookDue: Bool { self.hasWritten && !self.wasFull }

    /// The kernel was looked at.
    ///
    /// - Returns: whether to lift the user timeout, which is so once in the life of a watch.
    public mutating func looked(at tcp: TCPEvidence) -> Bool {
        guard self.isLookDue else { return false }
        // What waits to be sent can still come to a full window.
        self.hasWritten = tcp.notSentBytes.map { $0 > 0 } ?? true
        // Of a kernel that does not tell, the worse is believed.
        self.wasFull = tcp.windowLimitedMicroseconds.map { $0 > 0 } ?? true
        return self.wasFull
    }
}
