//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension Duration {
    /// Reads a duration as people and the wire write it: `500ms`, `15s`, `2m`, `1h30m`, `30d`, `250us`.
    ///
    /// One or more parts, each a decimal number and a unit, with nothing between them. The units are `d` (24 h), `h`,
    /// `m`, `s`, `ms` and `us`; they come in this order, each at most once. Only the last part may have decimals, one
    /// to nine of them. There is no sign, so a duration read is never negative, and none above 1,000,000 h is accepted.
    /// Anything else gives `nil`, including a number without a unit and space around it.
    public init?(text: some StringProtocol) {
        var rest = Substring(text).utf8
        var units = DurationUnit.descending[...]
        var total: Int128 = 0
        var isLast = false
        repeat {
            // Sixteen digits hold every accepted duration in every unit.
            guard !isLast, let whole = rest.takeDigits(atMost: 16) else { return nil }
            var fraction: (value: Int128, scale: Int128) = (0, 1)
            if rest.first == UInt8(ascii: ".") {
                rest.removeFirst()
                guard let decimals = rest.takeDigits(atMost: 9) else { return nil }
                fraction = decimals
                isLast = true
            }
            let name = rest.prefix { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 }
            guard let position = units.firstIndex(where: { $0.name.utf8.elementsEqual(name) }) else { return nil }
            let unit = units[position].attoseconds
            // Keeps the sum far from the end of Int128.
            guard whole.value <= Self.longestText.attoseconds / unit else { return nil }
            total += whole.value * unit + fraction.value * unit / fraction.scale
            rest.removeFirst(name.count)
            units = units[(position + 1)...]
        } while !rest.isEmpty
        guard total <= Self.longestText.attoseconds else { return nil }
        self.init(attoseconds: total)
    }

    /// The duration in the form that ``init(text:)`` reads: `15s`, `1h30m`, `1.5s`, `250us`.
    ///
    /// Hours and minutes are whole; what is less than a minute follows in the largest unit that makes it at least 1,
    /// with decimals. Exact to the microsecond; smaller parts are rounded to the nearest one. Zero is `0s`. A negative
    /// duration starts with `-` and, like one above 1,000,000 h, is for people only: ``init(text:)`` refuses it.
    public var text: String {
        let microseconds = (attoseconds.magnitude + 500_000_000_000) / 1_000_000_000_000
        let (minutes, rest) = microseconds.quotientAndRemainder(dividingBy: 60_000_000)
        var text = attoseconds < 0 && microseconds > 0 ? "-" : ""
        if minutes >= 60 {
            text += "\(minutes / 60)h"
        }
        if minutes % 60 > 0 {
            text += "\(minutes % 60)m"
        }
        switch rest {
        case 1_000_000...:
            text += Self.decimal(rest, over: 1_000_000) + "s"
        case 1_000...:
            text += Self.decimal(rest, over: 1_000) + "ms"
        case 1...:
            text += "\(rest)us"
        default:
            text += minutes == 0 ? "0s" : ""
        }
        return text
    }

    /// The longest duration that ``init(text:)`` accepts.
    static var longestText: Duration { .seconds(1_000_000 * 3_600) }

    /// `value / scale` without trailing zeros; `scale` is a power of ten.
    private static func decimal(_ value: UInt128, over scale: UInt128) -> String {
        let (whole, remainder) = value.quotientAndRemainder(dividingBy: scale)
        guard remainder > 0 else { return "\(whole)" }
        // The leading 1 keeps the zeros behind the point; it is dropped again.
        var decimals = String(scale + remainder).dropFirst()
        while decimals.last == "0" {
            decimals.removeLast()
        }
        return "\(whole).\(decimals)"
    }
}

/// A unit of the text form of a duration.
private struct DurationUnit {
    let name: String
    let attoseconds: Int128

    static let descending = [
        DurationUnit(name: "d", attoseconds: 86_400_000_000_000_000_000_000),
        DurationUnit(name: "h", attoseconds: 3_600_000_000_000_000_000_000),
        DurationUnit(name: "m", attoseconds: 60_000_000_000_000_000_000),
        DurationUnit(name: "s", attoseconds: 1_000_000_000_000_000_000),
        DurationUnit(name: "ms", attoseconds: 1_000_000_000_000_000),
        DurationUnit(name: "us", attoseconds: 1_000_000_000_000),
    ]
}

extension Substring.UTF8View {
    /// Removes the digits at the front and returns their value and the power of ten above it.
    ///
    /// `nil` when there is no digit or there are more than `limit`.
    fileprivate mutating func takeDigits(atMost limit: Int) -> (value: Int128, scale: Int128)? {
        var value: Int128 = 0
        var scale: Int128 = 1
        var count = 0
        while let byte = first, UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
            guard count < limit else { return nil }
            value = value * 10 + Int128(byte - UInt8(ascii: "0"))
            scale *= 10
            count += 1
            removeFirst()
        }
        return count == 0 ? nil : (value, scale)
    }
}
