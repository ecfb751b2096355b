//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import RealModule

/// How improbable it is that a living peer takes so long: the distribution behind ``PhiAccrual``.
public enum PhiTail: String, CaseIterable, Hashable, Sendable {
    /// The normal distribution, exactly.
    case normal
    /// Akka's logistic approximation of the normal distribution, for those who bring their thresholds along.
    ///
    /// Its tail is cubic: its 8 is an exact 7.06, its 16 is 12.27.
    case logistic
    /// Cassandra's exponential distribution, which knows the mean only.
    case exponential

    /// The thresholds that can be reached.
    static let allowedPhi: ClosedRange<Double> = 0.1...300

    /// Phi of a time, mean and deviation in the same unit; never NaN, never infinite.
    public func phi(elapsed: Double, mean: Double, deviation: Double) -> Double {
        let phi =
            switch self {
            case .normal: Self.normalPhi((elapsed - mean) / deviation)
            case .logistic: Self.logisticPhi((elapsed - mean) / deviation)
            case .exponential: max(0, elapsed) / mean / Self.naturalLogarithmOfTen
            }
        return phi.isNaN ? 0 : min(max(phi, 0), .greatestFiniteMagnitude)
    }

    /// How many deviations past the mean phi has this value; how many means from zero, with an exponential tail.
    ///
    /// A phi outside of 0.1 to 300 is clamped to that.
    func reach(ofPhi phi: Double) -> Double {
        let phi = phi.isNaN ? Self.allowedPhi.lowerBound : phi
        let wanted = min(max(phi, Self.allowedPhi.lowerBound), Self.allowedPhi.upperBound)
        guard self != .exponential else { return wanted * Self.naturalLogarithmOfTen }
        // Phi grows with the deviation; each step halves the interval, and 100 of them reach the last bit.
        var (low, high) = (-2.0, 40.0)
        for _ in 0..<100 {
            let middle = (low + high) / 2
            if self.phi(elapsed: middle, mean: 0, deviation: 1) < wanted { low = middle } else { high = middle }
        }
        return high
    }

    private static let naturalLogarithmOfTen = Double.log(10)

    /// Minus the decimal logarithm of the upper tail of the normal distribution.
    ///
    /// One minus the distribution function is zero from 8.3 deviations on, in doubles; the complementary error function
    /// reaches 37.5, and from there its asymptotic series is exact to 1e-11 (Abramowitz and Stegun 7.1.23).
    private static func normalPhi(_ z: Double) -> Double {
        if z < 0 {
            return -Double.log(onePlus: -0.5 * Double.erfc(-z / 2.0.squareRoot())) / Self.naturalLogarithmOfTen
        }
        if z < 37 {
            return -Double.log(0.5 * Double.erfc(z / 2.0.squareRoot())) / Self.naturalLogarithmOfTen
        }
        let inverse = 1 / (z * z)
        let series = Double.log(onePlus: -inverse * (1 - inverse * (3 - 15 * inverse)))
        return (z * z / 2 + Double.log(z * (2 * Double.pi).squareRoot()) - series) / Self.naturalLogarithmOfTen
    }

    /// Minus the decimal logarithm of 1 / (1 + exp(y)) with Akka's y, without the overflow that makes Akka's own infinite.
    private static func logisticPhi(_ z: Double) -> Double {
        let y = z * (1.5976 + 0.070566 * z * z)
        // log(1 + exp(y)), for large y is y.
        let logarithm = y > 700 ? y : Double.log(onePlus: Double.exp(y))
        return logarithm / Self.naturalLogarithmOfTen
    }
}
