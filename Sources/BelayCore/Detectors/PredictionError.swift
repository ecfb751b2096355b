//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// How far arrivals were from what was expected, over the last thousand or so.
///
/// Longer than the window of the expectation itself: on a path that loses 2 % one round trip in 25 is late, and a deviation that
/// is taken over 32 of them forgets that in every fourth window.
struct PredictionError: Hashable, Sendable {
    /// How much the last one weighs once there are more.
    private static let memory = 1_000.0

    private(set) var count = 0
    private var meanSquare = 0.0

    mutating func add(nanoseconds: Int64, expected: Int64) {
        let error = Double(nanoseconds) - Double(expected)
        self.count += 1
        self.meanSquare += (error * error - self.meanSquare) / min(Double(self.count), Self.memory)
    }

    /// The root of the mean square error; with a good expectation the standard deviation.
    var deviationNanoseconds: Double { max(0, self.meanSquare).squareRoot() }
}
