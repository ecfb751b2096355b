//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension KernelTimeouts {
    /// How long after the last byte the kernel's keepalive ends a connection on which nothing is in flight.
    ///
    /// The user timeout overrides the count of probes in both directions: idle + interval x max(1, (user timeout -
    /// idle) / interval rounded up). Without a user timeout, idle + interval x count. Measured on Linux 6.18: 40 to 120
    /// ms more.
    ///
    /// - Returns: nil where keepalive is off.
    public var idleVerdict: Duration? {
        guard let idle = self.keepaliveIdleSeconds.map(Int64.init) else { return nil }
        return .seconds(idle + self.interval * self.probes)
    }

    /// The count of probes after which the kernel ends an idle connection, as it stands for TCP_KEEPCNT: 127 at most.
    var probesInForce: Int32 { Int32(min(self.probes, 127)) }

    private var interval: Int64 { Int64(max(1, self.keepaliveIntervalSeconds)) }

    private var probes: Int64 {
        guard self.userTimeoutMilliseconds > 0, let idle = self.keepaliveIdleSeconds else {
            return Int64(self.keepaliveCount)
        }
        let rest = Int64(self.userTimeoutMilliseconds) - Int64(idle) * 1_000
        return max(1, (rest + self.interval * 1_000 - 1) / (self.interval * 1_000))
    }
}
