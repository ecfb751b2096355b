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
        let interval = Int64(max(1, self.keepaliveIntervalSeconds))
        guard self.userTimeoutMilliseconds > 0 else {
            return .seconds(idle + interval * Int64(self.keepaliveCount))
        }
        let rest = Int64(self.userTimeoutMilliseconds) - idle * 1_000
        let probes = max(1, (rest + interval * 1_000 - 1) / (interval * 1_000))
        return .seconds(idle + interval * probes)
    }
}
