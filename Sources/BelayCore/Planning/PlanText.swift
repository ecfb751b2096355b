//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Figures of a plan as people read them.
package enum PlanText {
    /// A duration with four digits that count.
    package static func duration(_ duration: Duration) -> String {
        let microseconds = duration.wholeMicroseconds
        return (microseconds < 0 ? duration : .microseconds(Self.rounded(microseconds, up: nil))).text
    }

    /// A span of time that may be longer than any duration: `41s`, `18.4 days`, `5,210 years`.
    package static func span(seconds: Double) -> String {
        switch seconds {
        case ..<172_800: Self.duration(.microseconds(Int64(max(seconds, 0) * 1e6)))
        case ..<63_115_200: "\(Self.number(seconds / 86_400)) days"
        case ..<3_155_760_000: "\(Self.number(seconds / 31_557_600)) years"
        case ..<31_557_600_000_000:
            "\(Self.number(Double(Self.rounded(Int64(seconds / 3_155_760), up: nil) / 10))) years"
        default: "more than a million years"
        }
    }

    /// A number with one decimal below 100, and groups of thousands above.
    package static func number(_ value: Double) -> String {
        guard value >= 100 else {
            let tenths = Int64(max(value, 0) * 10 + 0.5)
            guard tenths > 0 else { return "\(value)" }
            return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
        }
        var digits = Array(String(Int64(min(value, 1e18) + 0.5)))
        for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
        return String(digits)
    }

    /// A probability as a percentage.
    package static func percent(_ probability: Double) -> String {
        let millionths = Int64(min(max(probability, 0), 1) * 1e8 + 0.5)
        guard millionths > 0 || probability == 0 else { return "\(probability * 100)%" }
        return "\(Double(millionths) / 1e6)%".replacing(suffix: ".0%", with: "%")
    }

    /// The next number with at most four digits that count, from above.
    static func roundedUp(microseconds: Int64) -> Int64 { Self.rounded(microseconds, up: true) }

    /// The next number with at most four digits that count, from below.
    static func roundedDown(microseconds: Int64) -> Int64 { Self.rounded(microseconds, up: false) }

    /// Rounded up, down, or to the nearest one (nil), and never past the range of the type.
    private static func rounded(_ value: Int64, up: Bool?) -> Int64 {
        var unit: Int64 = 1
        while value / unit >= 10_000 { unit *= 10 }
        let remainder = value % unit
        guard remainder > 0 else { return value }
        let goesUp = up ?? (remainder >= unit / 2)
        let (sum, overflow) = (value - remainder).addingReportingOverflow(goesUp ? unit : 0)
        return overflow ? value : sum
    }
}

extension String {
    fileprivate func replacing(suffix: String, with other: String) -> String {
        self.hasSuffix(suffix) ? String(self.dropLast(suffix.count)) + other : self
    }
}
