//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension PlanProblem {
    /// What an interval that solves this problem achieves and costs.
    ///
    /// - Throws: ``ConfigurationError`` where no policy takes the interval, which the ceiling and the floor exclude.
    func figures(interval: Duration) throws(ConfigurationError) -> QoSPlan.Figures {
        let bound = self.requirements.detectWithin
        let seconds = interval.inSeconds
        let margin = self.window - interval
        let timings = try LivenessPolicy(interval: interval, detectWithin: bound).timings()
        let kernel = KernelTimeouts(timings)
        let blackout = self.blackouts(longestMilliseconds: kernel.longestRetransmissionMilliseconds)
        return QoSPlan.Figures(
            interval: interval,
            replyWithin: bound - interval,
            margin: margin,
            detectWithin: bound,
            heartbeatsPerWindow: Int(clamping: self.window.attoseconds / max(interval.attoseconds, 1)),
            mistakeRecurrence: self.quality.recurrence(interval: seconds),
            mistakeDuration: .seconds(min(self.quality.mistakeDuration(interval: seconds), 1e11)),
            toleratedBlackout: .microseconds(Int64(blackout.lastRetransmission(within: margin.inSeconds).time * 1e6)),
            bytesPerSecond: HeartbeatTraffic.exchangeBytes / seconds,
            kernel: kernel
        )
    }

    /// The retransmissions of a connection with this delay, for a longest pause; nil for that of older kernels.
    func blackouts(longestMilliseconds: Int32?) -> BlackoutModel {
        BlackoutModel(
            roundTrip: self.quality.delay.mean,
            deviation: self.quality.delay.variance.squareRoot(),
            longestTimeout: longestMilliseconds.map { Double($0) / 1_000 } ?? BlackoutModel.defaultLongestTimeout
        )
    }
}

extension ChenQuality {
    /// Both recurrences of an interval, clamped.
    func recurrence(interval: Double) -> QoSPlan.Recurrence {
        QoSPlan.Recurrence(
            independentSeconds: Self.recurrence(log: self.logRecurrence(interval: interval)),
            dependenceFreeSeconds: Self.recurrence(log: self.logRecurrenceOfOne(interval: interval))
        )
    }
}
