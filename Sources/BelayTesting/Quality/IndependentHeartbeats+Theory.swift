//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import RealModule

extension IndependentHeartbeats {
    /// The mean time between mistakes of NFD-S, exactly: nobody who detects in the same time makes fewer.
    ///
    /// W. Chen, S. Toueg, M. K. Aguilera, IEEE Transactions on Computers 51(5), 2002, theorem 5.
    ///
    /// - Parameter bound: the longest time to detect, the interval and the shift of ``NFDS``; more than the interval or equal.
    /// - Returns: nil when it makes no mistake, or none in 292 years.
    public func expectedRecurrence(detectWithin bound: Duration) -> Duration? {
        self.recurrence(ofChance: self.chanceOfMistake(shift: bound.seconds - self.interval.seconds))
    }

    /// The mean time between mistakes of NFD-E, whose expectation is a mean over a window.
    ///
    /// The same theorem, over the distribution of that mean: a gamma of the window's shape, as delays are exponential. It
    /// differs from NFD-S where the bound is a multiple of the interval: there the next heartbeat is sent at the very
    /// moment at which the suspicion falls, and half of the time the expectation is a little late and lets it arrive.
    ///
    /// - Parameters:
    ///   - bound: the longest time to detect of the NFD-S that it stands for: interval, margin and mean delay.
    ///   - window: over how many heartbeats the expectation is the mean, at least 1.
    /// - Returns: nil when it makes no mistake, or none in 292 years.
    public func expectedRecurrence(detectWithin bound: Duration, window: Int) -> Duration? {
        let shift = bound.seconds - self.interval.seconds
        let shape = Double(Swift.max(1, window))
        var (weights, chances) = (0.0, 0.0)
        // Ten deviations around the mean of the distribution, in steps of a hundredth of one.
        for step in -1_000...1_000 {
            let mean = 1 + Double(step) / 100 / shape.squareRoot()
            guard mean > 0 else { continue }
            let weight = Double.exp((shape - 1) * .log(mean) - shape * (mean - 1))
            weights += weight
            chances += weight * self.chanceOfMistake(shift: shift + (mean - 1) * self.meanDelaySeconds)
        }
        return self.recurrence(ofChance: chances / weights)
    }

    /// The mean time between mistakes of a simple timeout with a cutoff, exactly.
    ///
    /// Where losses alone decide, it is the interval / (p^k (1 - p)), with p the chance to be lost or cut off and k the whole
    /// intervals in the timeout. Next to the edges of these plateaus the difference between the delays of the two
    /// heartbeats around a silence decides too.
    ///
    /// - Parameters:
    ///   - timeout: as of ``CutoffTimeout``.
    ///   - cutoff: as of ``CutoffTimeout``.
    /// - Returns: nil when it makes no mistake, or none in 292 years.
    public func expectedRecurrence(timeout: Duration, cutoff: Duration) -> Duration? {
        let missed = self.drawOfDelay(cutoff.seconds)
        var (chance, missedBefore) = (0.0, 1.0)
        for next in 1...1_000 {
            let slack = timeout.seconds - Double(next) * self.interval.seconds
            chance += missedBefore * (1 - missed) * self.chanceOfDifference(above: slack, cutoff: cutoff.seconds)
            missedBefore *= missed
        }
        return self.recurrence(ofChance: (1 - missed) * chance)
    }

    /// The chance of a heartbeat to be lost, or to take longer than this.
    func drawOfDelay(_ seconds: Double) -> Double {
        guard seconds > 0, self.meanDelaySeconds > 0 else {
            return seconds < 0 || self.meanDelaySeconds > 0 ? 1 : self.loss
        }
        return self.loss + (1 - self.loss) * .exp(-seconds / self.meanDelaySeconds)
    }

    private func recurrence(ofChance chance: Double) -> Duration? {
        let seconds = self.interval.seconds / chance
        return seconds < 9e9 ? .nanoseconds(Int64(nanosecondsOfSeconds: seconds)) : nil
    }

    /// The chance that a mistake begins at the freshness point of a heartbeat.
    private func chanceOfMistake(shift: Double) -> Double {
        let interval = self.interval.seconds
        var chance = 1 - self.drawOfDelay(shift + interval)
        for number in 0...Swift.max(0, Int(Swift.min((shift / interval).rounded(.up), 1_000))) {
            chance *= self.drawOfDelay(shift - Double(number) * interval)
        }
        return chance
    }

    /// The chance that of two heartbeats within the cutoff the later one took this much longer.
    private func chanceOfDifference(above slack: Double, cutoff: Double) -> Double {
        guard abs(slack) < cutoff else { return slack > 0 ? 0 : 1 }
        let (size, end) = (abs(slack) / self.meanDelaySeconds, cutoff / self.meanDelaySeconds)
        let accepted = 1 - Double.exp(-end)
        let both = Double.exp(-size) * (1 - .exp(-2 * (end - size))) / 2 - .exp(-end) * (1 - .exp(-(end - size)))
        let above = both / (accepted * accepted)
        return slack >= 0 ? above : 1 - above
    }
}
