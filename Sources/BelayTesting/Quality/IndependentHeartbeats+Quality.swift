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

/// Where a detector could come to suspect: runs of heartbeats that are lost or late, one behind the other.
struct HeartbeatRuns: Sendable {
    private let heartbeats: IndependentHeartbeats
    private let memory: Int
    private let endOfTime: Int
    /// Heartbeats in a row that a mistake needs.
    let length: Int
    /// Heartbeats whose draw is below are lost or late.
    private let late: Double

    /// Nil where it cannot be said, or does not pay: where heartbeats overtake each other, and where most are late.
    init?(in heartbeats: IndependentHeartbeats, tolerance: DetectorTolerance) {
        guard heartbeats.arriveInOrder else { return nil }
        self.heartbeats = heartbeats
        self.memory = max(1, tolerance.memory)
        self.endOfTime = Int(Int64.max / heartbeats.intervalNanoseconds)
        // A suspicion falls if none of the next k arrives within the patience. The k-th is sent k - 1 intervals after the
        // first, so that it must be that much less late than the first one to prevent it. With fewer heartbeats in a row,
        // they may be later: whichever makes the rarer runs.
        let patience = max(0, tolerance.patience.seconds)
        let interval = heartbeats.interval.seconds
        let most = Int(min(patience / interval, 1_000)) + 1
        var (length, late) = (1, 1.0)
        for candidate in max(1, most - 1)...most {
            let delay = min(patience - Double(candidate - 1) * interval, tolerance.cutoff?.seconds ?? .infinity)
            // A little more than it is, so that rounding leaves out none.
            let share = min(1, heartbeats.drawOfDelay(max(0, delay)) * (1 + 1e-9))
            if Double.pow(share, candidate) < Double.pow(late, length) { (length, late) = (candidate, share) }
        }
        guard late < 0.5 else { return nil }
        (self.length, self.late) = (length, late)
    }

    private func isLate(_ number: Int) -> Bool { self.heartbeats.draw(number) < self.late }

    /// Where the first run that is long enough begins; beyond the end of time when there is none.
    func firstRun(from number: Int) -> Int {
        // Of the heartbeats of a run one in `length` is looked at.
        var looked = number + self.length - 1
        while true {
            while looked < self.endOfTime, !self.isLate(looked) { looked += self.length }
            guard looked < self.endOfTime else { return looked }
            var first = looked
            while first > number, self.isLate(first - 1) { first -= 1 }
            var last = looked
            while last - first < self.length, self.isLate(last + 1) { last += 1 }
            if last - first + 1 >= self.length { return first }
            looked += self.length
        }
    }

    /// From where on a detector has to look to know everything it can remember when the run begins.
    func start(before run: Int, notBefore earliest: Int) -> Int {
        var (start, remembered) = (run, 0)
        while start > earliest, remembered < self.memory {
            start -= 1
            if !self.isLate(start) { remembered += 1 }
        }
        return start
    }

    /// The first heartbeat after the run that is in time.
    func end(of run: Int) -> Int {
        var end = run
        while self.isLate(end) { end += 1 }
        return end
    }
}
