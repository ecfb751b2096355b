//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import RealModule

/// How likely a heartbeat is answered in time, in seconds and logarithms.
struct HeartbeatDelay {
    /// p_L, 0 ..< 1.
    let loss: Double
    /// E(D) in seconds.
    let mean: Double
    /// V(D) in seconds squared, above 0.
    let variance: Double
    let distribution: DelayDistribution
    /// Up to this age a heartbeat is no evidence: nothing can be said of the chance that its answer is there.
    let shortestUsefulAge: Double

    /// A model of the delay.
    ///
    /// The deviation is taken as at least 1 us, to which intervals are rounded. It keeps every quotient finite and
    /// above the rounding of doubles in a day, and more deviation only certifies less.
    init(loss: Double, mean: Double, deviation: Double, distribution: DelayDistribution = .unknown) {
        let deviation = max(distribution == .exponential ? mean : deviation, Self.least)
        self.loss = loss
        self.mean = distribution == .exponential ? deviation : mean
        self.variance = deviation * deviation
        self.distribution = distribution
        self.shortestUsefulAge = distribution == .unknown ? mean : 0
    }

    init(_ requirements: QoSRequirements) {
        self.init(
            loss: requirements.loss,
            mean: requirements.delay.inSeconds,
            deviation: requirements.deviation.inSeconds,
            distribution: requirements.distribution
        )
    }

    private static let least = 1e-6

    var isKnown: Bool { self.distribution != .unknown }

    /// ln of the probability that a heartbeat is not answered within `age` seconds, or of the least upper bound of it.
    ///
    /// p_L + (1 - p_L) Pr(D > age), with Cantelli's V / (V + (age - E)^2) where the distribution is unknown. At most 0,
    /// and never rises with the age.
    func logMissing(within age: Double) -> Double {
        let late = age - self.shortestUsefulAge
        guard late > 0 else { return 0 }
        guard let tail = self.distribution.logTail(beyond: age, mean: self.mean) else {
            let square = late * late
            return min(0, .log((self.variance + self.loss * square) / (self.variance + square)))
        }
        return self.loss == 0 ? tail : min(0, .log(self.loss + (1 - self.loss) * .exp(tail)))
    }

    /// The probability that a heartbeat is answered within `age` seconds, or the greatest lower bound of it.
    ///
    /// q_0' of Theorem 6, gamma' of Theorem 8.
    func answered(within age: Double) -> Double {
        let late = age - self.shortestUsefulAge
        guard late > 0 else { return 0 }
        if let tail = self.distribution.logTail(beyond: age, mean: self.mean) {
            return (1 - self.loss) * -.expMinusOne(tail)
        }
        return (1 - self.loss) * (late * late / (self.variance + late * late))
    }
}

extension Duration {
    /// This duration in seconds, to the precision of a double.
    ///
    /// Not from `components`, which traps on durations of more than 64 bits of seconds.
    var inSeconds: Double { Double(self.attoseconds) / 1e18 }
}
