//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayTesting
import Testing

/// Scenarios drawn from fixed seeds, each with an oracle beside it that knows what really happens.
///
/// A seed that fails is played again, and made smaller, by `make soak SEED=...`.
@Suite("simulated connections keep every promise") struct SeedTests {
    /// In portions, so that they run beside each other and a failure names its seeds.
    @Test("whatever happens to them", arguments: 0..<20)
    func seeds(portion: Int) {
        let seeds = UInt64(portion) * 100 + 1...UInt64(portion) * 100 + 100
        for seed in seeds {
            let scenario = Scenario(seed: seed)
            let complaints = scenario.run().complaints
            #expect(complaints.isEmpty, "seed \(seed): \(complaints)\n\(scenario)\nmake soak SEED=\(seed)")
        }
    }
}
