//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// How well this process keeps its own time, and how much more patient its suspicion should be for it.
///
/// Whoever is late with its own work sees everybody else late: most false suspicions come from a few observers that are
/// short of processor time. Lifeguard therefore lets an observer judge itself first (Dadgar, Phillips, Currey,
/// "Lifeguard: Local Health Awareness for More Accurate Failure Detection", 2018; the limits are those of
/// hashicorp/memberlist, `awareness.go`): a score that failures raise and successes lower, and times that grow with it.
/// There the score comes from answers of other members; here it comes from our own timer, which needs nobody.
///
/// It stretches suspicion only. The bound is a promise and never waits for our health; that no verdict falls on a peer
/// that we could not hear is the work of ``ObserverClock``.
public struct LocalHealth: Hashable, Sendable {
    /// The worst score.
    private static let worst = 7

    /// A byte, because every connection holds one.
    private var held: UInt8 = 0

    /// How bad it is: 0 when all is well, at most 7.
    public var score: Int { Int(self.held) }

    /// The health of a process that has not been late yet.
    public init() {}

    /// A timer of ours fired.
    ///
    /// - Parameter isLate: whether it was so late that it was a stall (rule R6).
    public mutating func tick(isLate: Bool) {
        self.apply(delta: isLate ? 1 : -1)
    }

    mutating func apply(delta: Int) {
        // The delta is brought into range first: the sum cannot overflow.
        let delta = min(max(delta, -Self.worst), Self.worst)
        self.held = UInt8(min(max(self.score + delta, 0), Self.worst))
    }

    /// By how much suspicion is to be stretched, 1 to 8.
    public var multiplier: Int { self.score + 1 }

    /// A time until suspicion, stretched; saturates at the longest duration there is.
    public func scaled(_ duration: Duration) -> Duration {
        let (product, overflow) = duration.attoseconds.multipliedReportingOverflow(by: Int128(self.multiplier))
        guard overflow else { return Duration(attoseconds: product) }
        return Duration(attoseconds: duration < .zero ? .min : .max)
    }
}
