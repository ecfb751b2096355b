//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation
import Testing

@testable import BelayCore

@Suite("the search on the sawtooth")
struct IntervalSearchTests {
    /// ln f for a hundredfold certainty with every whole heartbeat: cliffs at 1, 1/2, 1/3 ...
    private static func cliffs(_ interval: Double) -> Double { (1 / interval).rounded(.down) * log(100.0) }

    @Test("the longest interval is found beyond branches that fall short", arguments: 1...12)
    func longest(branch: Int) throws {
        // Twice too much for the branch before, so the left end of that one falls short too.
        let target = Double(branch) * log(100.0) - log(Double(branch)) - 0.01
        var search = IntervalSearch(assurance: Self.cliffs)
        let longest = search.longest(in: 1e-3...1, reaching: target)
        let found = try #require(longest)
        #expect(abs(found * Double(branch) - 1) < 1e-9)
        #expect(log(found) + Self.cliffs(found) >= target)
    }

    @Test("where the whole range reaches the target, its end is the answer; where nothing does, there is none")
    func ends() {
        var search = IntervalSearch(assurance: Self.cliffs)
        let all = search.longest(in: 0.01...0.3, reaching: 1)
        let nothing = search.longest(in: 0.01...1, reaching: 600)
        let single = search.longest(in: 0.7...0.7, reaching: -1)
        #expect(all == 0.3 && nothing == nil && single == 0.7)
    }

    @Test("no answer of a fine grid is longer, and the number of steps is bounded", arguments: [1, 2, 3] as [UInt64])
    func againstGrid(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        for _ in 0..<300 {
            let delay = HeartbeatDelay(
                loss: Bool.random(using: &random) ? 0 : .random(in: 0...0.9, using: &random),
                mean: 0.01,
                deviation: exp(Double.random(in: -12...2, using: &random)),
                distribution: .unknown
            )
            let quality = ChenQuality(delay: delay, bound: 1)
            let target = Double.random(in: -3...20, using: &random)
            var search = IntervalSearch(assurance: quality.assurance)
            let found = search.longest(in: 0.01...0.99, reaching: target)
            #expect(search.evaluations <= IntervalSearch.mostEvaluations)
            if let found { #expect(quality.logRecurrence(interval: found) >= target) }
            // A peak that barely reaches the target may be passed over.
            let longer = stride(from: 0.99, to: found ?? 0.01, by: -1e-3).first {
                quality.logRecurrence(interval: $0) > target + 1e-3
            }
            #expect(longer == nil, "\(delay), target \(target), found \(String(describing: found))")
        }
    }

    @Test("the best interval is as good as the best of a fine grid")
    func best() {
        for deviation in [0.001, 0.05, 0.3, 2] {
            for loss in [0, 0.01, 0.6] {
                let delay = HeartbeatDelay(loss: loss, mean: 0.01, deviation: deviation)
                let quality = ChenQuality(delay: delay, bound: 1)
                var search = IntervalSearch(assurance: quality.assurance)
                let interval = search.best(in: 0.1...0.99)
                let best = quality.logRecurrence(interval: interval)
                let onGrid = stride(from: 0.1, through: 0.99, by: 1e-3).map { quality.logRecurrence(interval: $0) }
                #expect(best >= (onGrid.max() ?? 0) - 1e-3, "deviation \(deviation), loss \(loss)")
            }
        }
    }
}
