//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("SplitMix64")
struct SplitMix64Tests {
    @Test("the sequence of a seed is that of the reference implementation (prng.di.unimi.it/splitmix64.c)")
    func reference() {
        var zero = SplitMix64(seed: 0)
        #expect(
            (0..<3).map { _ in zero.next() } == [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4, 0x06C4_5D18_8009_454F]
        )
        var other = SplitMix64(seed: 1_234_567)
        #expect(
            (0..<5).map { _ in other.next() } == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ]
        )
    }

    @Test("a copy goes on as the original does, and another seed differs")
    func copies() {
        var generator = SplitMix64(seed: 9)
        _ = generator.next()
        var copy = generator
        #expect(copy.next() == generator.next())
        var other = SplitMix64(seed: 10)
        #expect(other.next() != generator.next())
    }
}
