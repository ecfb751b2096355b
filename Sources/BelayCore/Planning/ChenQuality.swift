//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import RealModule

/// What heartbeats at an interval achieve within a bound: the theorems of Chen, Toueg and Aguilera that judge a
/// schedule.
///
/// A mistake needs every heartbeat of a window to fail: the last one that counts is `bound - interval` old at the
/// deadline, those after it one interval less each. With a known distribution the results are exact (Theorem 5), else
/// they are what holds for every distribution of that mean and deviation (Theorem 7).
///
/// Everything is a logarithm, since the products leave the range of a double. The paper's NFD-U, for clocks that are
/// not synchronised, has the same figures with the bound counted from the mean delay on.
struct ChenQuality {
    let delay: HeartbeatDelay
    /// T_D^U in seconds.
    let bound: Double

    /// So many heartbeats of a window are counted one by one; of more, groups count as their youngest.
    ///
    /// A group is as long as a part of what was counted before it, so that the 17 million of a day at 5 ms take some
    /// 3,000 steps. It understates the sum by at most 2 %, so the certificate stands.
    static let countedHeartbeats = 256

    /// ln of the longest recurrence that is told, 1e300 s.
    static let longestLogRecurrence = 690.775

    /// How much surer a mistake's absence gets by all heartbeats of a window: -ln of the probability that all fail.
    ///
    /// Sum over j = 1, 2, ... of -ln p(bound - j interval). Falls, or stays, as the interval grows: the heartbeats get
    /// fewer and each gets younger.
    func assurance(interval: Double) -> Double {
        var sum = 0.0
        var count = 0
        while sum < 800 {
            let group = 1 + count / Self.countedHeartbeats
            count += group
            let age = self.bound - Double(count) * interval
            guard age > self.delay.shortestUsefulAge else { break }
            sum -= Double(group) * self.delay.logMissing(within: age)
        }
        return sum
    }

    /// The same by the first heartbeat of a window alone, which holds however the delays depend on each other.
    ///
    /// Derived in place of the product, which is wrong over TCP: there a lost segment delays everything behind it. A
    /// mistake at a deadline needs the heartbeat of that deadline to be late, whatever the others do.
    func assuranceOfOne(interval: Double) -> Double {
        -self.delay.logMissing(within: self.bound - interval)
    }

    /// ln E(T_MR) in seconds: how long it is from mistake to mistake where delays are independent.
    ///
    /// eta / (q_0 prod p_j), where q_0 is taken as 1 when only its lower bound is known.
    func logRecurrence(interval: Double) -> Double {
        .log(interval) + self.assurance(interval: interval) + self.logRecurrenceOffset
    }

    /// -ln q_0: a mistake needs a heartbeat before it that was in time.
    var logRecurrenceOffset: Double {
        self.delay.isKnown ? -.log(max(self.delay.answered(within: self.bound), .leastNormalMagnitude)) : 0
    }

    /// ln of the least E(T_MR) in seconds however the delays depend on each other: eta / p(bound - eta).
    func logRecurrenceOfOne(interval: Double) -> Double {
        .log(interval) + self.assuranceOfOne(interval: interval)
    }

    /// E(T_M) in seconds: how long a mistake lasts on average; the upper bound eta / gamma where the distribution is
    /// unknown.
    func mistakeDuration(interval: Double) -> Double {
        let answered = max(self.delay.answered(within: self.bound), .leastNormalMagnitude)
        guard self.delay.isKnown else { return interval / answered }
        return self.integralOfSuspicion(interval: interval) / answered
    }

    /// A recurrence in seconds from its logarithm, clamped to 1e300 s.
    static func recurrence(log: Double) -> Double { log < Self.longestLogRecurrence ? .exp(log) : 1e300 }
}

extension ChenQuality {
    /// The integral of u(x) / u(0) over one interval, where u(x) is the probability of being suspected x after a
    /// deadline.
    ///
    /// u falls steeply after the deadline and where the next heartbeat begins to count, so the panels of the quadrature
    /// double in length from either.
    private func integralOfSuspicion(interval: Double) -> Double {
        let shift = self.bound - interval
        let youngest = (shift / interval).rounded(.up)
        let kink = min(max(youngest * interval - shift, 0), interval)
        return self.graded(from: 0, to: kink, interval: interval)
            + self.graded(from: kink, to: interval, interval: interval)
    }

    private func graded(from start: Double, to end: Double, interval: Double) -> Double {
        let first = self.decline(after: start, interval: interval)
        var sum = 0.0
        var upper = end - start
        for _ in 0..<48 {
            // Hardly anything declines any more: one panel is exact.
            if self.decline(after: start + upper, interval: interval) > first * 0.9999 { break }
            let lower = upper / 2
            sum += self.panel(from: start + lower, to: start + upper, interval: interval)
            upper = lower
        }
        return sum + self.panel(from: start, to: start + upper, interval: interval)
    }

    /// Gauss and Legendre with eight points.
    private func panel(from lower: Double, to upper: Double, interval: Double) -> Double {
        let half = (upper - lower) / 2
        guard half > 0 else { return 0 }
        let middle = lower + half
        var sum = 0.0
        for (node, weight) in Self.nodes {
            sum += weight * self.decline(after: middle - half * node, interval: interval)
            sum += weight * self.decline(after: middle + half * node, interval: interval)
        }
        return sum * half
    }

    /// u(x) / u(0), with x = `time`.
    ///
    /// By the youngest heartbeats, since those change most; leaving out others overstates.
    private func decline(after time: Double, interval: Double) -> Double {
        let shift = self.bound - interval
        var exponent = 0.0
        let youngest = (shift / interval).rounded(.up)
        for count in 0..<Self.countedHeartbeats {
            let age = shift - (youngest - Double(count)) * interval
            guard age <= shift, exponent > -60 else { break }
            exponent += self.delay.logMissing(within: age + time) - self.delay.logMissing(within: age)
        }
        return .exp(exponent)
    }

    private static let nodes: [(node: Double, weight: Double)] = [
        (0.183_434_642_495_649_8, 0.362_683_783_378_362_0),
        (0.525_532_409_916_329_0, 0.313_706_645_877_887_3),
        (0.796_666_477_413_626_7, 0.222_381_034_453_374_5),
        (0.960_289_856_497_536_2, 0.101_228_536_290_376_3),
    ]
}
