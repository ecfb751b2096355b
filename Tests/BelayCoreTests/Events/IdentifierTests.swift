//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("identifiers of connections and events")
struct IdentifierTests {
    @Test(
        "a connection is written as nonce and number, the nonce in 13 digits of base 32",
        arguments: [
            (0, 1, "c-0000000000000-1"), (31, 12, "c-000000000000Z-12"), (32, 1, "c-0000000000010-1"),
            (.max, .max, "c-FZZZZZZZZZZZZ-18446744073709551615"),
        ] as [(UInt64, UInt64, String)]
    )
    func connections(nonce: UInt64, number: UInt64, text: String) {
        #expect(ConnectionID(nonce: nonce, number: number).description == text)
        #expect(Hello.isIdentity(text))
    }

    @Test("no two connections share their text")
    func uniqueConnections() {
        var generator = SplitMix64(seed: 1)
        var texts: Set<String> = []
        for number in 1...1_000 as ClosedRange<UInt64> {
            texts.insert(ConnectionID(nonce: generator.next(), number: number % 10).description)
        }
        #expect(texts.count == 1_000)
    }

    @Test("an event's identifier is a ULID: 26 characters of Crockford's base 32")
    func length() {
        var generator = SplitMix64(seed: 2)
        let alphabet = Set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")
        for milliseconds in [0, 1, 1_767_225_600_000, 1 << 48 - 1, .max, -1, .min] as [Int64] {
            let id = EventID.make(at: WallClock(millisecondsSince1970: milliseconds), using: &generator)
            #expect(id.count == 26)
            #expect(id.allSatisfy(alphabet.contains))
            // 128 bits in 130: the first character is 7 at most.
            #expect(id.first ?? "Z" <= "7")
        }
    }

    @Test("the time is the first ten characters, as in the ULID specification")
    func timestamp() {
        var generator = SplitMix64(seed: 3)
        let id = EventID.make(at: WallClock(millisecondsSince1970: 1_469_918_176_385), using: &generator)
        #expect(id.prefix(10) == "01ARYZ6S41")
    }

    @Test("identifiers sort by time")
    func sorting() {
        var generator = SplitMix64(seed: 4)
        var previous = ""
        var milliseconds: Int64 = 0
        for _ in 0..<10_000 {
            milliseconds += Int64.random(in: 1...10_000_000, using: &generator)
            let id = EventID.make(at: WallClock(millisecondsSince1970: milliseconds), using: &generator)
            #expect(previous < id)
            previous = id
        }
    }

    @Test("identifiers of one millisecond differ, in all of their 80 random bits")
    func randomness() {
        var generator = SplitMix64(seed: 5)
        let time = WallClock(millisecondsSince1970: 1_767_225_600_000)
        let ids = (0..<10_000).map { _ in EventID.make(at: time, using: &generator) }
        #expect(Set(ids).count == ids.count)
        for position in 10..<26 {
            #expect(Set(ids.map { Array($0)[position] }).count == 32, "character \(position)")
        }
    }
}
