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
/// all, when it is first seen that the window was full (``KernelTimeouts/withoutUserTimeout``).
///
/// A shell says what it writes, looks at each deadline of the connection where ``isLookDue`` says so, but at the latest half a
/// bound after it became due, and lifts the timeout where ``looked(at:queuedBytes:)`` says so. The timeout is two bounds at
/// least, so it is lifted in time, unless the process stands still for longer than a bound.
public struct WindowWatch: Hashable, Sendable {
    /// Bytes of heartbeats that are as good as a message: they fill a small window late, but they do.
    private static let heartbeatBytesPerLook = 256
    /// Bytes of a window that so many heartbeats do not fill.
    private static let roomForHeartbeats = 4_096

    /// Whether the window was full, or may have been: the user timeout is lifted.
    public private(set) var wasFull = false
    /// Whether something may have been written since the window was seen to be wide and nothing on its way.
    private var mayFill = true
    private var heartbeatBytes: UInt16 = 0

    /// A watch of a connection on which something may have been written before.
    public init() {}

    /// Something was written.
    ///
    /// - Returns: whether a look became due by it.
    public mutating func wrote() -> Bool {
        guard !self.mayFill, !self.wasFull else { return false }
        self.mayFill = true
        return true
    }

    /// Heartbeats of so many bytes were written.
    ///
    /// - Returns: whether a look became due by it.
    public mutating func wroteHeartbeats(bytes: Int) -> Bool {
        let sum = Int(self.heartbeatBytes) + bytes
        self.heartbeatBytes = UInt16(truncatingIfNeeded: sum % Self.heartbeatBytesPerLook)
        return sum >= Self.heartbeatBytesPerLook && self.wrote()
    }

    /// Whether something was written that may have filled the window.
    public var isLookDue: Bool { self.mayFill && !self.wasFull }

    /// The kernel was looked at.
    ///
    /// - Parameters:
    ///   - tcp: what it tells.
    ///   - queuedBytes: bytes that it has not taken yet.
    /// - Returns: whether to lift the user timeout, which is so once in the life of a watch.
    public mutating func looked(at tcp: TCPEvidence, queuedBytes: Int) -> Bool {
        guard self.isLookDue else { return false }
        // What was not acknowledged can still come to a full window.
        let isOut = queuedBytes == 0 && tcp.unacked == 0 && tcp.notSentBytes == 0
        self.mayFill = !isOut || tcp.sendWindow ?? 0 < Self.roomForHeartbeats
        // A window that closes over what is in flight limits nothing as the kernel counts it (`tcp_rtx_probe0_timed_out`). Of a
        // kernel that does not tell, the worse is believed.
        self.wasFull = tcp.windowLimitedMicroseconds != 0 || tcp.sendWindow == 0
        return self.wasFull
    }
}
