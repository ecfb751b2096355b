//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// One of the socket options with which rule R11 sets the kernel's timers and buffers.
struct KernelOption: Hashable, Sendable {
    /// Its name in the kernel's headers.
    var name: String
    var level: Int32
    var number: Int32
    var kind = Kind.number

    /// How its value compares with what it was set to.
    enum Kind: Hashable, Sendable {
        case number
        /// On or off; systems other than Linux read any number for on.
        case flag
        /// A number that the kernel rounds, by less than this.
        case rounded(Int32)
    }

    func isSame(_ asked: Int32, _ got: Int32) -> Bool {
        switch self.kind {
        case .number: asked == got
        case .flag: (asked != 0) == (got != 0)
        case .rounded(let tick): abs(Int64(asked) - Int64(got)) < Int64(tick)
        }
    }
}

extension KernelOption {
    static let noDelay = KernelOption(name: "TCP_NODELAY", level: Int32(IPPROTO_TCP), number: TCP_NODELAY, kind: .flag)
    static let keepalive = KernelOption(name: "SO_KEEPALIVE", level: SOL_SOCKET, number: SO_KEEPALIVE, kind: .flag)

    #if os(Linux)
    static let keepaliveIdle = KernelOption(name: "TCP_KEEPIDLE", level: Int32(IPPROTO_TCP), number: TCP_KEEPIDLE)
    static let keepaliveInterval = KernelOption(name: "TCP_KEEPINTVL", level: Int32(IPPROTO_TCP), number: TCP_KEEPINTVL)
    static let keepaliveCount = KernelOption(name: "TCP_KEEPCNT", level: Int32(IPPROTO_TCP), number: TCP_KEEPCNT)
    // Numbers of include/uapi/linux/tcp.h; the C library's headers lack the newest of them.
    static let userTimeout = KernelOption(name: "TCP_USER_TIMEOUT", level: Int32(IPPROTO_TCP), number: 18)
    static let notSentLowWatermark = KernelOption(name: "TCP_NOTSENT_LOWAT", level: Int32(IPPROTO_TCP), number: 25)
    /// Kept in ticks, of which the kernel has 100 to 1,000 a second.
    static let longestRetransmission = KernelOption(
        name: "TCP_RTO_MAX_MS",
        level: Int32(IPPROTO_TCP),
        number: 44,
        kind: .rounded(10)
    )
    #endif
}

extension KernelTimeouts {
    /// Each option to be set with its value, in the order in which they are set.
    func forEachOption(_ body: (KernelOption, Int32) -> Void) {
        body(.noDelay, self.noDelay ? 1 : 0)
        if let idle = self.keepaliveIdleSeconds {
            body(.keepalive, 1)
            #if os(Linux)
            body(.keepaliveIdle, idle)
            body(.keepaliveInterval, self.keepaliveIntervalSeconds)
            body(.keepaliveCount, self.keepaliveCount)
            #endif
        }
        #if os(Linux)
        body(.userTimeout, self.userTimeoutMilliseconds)
        body(.notSentLowWatermark, self.notSentLowWatermarkBytes)
        body(.longestRetransmission, self.longestRetransmissionMilliseconds)
        #endif
    }
}
