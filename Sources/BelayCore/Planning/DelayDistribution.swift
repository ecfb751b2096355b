//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What is known of the time that a heartbeat's answer takes.
public enum DelayDistribution: String, CaseIterable, Hashable, Sendable {
    /// Mean and deviation only; what holds for every distribution with them is used (Cantelli's inequality).
    case unknown
    /// Exponential with the given mean, which is then its deviation too: the example of the literature.
    case exponential

    /// ln Pr(D > seconds) for a delay D of this mean, at most 0 and never rising; nil where the distribution is
    /// unknown.
    ///
    /// All that the planner asks of a distribution. A logarithm, because the probability itself underflows.
    func logTail(beyond seconds: Double, mean: Double) -> Double? {
        switch self {
        case .unknown: nil
        case .exponential: seconds > 0 ? -seconds / mean : 0
        }
    }
}
