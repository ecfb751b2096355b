//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension QoSPlan {
    /// How rare mistakes are with one bound.
    public struct CurvePoint: Hashable, Sendable {
        /// The bound.
        public let detectWithin: Duration
        /// How long it is from mistake to mistake with it.
        public let mistakeRecurrence: Recurrence
    }

    /// Mistake recurrence against detection time, at the interval of the plan.
    ///
    /// What the same heartbeats, at the same cost, certify when they are judged earlier or later: what waiting is
    /// worth. The interval stays, because planning anew for each bound would meet the requirements everywhere and show
    /// nothing. With loss the independent recurrence climbs in steps, one for each heartbeat that the bound has room
    /// for.
    ///
    /// - Parameter count: how many points; 2 to 10,000, others are clamped.
    /// - Returns: bounds in equal steps, from the shortest in which a first heartbeat can be answered to twice the
    ///   plan's, or
    ///   24 h; empty where there is no plan.
    public func curve(count: Int = 64) -> [CurvePoint] {
        guard let figures else { return [] }
        let delay = HeartbeatDelay(self.requirements)
        let count = min(max(count, 2), 10_000)
        let allowed = LivenessPolicy.allowedBounds
        let last = min(figures.detectWithin * 2, allowed.upperBound)
        let first = min(max(figures.interval + self.requirements.delay, allowed.lowerBound), last)
        return (0..<count).map { index in
            let bound = first + (last - first) * index / (count - 1)
            let quality = ChenQuality(delay: delay, bound: bound.inSeconds)
            return CurvePoint(
                detectWithin: bound,
                mistakeRecurrence: quality.recurrence(interval: figures.interval.inSeconds)
            )
        }
    }
}
