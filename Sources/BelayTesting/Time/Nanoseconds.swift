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

extension Instant {
    /// The instant so many nanoseconds later, saturating at the limits.
    func advanced(byNanoseconds nanoseconds: Int64) -> Instant {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return Instant(nanoseconds: overflow ? (nanoseconds < 0 ? .min : .max) : sum)
    }

    /// The nanoseconds from `other` until this instant, saturating at the limits.
    func nanoseconds(since other: Instant) -> Int64 {
        let (difference, overflow) = self.nanoseconds.subtractingReportingOverflow(other.nanoseconds)
        return overflow ? (self < other ? .min : .max) : difference
    }
}
