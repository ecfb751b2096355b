//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import RealModule

extension SplitMix64 {
    /// Evenly distributed between 0 and 1, and neither of them, so that its logarithm is finite.
    mutating func unit() -> Double { Self.unit(self.next()) }

    static func unit(_ bits: UInt64) -> Double { (Double(bits >> 11) + 0.5) * 0x1p-53 }

    /// Exponentially distributed.
    mutating func exponential(mean: Double) -> Double { -mean * .log(self.unit()) }

    /// Normally distributed with mean 0 and deviation 1, after Box and Muller.
    mutating func normal() -> Double {
        let radius = (-2 * Double.log(self.unit())).squareRoot()
        return radius * .cos(2 * .pi * self.unit())
    }
}
