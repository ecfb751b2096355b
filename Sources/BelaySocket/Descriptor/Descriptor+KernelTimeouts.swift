//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// An option that the kernel refused.
public struct RefusedOption: Hashable, Sendable {
    /// The option's name in the kernel's headers.
    public var name: String
    /// Why it was refused.
    public var errno: ErrorNumber
}

extension Descriptor {
    /// Applies the kernel's timers and buffers of a connection (rule R11).
    ///
    /// A refused option does not keep the others from being set, and none is fatal: the heartbeat judges anyway.
    ///
    /// - Returns: the options that this kernel refused.
    public func apply(_ timeouts: KernelTimeouts) -> [RefusedOption] { self.apply(timeouts, through: .system) }

    func apply(_ timeouts: KernelTimeouts, through calls: SystemCalls) -> [RefusedOption] {
        var refused: [RefusedOption] = []
        func set(_ label: String, _ level: Int32, _ name: Int32, _ value: Int32) {
            if let errno = self.set(level: level, name: name, to: value, through: calls) {
                refused.append(RefusedOption(name: label, errno: errno))
            }
        }
        let tcp = Int32(IPPROTO_TCP)
        set("TCP_NODELAY", tcp, TCP_NODELAY, timeouts.noDelay ? 1 : 0)
        if let idle = timeouts.keepaliveIdleSeconds {
            set("SO_KEEPALIVE", SOL_SOCKET, SO_KEEPALIVE, 1)
            #if os(Linux)
            set("TCP_KEEPIDLE", tcp, TCP_KEEPIDLE, idle)
            set("TCP_KEEPINTVL", tcp, TCP_KEEPINTVL, timeouts.keepaliveIntervalSeconds)
            set("TCP_KEEPCNT", tcp, TCP_KEEPCNT, timeouts.keepaliveCount)
            #endif
        }
        #if os(Linux)
        set("TCP_USER_TIMEOUT", tcp, Self.userTimeout, timeouts.userTimeoutMilliseconds)
        set("TCP_NOTSENT_LOWAT", tcp, Self.notSentLowWatermark, timeouts.notSentLowWatermarkBytes)
        set("TCP_RTO_MAX_MS", tcp, Self.longestRetransmission, timeouts.longestRetransmissionMilliseconds)
        #endif
        return refused
    }

    #if os(Linux)
    // Numbers of include/uapi/linux/tcp.h; the C library's headers lack the newest of them.
    private static let userTimeout: Int32 = 18
    private static let notSentLowWatermark: Int32 = 25
    private static let longestRetransmission: Int32 = 44
    #endif
}
