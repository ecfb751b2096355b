//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the epochs of peers")
struct EpochRegistryTests {
    @Test("the first connection of a peer has epoch 1, and each later one is one more")
    func counts() {
        var registry = EpochRegistry()
        for expected in 1...5 as ClosedRange<UInt64> {
            #expect(registry.next(for: "device-42") == expected)
        }
        #expect(registry.next(for: "device-43") == 1)
        #expect(registry.next(for: "device-42") == 6)
        #expect(registry.forgotten == 0)
    }

    @Test("identities that differ in case are two peers")
    func identities() {
        var registry = EpochRegistry()
        #expect(registry.next(for: "a") == 1)
        #expect(registry.next(for: "A") == 1)
    }

    @Test("the epoch of a peer never goes back, however many were forgotten between", arguments: [1, 2, 7, 50])
    func neverGoesBack(limit: Int) {
        var generator = SplitMix64(seed: UInt64(limit))
        var registry = EpochRegistry(limit: limit)
        var latest: [Int: UInt64] = [:]
        for step in 0..<20_000 {
            let peer = Int.random(in: 0..<100, using: &generator)
            let epoch = registry.next(for: "peer-\(peer)")
            guard epoch > latest[peer, default: 0] else {
                Issue.record("epoch \(epoch) after \(latest[peer, default: 0]) at step \(step), limit \(limit)")
                return
            }
            latest[peer] = epoch
        }
        #expect(registry.forgotten > 0)
    }

    @Test("a limit below one is one")
    func smallestLimit() {
        var registry = EpochRegistry(limit: -5)
        #expect(registry.next(for: "a") == 1)
        #expect(registry.next(for: "a") == 2)
        #expect(registry.next(for: "b") == 3)
        #expect(registry.forgotten == 1)
        #expect(registry.next(for: "a") == 4)
    }
}
