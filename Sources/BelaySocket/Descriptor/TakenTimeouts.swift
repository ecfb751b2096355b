//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// The kernel's timers and buffers of one socket, as the kernel has them: what became of ``Descriptor/apply(_:)``.
///
/// What this kernel does not know, or the socket does not have, is nil.
public struct TakenTimeouts: Hashable, Sendable {
    /// TCP_NODELAY: whether small segments leave at once.
    public var noDelay: Bool?
    /// SO_KEEPALIVE: whether a quiet connection is probed.
    public var keepalive: Bool?
    /// TCP_KEEPIDLE, in seconds; it says nothing while keepalive is off.
    public var keepaliveIdleSeconds: Int32?
    /// TCP_KEEPINTVL, in seconds.
    public var keepaliveIntervalSeconds: Int32?
    /// TCP_KEEPCNT.
    public var keepaliveCount: Int32?
    /// TCP_USER_TIMEOUT, in milliseconds; 0 is the kernel's own.
    public var userTimeoutMilliseconds: Int32?
    /// TCP_NOTSENT_LOWAT, in bytes; 0 is the system's (`net.ipv4.tcp_notsent_lowat`).
    public var notSentLowWatermarkBytes: Int32?
    /// TCP_RTO_MAX_MS, in milliseconds (since Linux 6.15).
    public var longestRetransmissionMilliseconds: Int32?
}

extension Descriptor {
    /// Reads the kernel's timers and buffers of this socket: a system call for each.
    ///
    /// - Returns: what the kernel has; nil where it tells nothing of it, because this is no TCP socket.
    public func readKernelTimeouts() -> TakenTimeouts? { self.readKernelTimeouts(through: .system) }

    func readKernelTimeouts(through calls: SystemCalls) -> TakenTimeouts? {
        // An option that is not told is nil: why it is not, `verify` says.
        func read(_ option: KernelOption) -> Int32? { try? self.read(option, through: calls) }
        // Every TCP has had this one.
        guard let noDelay = read(.noDelay) else { return nil }
        var taken = TakenTimeouts(noDelay: noDelay != 0)
        taken.keepalive = read(.keepalive).map { $0 != 0 }
        #if os(Linux)
        taken.keepaliveIdleSeconds = read(.keepaliveIdle)
        taken.keepaliveIntervalSeconds = read(.keepaliveInterval)
        taken.keepaliveCount = read(.keepaliveCount)
        taken.userTimeoutMilliseconds = read(.userTimeout)
        taken.notSentLowWatermarkBytes = read(.notSentLowWatermark)
        taken.longestRetransmissionMilliseconds = read(.longestRetransmission)
        #endif
        return taken
    }
}
