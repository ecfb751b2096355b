//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Rules about text, said again as plainly as they can be.
enum ObviousText {
    /// The parts between equal bytes; n of these make n + 1 parts.
    static func split(_ bytes: [UInt8], at separator: UInt8) -> [[UInt8]] {
        var parts: [[UInt8]] = [[]]
        for byte in bytes {
            if byte == separator { parts.append([]) } else { parts[parts.count - 1].append(byte) }
        }
        return parts
    }

    /// Whether these are the bytes of text.
    static func isText(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

    /// Whether the bytes are a word: something, of which every character can be seen.
    static func isWord(_ bytes: [UInt8]) -> Bool {
        guard !bytes.isEmpty, let text = String(validating: bytes, as: UTF8.self) else { return false }
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate: return false
            default: continue
            }
        }
        return true
    }

    /// Whether a line with this text in it stays one line, and no terminal does anything but show it.
    static func isHarmless(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: false
            default: true
            }
        }
    }

    static func isIdentity(_ bytes: [UInt8]) -> Bool { bytes.count <= 128 && Self.isWord(bytes) }

    static func isCode(_ bytes: [UInt8]) -> Bool {
        !bytes.isEmpty && bytes.count <= 64
            && bytes.allSatisfy { Array("abcdefghijklmnopqrstuvwxyz0123456789.-".utf8).contains($0) }
    }

    /// The number that decimal digits are, and nothing else is.
    static func number(_ bytes: [UInt8]) -> UInt64? {
        guard !bytes.isEmpty else { return nil }
        var number: UInt64 = 0
        for byte in bytes {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (tenfold, overflows) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflowsToo) = tenfold.addingReportingOverflow(UInt64(byte - 0x30))
            guard !overflows, !overflowsToo else { return nil }
            number = sum
        }
        return number
    }

    /// A duration, each unit looked for by itself.
    static func duration(_ bytes: [UInt8]) -> Duration? {
        let units: [(name: String, microseconds: Int128)] = [
            ("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1),
        ]
        var rest = bytes
        var billionths: Int128 = 0
        var last = -1
        while !rest.isEmpty {
            let digits = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
            rest.removeFirst(digits.count)
            guard (1...16).contains(digits.count), let whole = Self.number(Array(digits)) else { return nil }
            var decimals: ArraySlice<UInt8>?
            if rest.first == UInt8(ascii: ".") {
                rest.removeFirst()
                let found = rest.prefix { $0 >= 0x30 && $0 <= 0x39 }
                rest.removeFirst(found.count)
                guard (1...9).contains(found.count) else { return nil }
                decimals = found
            }
            let name = rest.prefix { $0 >= 0x61 && $0 <= 0x7A }
            rest.removeFirst(name.count)
            guard let unit = units.firstIndex(where: { Array($0.name.utf8) == Array(name) }), unit > last,
                decimals == nil || rest.isEmpty
            else { return nil }
            last = unit
            billionths += Int128(whole) * units[unit].microseconds * 1_000_000_000
            var place: Int128 = 100_000_000
            for digit in decimals ?? [] {
                billionths += Int128(digit - 0x30) * units[unit].microseconds * place
                place /= 10
            }
        }
        // A billionth of a microsecond is 1,000 attoseconds.
        let longest: Int128 = 1_000_000 * 3_600_000_000 * 1_000_000_000
        guard last >= 0, billionths <= longest else { return nil }
        return Duration(attoseconds: billionths * 1_000)
    }
}
