//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

#if os(Linux)
/// The second line of detection, as the kernel has taken it (rule R11).
@Suite struct KernelTimeoutsTests {
    private static let tcp = Int32(IPPROTO_TCP)

    private func timeouts(_ policy: LivenessPolicy, _ mode: KernelTimeouts.Mode = .patient) throws -> KernelTimeouts {
        KernelTimeouts(try policy.timings(), mode: mode)
    }

    @Test(
        "the kernel has what was computed from the bound",
        arguments: [LivenessPolicy.localTesting, .lan, .wan, .mobile, LivenessPolicy(detectWithin: .seconds(86_400))],
        KernelTimeouts.Mode.allCases
    )
    func applied(policy: LivenessPolicy, mode: KernelTimeouts.Mode) throws {
        let sockets = try TestSockets()
        let timeouts = try self.timeouts(policy, mode)
        let refused = sockets.descriptor.apply(timeouts)
        // Only this one depends on the kernel: Linux has it from 6.15 on.
        #expect(refused.allSatisfy { $0.name == "TCP_RTO_MAX_MS" && $0.errno == .protocolNotAvailable })
        #expect(sockets.option(Self.tcp, TCP_NODELAY) == 1)
        #expect(sockets.option(SOL_SOCKET, SO_KEEPALIVE) == 1)
        #expect(sockets.option(Self.tcp, TCP_KEEPIDLE) == timeouts.keepaliveIdleSeconds)
        #expect(sockets.option(Self.tcp, TCP_KEEPINTVL) == timeouts.keepaliveIntervalSeconds)
        #expect(sockets.option(Self.tcp, TCP_KEEPCNT) == timeouts.keepaliveCount)
        #expect(sockets.option(Self.tcp, 18) == timeouts.userTimeoutMilliseconds)
        #expect(sockets.option(Self.tcp, 25) == timeouts.notSentLowWatermarkBytes)
        if refused.isEmpty { #expect(sockets.option(Self.tcp, 44) == timeouts.longestRetransmissionMilliseconds) }
    }

    @Test("keepalive stays off where it is not asked for")
    func withoutKeepalive() throws {
        let sockets = try TestSockets()
        var timeouts = try self.timeouts(.lan)
        timeouts.keepaliveIdleSeconds = nil
        timeouts.noDelay = false
        _ = sockets.descriptor.apply(timeouts)
        #expect(sockets.option(SOL_SOCKET, SO_KEEPALIVE) == 0)
        #expect(sockets.option(Self.tcp, TCP_NODELAY) == 0)
    }

    @Test("each option that is refused is named with its error, and the others are set")
    func refused() throws {
        let sockets = try TestSockets.unix()
        let refused = sockets.descriptor.apply(try self.timeouts(.lan))
        let names = [
            "TCP_NODELAY", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT", "TCP_NOTSENT_LOWAT",
            "TCP_RTO_MAX_MS",
        ]
        #expect(refused.map(\.name) == names)
        #expect(refused.allSatisfy { $0.errno == ErrorNumber(rawValue: EOPNOTSUPP) })
        #expect(sockets.option(SOL_SOCKET, SO_KEEPALIVE) == 1)
    }

    @Test("on what is no socket everything is refused")
    func nothing() throws {
        let refused = Descriptor(rawValue: -1).apply(try self.timeouts(.lan))
        #expect(refused.count == 8)
        #expect(refused.allSatisfy { $0.errno.name == "EBADF" })
    }
}
#endif
