//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayTesting
import Foundation
import Testing

/// Scenarios drawn from fixed seeds, each with an oracle beside it that knows what really happens.
///
/// A seed that fails is played again, and made smaller, by `make soak SEED=...`.
@Suite("simulated connections keep every promise") struct SeedTests {
    private static let portions = 20

    /// How many seeds each portion plays; SIMULATION_SEEDS says how many in all, where a sanitizer makes everything slow.
    private static let seedsPerPortion: UInt64 = {
        let wanted = ProcessInfo.processInfo.environment["SIMULATION_SEEDS"].flatMap { UInt64($0) }
        return max(1, (wanted ?? 2_000) / UInt64(portions))
    }()

    /// In portions, so that they run beside each other and a failure names its seeds.
    @Test("whatever happens to them", arguments: 0..<portions)
    func seeds(portion: Int) {
        let first = UInt64(portion) * Self.seedsPerPortion + 1
        for seed in first..<first + Self.seedsPerPortion {
            let scenario = Scenario(seed: seed)
            let complaints = scenario.run().complaints
            #expect(complaints.isEmpty, "seed \(seed): \(complaints)\n\(scenario)\nmake soak SEED=\(seed)")
        }
    }

    /// Too rare to be met again by chance: one scenario in a hundred thousand, or fewer.
    @Test(
        "also in what broke one once",
        arguments: [
            17_598_084_867_665_371_779, 18_146_486_624_750_018_959, 315_575_312_751_498_652,
            13_510_212_381_611_145_224, 16_482_271_818_199_828_562, 5_614_689_773_706_902_775,
            10_469_742_764_398_190_507, 14_766_026_273_094_437_151, 16_353_704_038_754_339_800,
            17_910_856_095_264_230_878, 11_565_069_790_828_598_938, 16_660_338_970_451_718_607,
            14_961_341_903_718_809_954, 12_667_025_725_778_689_735, 9_700_794_211_032_608_538,
            15_727_850_880_229_686_669,
        ] as [UInt64]
    )
    func seedsOfBefore(seed: UInt64) {
        let scenario = Scenario(seed: seed)
        let complaints = scenario.run().complaints
        #expect(complaints.isEmpty, "\(complaints)\n\(scenario)\nmake soak SEED=\(seed)")
    }
}
