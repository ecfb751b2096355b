//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Testing

@testable import BelayCore

@Suite struct SampleWindowTests {
    struct Vectors: Decodable {
        struct Phi: Decodable { let history_stats: [Case] }
        struct Case: Decodable {
            let samples: [Int64]
            let maxN: Int
            let mean: Double
            let variance: Double
        }
        let phi: Phi
    }

    @Test("mean and variance are those of the last samples")
    func statistics() throws {
        for example in try DetectorVectors.decode(Vectors.self).phi.history_stats {
            var window = SampleWindow(capacity: example.maxN)
            for sample in example.samples { window.add(sample * 1_000_000) }
            #expect(abs(Double(window.meanNanoseconds) / 1e6 - example.mean) < 1e-6)
            #expect(abs(window.varianceSquareNanoseconds / 1e12 - example.variance) < 1e-6)
        }
    }

    @Test("equal samples have no variance, where doubles find a negative one", arguments: [100_000_001, 94_906_267])
    func noCancellation(sample: Int64) {
        var window = SampleWindow(capacity: 96)
        for _ in 0..<96 { window.add(sample) }
        #expect(window.varianceSquareNanoseconds == 0)
        #expect(window.meanNanoseconds == sample)
    }

    @Test("squares of long times do not overflow")
    func noOverflow() {
        var window = SampleWindow(capacity: 1_000)
        for _ in 0..<1_000 { window.add(1_000_000_000) }
        #expect(window.deviationNanoseconds == 0)
        for number in 0..<3_000 { window.add(number.isMultiple(of: 2) ? .max : .min) }
        #expect(window.deviationNanoseconds == Double(1 << 53))
        #expect(window.meanNanoseconds == 0)
    }

    @Test("nothing drifts: a million samples later the window knows only the last ones")
    func noDrift() {
        var window = SampleWindow(capacity: 10)
        var generator = SplitMix64(seed: 1)
        for _ in 0..<1_000_000 { window.add(Int64.random(in: 0...1_000_000_000_000, using: &generator)) }
        for _ in 0..<10 { window.add(7) }
        #expect(window.meanNanoseconds == 7)
        #expect(window.varianceSquareNanoseconds == 0)
    }
}
