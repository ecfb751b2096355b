//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore
import RealModule

extension IndependentHeartbeats {
    /// How well a detector does until it has made so many mistakes, from the first heartbeat on.
    ///
    /// Good detectors make one mistake in a million heartbeats. With the tolerance of the detector, those that cannot matter
    /// are left out, and the result is exactly the same: a mistake needs several heartbeats in a row that are lost or late.
    /// Such runs are searched for, which takes about a nanosecond for each heartbeat, since it needs only a comparison of its
    /// draw; the detector, new each time, sees what it can remember before the run, and then the run up to the first
    /// heartbeat that is in time. What is left out does count as time.
    ///
    /// The time to detect is not measured. The simulation ends after 292 years of its own time in any case.
    ///
    /// - Parameters:
    ///   - detector: the detector, which knows nothing yet.
    ///   - mistakes: how many, at least one; it has to make mistakes at all.
    ///   - tolerance: what the detector surely puts up with; nil to look at each heartbeat. It is not made use of where
    ///     heartbeats may overtake each other.
    /// - Returns: its mistakes, from the first heartbeat that arrived on.
    public func quality<Detector: FailureDetector>(
        of detector: Detector,
        mistakes: Int,
        tolerance: DetectorTolerance? = nil
    ) -> DetectorQuality {
        var trial = DetectorTrial(detector)
        trial.measuresDetection = false
        let runs = tolerance.flatMap { HeartbeatRuns(in: self, tolerance: $0) }
        var number = 0
        // The time that is judged begins with the first heartbeat that arrives.
        var end = runs == nil ? Int.max : self.prefix { $0.arrivedAt == nil }.count
        while true {
            while number <= end, trial.mistakes < mistakes {
                guard Int64(sendingOf: number, every: self.intervalNanoseconds) != nil else { return trial.finish() }
                trial.observe(self[number])
                if self.arriveInOrder { trial.drain() }
                number += 1
            }
            guard let runs, trial.mistakes < mistakes else { return trial.finish() }
            let run = runs.firstRun(from: number)
            let start = runs.start(before: run, notBefore: number)
            if start > number { trial.resume(with: detector) }
            (number, end) = (start, runs.end(of: run))
        }
    }

    /// Whether each heartbeat arrives before the next one is sent, however late it is.
    var arriveInOrder: Bool {
        let longestDelay = -self.meanDelaySeconds * Double.log(0x1p-54)
        return longestDelay < self.interval.seconds
    }
}
