//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Writes one JSON document (RFC 8259) as UTF-8 bytes, piece by piece.
///
/// Written by hand because `BelayCore` must not import Foundation, and because what it writes is known in advance:
/// events and control frames, whose keys keep the order in which they are written. Commas and escapes come by
/// themselves. Calls that cannot make a document (a value without its key, an end without its begin, a second document)
/// are programmer errors and trap.
public struct JSONWriter: Sendable {
    /// The document so far; complete when everything begun has been ended.
    public private(set) var bytes: [UInt8] = []

    private var depth = 0
    /// Bit n is set when container n, counted from the outermost, is an object.
    private var objects: UInt16 = 0
    private var needsComma = false
    private var hasKey = false

    /// A writer of a new document.
    ///
    /// - Parameter capacity: How many bytes to make room for at once.
    public init(reservingCapacity capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    // MARK: Containers

    /// Begins an object; at most ``JSONReader/maximumDepth`` containers may lie in each other.
    public mutating func beginObject() {
        begin(UInt8(ascii: "{"), isObject: true)
    }

    /// Ends the object begun last.
    public mutating func endObject() {
        precondition(isInObject && !hasKey, "no object to end, or a key without its value")
        end(UInt8(ascii: "}"))
    }

    /// Begins an array; at most ``JSONReader/maximumDepth`` containers may lie in each other.
    public mutating func beginArray() {
        begin(UInt8(ascii: "["), isObject: false)
    }

    /// Ends the array begun last.
    public mutating func endArray() {
        precondition(depth > 0 && !isInObject, "no array to end")
        end(UInt8(ascii: "]"))
    }

    /// Writes the name of the next member; exactly one value must follow.
    public mutating func key(_ name: String) {
        precondition(isInObject && !hasKey, "a key belongs into an object, before a value")
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        hasKey = true
    }

    // MARK: Values

    /// Writes a string, with quotes, backslashes and control characters escaped.
    public mutating func string(_ value: String) {
        beginValue()
        quote(value)
    }

    /// Writes an integer in full.
    ///
    /// Readers that use doubles, as ``JSONReader`` does, are exact up to 2^53 only (RFC 7493 section 2.2).
    public mutating func integer(_ value: some FixedWidthInteger) {
        beginValue()
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        if let magnitude = UInt64(exactly: value.magnitude) {
            bytes.append(decimal: magnitude)
        } else {
            bytes.append(contentsOf: String(value.magnitude).utf8)
        }
    }

    /// Writes a number rounded to three decimals, without trailing zeros and without exponent; made for milliseconds.
    ///
    /// Infinite values and NaN, which JSON does not have, become `null`.
    public mutating func decimal(_ value: Double) {
        guard value.isFinite else { return null() }
        beginValue()
        appendDecimal(value)
    }

    /// Writes `true` or `false`.
    public mutating func boolean(_ value: Bool) {
        beginValue()
        bytes.append(contentsOf: value ? "true".utf8 : "false".utf8)
    }

    /// Writes `null`.
    public mutating func null() {
        beginValue()
        bytes.append(contentsOf: "null".utf8)
    }

    // MARK: Structure

    private var isInObject: Bool {
        depth > 0 && objects >> (depth - 1) & 1 == 1
    }

    private mutating func begin(_ bracket: UInt8, isObject: Bool) {
        precondition(depth < JSONReader.maximumDepth, "nested too deep")
        beginValue()
        bytes.append(bracket)
        let bit: UInt16 = 1 << depth
        objects = isObject ? objects | bit : objects & ~bit
        depth += 1
        needsComma = false
    }

    private mutating func end(_ bracket: UInt8) {
        bytes.append(bracket)
        depth -= 1
        needsComma = true
    }

    private mutating func beginValue() {
        if hasKey {
            hasKey = false
        } else {
            precondition(depth > 0 || bytes.isEmpty, "a document is one value")
            precondition(!isInObject, "a value in an object needs a key")
            separate()
        }
    }

    private mutating func separate() {
        if needsComma {
            bytes.append(UInt8(ascii: ","))
        }
        needsComma = true
    }

    // MARK: Text

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            if Self.isPlain(utf8) { bytes.append(contentsOf: utf8) } else { appendEscaped(utf8) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Whether nothing is to be escaped; without a branch per byte, as nearly all text is.
    private static func isPlain(_ utf8: UnsafeBufferPointer<UInt8>) -> Bool {
        var isPlain = true
        for byte in utf8 {
            // 0xC2 begins the controls of Latin-1 (U+0080 to U+009F), which some terminals obey.
            let isSpecial = byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte == 0x7F || byte == 0xC2
            isPlain = isPlain && byte >= 0x20 && !isSpecial
        }
        return isPlain
    }

    private mutating func appendEscaped(_ utf8: UnsafeBufferPointer<UInt8>) {
        for scalar in String(decoding: utf8, as: UTF8.self).unicodeScalars {
            if 0x7F...0x9F ~= scalar.value {
                bytes.append(contentsOf: "\\u00\(String(scalar.value, radix: 16))".utf8)
            } else {
                for byte in scalar.utf8 { appendEscaped(byte) }
            }
        }
    }

    private mutating func appendEscaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case 0x08:
            bytes.append(contentsOf: "\\b".utf8)
        case 0x09:
            bytes.append(contentsOf: "\\t".utf8)
        case 0x0A:
            bytes.append(contentsOf: "\\n".utf8)
        case 0x0C:
            bytes.append(contentsOf: "\\f".utf8)
        case 0x0D:
            bytes.append(contentsOf: "\\r".utf8)
        case 0..<0x20:
            bytes.append(contentsOf: byte < 0x10 ? "\\u000".utf8 : "\\u00".utf8)
            bytes.append(contentsOf: String(byte, radix: 16).utf8)
        default:
            bytes.append(byte)
        }
    }

    private mutating func appendDecimal(_ value: Double) {
        // From 2^64 on a double is an integer with more digits than UInt64 has, so it is written from its description.
        guard value.magnitude < 0x1p64 else { return appendHuge(value) }
        var whole = UInt64(value.magnitude)
        var thousandths = UInt64(((value.magnitude - Double(whole)) * 1_000).rounded())
        if thousandths == 1_000 {
            whole += 1
            thousandths = 0
        }
        if value < 0, whole > 0 || thousandths > 0 {
            bytes.append(UInt8(ascii: "-"))
        }
        bytes.append(decimal: whole)
        guard thousandths > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        var divisor: UInt64 = 100
        while thousandths > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(thousandths / divisor))
            thousandths %= divisor
            divisor /= 10
        }
    }

    /// Writes a number of at least 2^64 in full; its description is like `-1.25e+20`.
    private mutating func appendHuge(_ value: Double) {
        let parts = value.description.split(separator: "e+")
        let digits = parts[0].utf8.filter { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "-") }
        if value < 0 {
            bytes.append(UInt8(ascii: "-"))
        }
        bytes.append(contentsOf: digits)
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : digits.count - 1
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, exponent + 1 - digits.count)))
    }
}
