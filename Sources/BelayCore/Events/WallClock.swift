//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// A time for people: milliseconds since 1970 in UTC.
///
/// It appears in events, and where weeks are counted across restarts; no deadline depends on it, because it jumps.
public struct WallClock: Hashable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds.
    public var millisecondsSince1970: Int64

    /// A time so many milliseconds after 1970 began.
    public init(millisecondsSince1970: Int64) {
        self.millisecondsSince1970 = millisecondsSince1970
    }

    /// The time in the form of RFC 3339 with milliseconds: `2026-01-01T00:00:00.000Z`.
    ///
    /// Days are turned into dates by Howard Hinnant's `civil_from_days` (howardhinnant.github.io/date_algorithms.html).
    public var text: String {
        let (seconds, millisecond) = Self.floorDivide(self.millisecondsSince1970, by: 1_000)
        let (day, secondOfDay) = Self.floorDivide(seconds, by: 86_400)
        let (era, dayOfEra) = Self.floorDivide(day + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let dayOfMonth = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        var text: [UInt8] = []
        text.reserveCapacity(24)
        if year < 0 { text.append(UInt8(ascii: "-")) }
        text.append(decimal: year.magnitude, width: 4)
        for (separator, number) in [
            ("-", month), ("-", dayOfMonth), ("T", secondOfDay / 3_600), (":", secondOfDay / 60 % 60),
            (":", secondOfDay % 60),
        ] as [(StaticString, Int64)] {
            text.append(separator)
            text.append(decimal: number.magnitude, width: 2)
        }
        text.append(".")
        text.append(decimal: millisecond.magnitude, width: 3)
        text.append("Z")
        return String(decoding: text, as: UTF8.self)
    }

    private static func floorDivide(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
