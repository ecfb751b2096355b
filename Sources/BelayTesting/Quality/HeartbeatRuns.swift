//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import RealModule

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
