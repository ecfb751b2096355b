//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting

/// A point of the figure: a detector, how fast it detects, and how rarely it errs.
struct RecurrencePoint: Sendable {
    let detector: FigureDetector
    /// The longest time to detect.
    let bound: Duration
    /// The mean time between mistakes.
    let simulated: Duration
    /// What theory says of this detector.
    let expected: Duration
    /// What theory says of the best one.
    let best: Duration

    /// Simulates until there were so many mistakes; nil where that never comes.
    init?(of detector: FigureDetector, bound: Duration, mistakes: Int, seed: UInt64) {
        // Each point has heartbeats of its own, so that their deviations are independent.
        var seeds = SplitMix64(seed: seed ^ UInt64(bound / .milliseconds(1)) << 8 ^ detector.rawValue)
        let heartbeats = IndependentHeartbeats(seed: seeds.next())
        guard let expected = detector.expectedRecurrence(bound: bound, on: heartbeats),
            let best = heartbeats.expectedRecurrence(detectWithin: bound),
            let simulated = detector.quality(bound: bound, mistakes: mistakes, on: heartbeats).meanRecurrence
        else { return nil }
        self.detector = detector
        self.bound = bound
        self.simulated = simulated
        self.expected = expected
        self.best = best
    }

    /// By how much it is off from theory; 0.1 is 10 %.
    var deviation: Double { self.simulated / self.expected - 1 }

    /// By how much it is off from the best there can be.
    var deviationFromBest: Double { self.simulated / self.best - 1 }
}
