//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// Which connection of a swarm suffers what and when: drawn from a seed, so that a run can be repeated.
struct SwarmPlan: Equatable {
    /// What one connection is to suffer.
    struct Strike: Equatable {
        var kind: SwarmFault.Kind
        /// From the end of the ramp.
        var at: Duration
    }

    /// The strike of each connection by its number, nil for those that are left alone.
    let strikes: [Strike?]
    /// When the process stands still and for how long, in order.
    let freezes: [(at: Duration, lasts: Duration)]

    static func == (lhs: SwarmPlan, rhs: SwarmPlan) -> Bool {
        lhs.strikes == rhs.strikes && lhs.freezes.elementsEqual(rhs.freezes, by: ==)
    }

    /// Draws a plan in which no connection suffers two faults.
    ///
    /// A share of p percent of n connections is p x n / 100 of them, rounded, and at least one.
    ///
    /// - Parameters:
    ///   - faults: what is to go wrong; at most 100 percent together, what is beyond has nobody left to strike.
    ///   - connections: how many there are.
    ///   - seed: where randomness begins.
    init(faults: [SwarmFault], connections: Int, seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        var left = Array(0..<connections)
        left.shuffle(using: &generator)
        var strikes = [Strike?](repeating: nil, count: connections)
        for fault in faults where fault.kind != .freeze {
            let share = (fault.percent * Double(connections) / 100).rounded()
            let count = min(left.count, max(1, Int(share)))
            let spread = fault.spread.wholeNanoseconds
            for number in left.suffix(count) {
                let delay = spread > 0 ? Int64.random(in: 0...spread, using: &generator) : 0
                strikes[number] = Strike(kind: fault.kind, at: fault.at + .nanoseconds(delay))
            }
            left.removeLast(count)
        }
        self.strikes = strikes
        self.freezes = faults.filter { $0.kind == .freeze }.map { ($0.at, $0.lasts) }.sorted { $0.at < $1.at }
    }

    /// How many connections suffer a kind of fault; those of a freeze are not drawn.
    func count(of kind: SwarmFault.Kind) -> Int { self.strikes.count { $0?.kind == kind } }
}
