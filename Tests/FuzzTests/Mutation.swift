//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// Damage to an input, without looking at what it reaches: what libFuzzer does with its guidance taken away.
struct Mutation {
    private var random: SplitMix64
    private static let words = [
        "ping", "pong", "hello ", "welcome ", "bye ", "\r\n", "\n", "every=", "15s", "1h30m", "epoch=", "token=", "\\",
        "\"",
        "{\"", "\\u", "\\ud83d", "e308", "://", "[::1]", ":65536", "@10s", "%", "\u{1B}[2J", "\u{301}", "\u{2028}", "é",
        "\u{85}",
    ].map { Array($0.utf8) }

    init(seed: UInt64) {
        self.random = SplitMix64(seed: seed)
    }

    /// One of the inputs with one to four changes.
    mutating func next(of inputs: [[UInt8]]) -> [UInt8] {
        var bytes = inputs.randomElement(using: &self.random) ?? []
        for _ in 0..<Int.random(in: 1...4, using: &self.random) {
            self.damage(&bytes, others: inputs)
        }
        return Array(bytes.prefix(4_096))
    }

    private mutating func damage(_ bytes: inout [UInt8], others: [[UInt8]]) {
        let place = Int.random(in: 0...bytes.count, using: &self.random)
        let end = min(bytes.count, place + Int.random(in: 1...8, using: &self.random))
        switch Int.random(in: 0..<8, using: &self.random) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &self.random)
        case 1 where place < bytes.count:
            bytes[place] = [0, 1, 4, 0x0A, 0x20, 0x7F, 0x80, 0xFF].randomElement(using: &self.random) ?? 0
        case 2: bytes.removeSubrange(place..<end)
        case 3: bytes.removeSubrange(place...)
        case 4: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 5: bytes.insert(UInt8.random(in: 0...255, using: &self.random), at: place)
        case 6: bytes.insert(contentsOf: Self.words.randomElement(using: &self.random) ?? [], at: place)
        default:
            let other = others.randomElement(using: &self.random) ?? []
            bytes.replaceSubrange(place..., with: other.dropFirst(min(place, other.count)))
        }
    }
}
