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

    /// A span of time that may be longer than any duration, never told longer than it is: `41s`, `18.4 days`,
    /// `5,210 years`.
    package static func span(seconds: Double) -> String {
        let shown = Self.shown(seconds: seconds)
        return switch seconds {
        case ..<172_800: Self.duration(.microseconds(Int64((shown * 1e6).rounded())))
        case ..<63_115_200: "\(Self.number(shown / 86_400)) days"
        case ..<31_557_600_000_000: "\(Self.number(shown / 31_557_600)) years"
        default: "a million years"
        }
    }

    /// The seconds that ``span(seconds:)`` shows: rounded down to its last digit.
    static func shown(seconds: Double) -> Double {
        let unit: Double
        switch seconds {
        case ..<172_800:
            let microseconds = Int64((max(seconds, 0) * 1e6).rounded())
            return Double(Self.roundedDown(microseconds: microseconds)) / 1e6
        case ..<8_640_000: unit = 8_640
        case ..<63_115_200: unit = 86_400
        case ..<3_155_760_000: unit = 3_155_760
        case ..<31_557_600_000_000:
            return Double(Self.roundedDown(microseconds: Int64(seconds / 31_557_600))) * 31_557_600
        default: return seconds
        }
        return (seconds / unit).rounded(.down) * unit
    }

    /// A number in whole thousands, ones, tenths or thousandths, the more of them the smaller it is: `1,065`, `21.4`.
    package static func number(_ value: Double) -> String {
        guard value >= 100 else {
            let scale = Self.scale(of: value)
            let rounded = (max(value, 0) * scale).rounded() / scale
            return rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
        }
        var digits = Array(String(Int64(min(value, 1e18).rounded())))
        for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
        return String(digits)
    }

    /// The next number from above that ``number(_:)`` shows in full.
    static func roundedUp(_ value: Double) -> Double {
        let scale = Self.scale(of: value)
        return (value * scale).rounded(.up) / scale
    }

    /// Into how many parts a number is divided when it is shown.
    private static func scale(of value: Double) -> Double {
        switch value {
        case ..<0.001: 1e9
        case ..<1: 1_000
        case ..<100: 10
        default: 1
        }
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
