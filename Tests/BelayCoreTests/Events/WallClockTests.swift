//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the time for people")
struct WallClockTests {
    @Test(
        "known moments have the text of RFC 3339",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (-86_400_000, "1969-12-31T00:00:00.000Z"), (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (978_307_199_999, "2000-12-31T23:59:59.999Z"), (978_307_200_000, "2001-01-01T00:00:00.000Z"),
            (1_000_000_000_000, "2001-09-09T01:46:40.000Z"), (1_709_164_799_999, "2024-02-28T23:59:59.999Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"), (1_709_251_200_000, "2024-03-01T00:00:00.000Z"),
            (1_767_225_600_000, "2026-01-01T00:00:00.000Z"), (2_147_483_647_000, "2038-01-19T03:14:07.000Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (-2_203_891_200_000, "1900-03-01T00:00:00.000Z"), (-2_203_891_200_001, "1900-02-28T23:59:59.999Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
        ] as [(Int64, String)]
    )
    func knownMoments(milliseconds: Int64, text: String) {
        #expect(WallClock(millisecondsSince1970: milliseconds).text == text)
    }

    @Test("every day from 1970 to 2400 follows the one before it")
    func everyDay() {
        func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
        func pad(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        var (year, month, day) = (1970, 1, 1)
        for number in 0..<157_054 as Range<Int64> {
            let expected = "\(year)-\(pad(month))-\(pad(day))T00:00:00.000Z"
            let text = WallClock(millisecondsSince1970: number * 86_400_000).text
            guard text == expected else {
                Issue.record("\(text) instead of \(expected)")
                return
            }
            let days = [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
            day += 1
            if day > days[month - 1] { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect((year, month, day) == (2400, 1, 1))
    }

    @Test("no time traps", arguments: [Int64.min, .min + 1, .max])
    func extremes(milliseconds: Int64) {
        #expect(WallClock(millisecondsSince1970: milliseconds).text.hasSuffix("Z"))
    }
}
