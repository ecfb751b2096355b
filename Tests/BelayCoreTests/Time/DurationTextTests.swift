//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the text of a duration")
struct DurationTextTests {
    @Test(
        "every unit and combination of units is read",
        arguments: [
            ("500ms", .milliseconds(500)), ("15s", .seconds(15)), ("2m", .seconds(120)), ("1h", .seconds(3_600)),
            ("250us", .microseconds(250)), ("1h30m", .seconds(5_400)), ("1.5s", .milliseconds(1_500)),
            ("0.25h", .seconds(900)), ("1h2m3s4ms5us", .seconds(3_723) + .microseconds(4_005)),
            ("1h5us", .seconds(3_600) + .microseconds(5)), ("1m0.5s", .milliseconds(60_500)), ("0s", .zero),
            ("90m", .seconds(5_400)), ("1m90s", .seconds(150)), ("007s", .seconds(7)), ("1.5us", .nanoseconds(1_500)),
            ("0.123456789s", .nanoseconds(123_456_789)), ("1000000h", .seconds(3_600_000_000)),
            ("3600000000000000us", .seconds(3_600_000_000)), ("30d", .seconds(2_592_000)), ("0.5d", .seconds(43_200)),
            ("1d2h3m", .seconds(93_780)), ("41666d16h", .seconds(3_600_000_000)),
        ] as [(String, Duration)]
    )
    func reads(text: String, expected: Duration) {
        #expect(Duration(text: text) == expected)
    }

    @Test(
        "anything else is not a duration",
        arguments: [
            "", " ", "s", "15", "1.5", "15 s", " 15s", "15s ", "-15s", "+15s", "15S", "15sec", "1h1d", "1D", "15s15s",
            "1s1m",
            "1ms1s", "1us1ms", "41667d", "9999999999999999d", "41666d17h", "1.5h30m", "1.5.5s", ".5s", "1.s", "1..5s",
            "1,5s", "1e3s", "0x1s", "1h30", "1hm", "inf",
            "nan", "1_000s", "1.0123456789s", "1000000h1us", "1000001h", "12345678901234567s", "99999999999999999999h",
            "9999999999999999h9999999999999999m9999999999999999s9999999999999999ms9999999999999999us", "\u{661}s",
            "1s\u{301}", "1\u{0}s", "15s\n", "1µs",
        ]
    )
    func refuses(text: String) {
        #expect(Duration(text: text) == nil)
    }

    @Test(
        "the text is short and reads well",
        arguments: [
            (.zero, "0s"), (.seconds(15), "15s"), (.seconds(60), "1m"), (.seconds(90), "1m30s"),
            (.seconds(3_600), "1h"),
            (.seconds(5_400), "1h30m"), (.seconds(3_601), "1h1s"), (.milliseconds(500), "500ms"),
            (.milliseconds(1_500), "1.5s"), (.milliseconds(60_500), "1m500ms"), (.microseconds(1_500), "1.5ms"),
            (.microseconds(250), "250us"), (.microseconds(1_000_001), "1.000001s"), (.microseconds(1_010), "1.01ms"),
            (.seconds(86_400), "24h"), (.seconds(3_600_000_000), "1000000h"),
        ] as [(Duration, String)]
    )
    func writes(duration: Duration, expected: String) {
        #expect(duration.text == expected)
    }

    @Test(
        "what is smaller than a microsecond is rounded",
        arguments: [
            (.nanoseconds(499), "0s"), (.nanoseconds(500), "1us"), (.nanoseconds(999_999_500), "1s"),
            (.nanoseconds(59_999_999_999), "1m"), (.nanoseconds(-499), "0s"), (.nanoseconds(-500), "-1us"),
        ] as [(Duration, String)]
    )
    func rounds(duration: Duration, expected: String) {
        #expect(duration.text == expected)
    }

    @Test("the text of what cannot be read is still text for people")
    func outOfRange() {
        #expect(Duration.seconds(-90).text == "-1m30s")
        #expect(Duration(text: Duration.seconds(-90).text) == nil)
        #expect(Duration(attoseconds: .max).text.hasSuffix("us") || Duration(attoseconds: .max).text.hasSuffix("s"))
        #expect(Duration(attoseconds: .min).text.hasPrefix("-"))
    }

    @Test("a duration of whole microseconds is read as it was written", arguments: [1, 2, 3] as [UInt64])
    func roundTrip(seed: UInt64) {
        var random = Generator(state: seed)
        for _ in 0..<2_000 {
            // All magnitudes alike, and in half of the cases round ones.
            var count =
                UInt64.random(in: 0...3_600_000_000_000_000, using: &random)
                >> UInt64.random(in: 0...51, using: &random)
            if Bool.random(using: &random) {
                let unit: UInt64 = [1_000, 1_000_000, 60_000_000, 3_600_000_000].randomElement(using: &random)!
                count -= count % unit
            }
            let duration = Duration.microseconds(count)
            #expect(Duration(text: duration.text) == duration, "\(duration.text), seed \(seed)")
        }
    }

    @Test(
        "random text of the right characters never traps, and what is read is in range",
        arguments: [1, 2] as [UInt64]
    )
    func randomText(seed: UInt64) {
        var random = Generator(state: seed)
        let alphabet = Array("0123459hmsu.. -")
        var accepted = 0
        for _ in 0..<20_000 {
            let length = Int.random(in: 0...12, using: &random)
            let text = String((0..<length).map { _ in alphabet.randomElement(using: &random)! })
            guard let duration = Duration(text: text) else { continue }
            accepted += 1
            #expect(duration >= .zero && duration <= .seconds(3_600_000_000), "\(text), seed \(seed)")
        }
        #expect(accepted > 100, "seed \(seed)")
    }

    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
