//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

extension Duration {
    var seconds: Double { Double(self.wholeNanoseconds) / 1e9 }
}

extension Int64 {
    /// When the heartbeat with this number is sent, in nanoseconds; nil in the last two years before the end of time.
    init?(sendingOf number: Int, every intervalNanoseconds: Int64) {
        let (sentAt, overflow) = intervalNanoseconds.multipliedReportingOverflow(by: Int64(number))
        guard !overflow, sentAt < Int64.max / 292 * 290 else { return nil }
        self = sentAt
    }

    /// Nanoseconds, saturating.
    init(nanosecondsOfSeconds seconds: Double) {
        self = Int64(Swift.min(Swift.max((seconds * 1e9).rounded(), -9e18), 9e18))
    }
}
