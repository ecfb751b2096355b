//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the JSON writer")
struct JSONWriterTests {
    private static func text(_ write: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        write(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test("an object with every kind of value has its commas and keeps the order of its keys")
    func object() {
        let text = Self.text { json in
            json.beginObject()
            json.key("string")
            json.string("a")
            json.key("integer")
            json.integer(-42)
            json.key("decimal")
            json.decimal(1.5)
            json.key("boolean")
            json.boolean(true)
            json.key("nothing")
            json.null()
            json.key("array")
            json.beginArray()
            json.integer(UInt64.max)
            json.beginObject()
            json.endObject()
            json.beginArray()
            json.endArray()
            json.boolean(false)
            json.endArray()
            json.key("last")
            json.beginObject()
            json.key("a")
            json.null()
            json.endObject()
            json.endObject()
        }
        #expect(
            text == #"{"string":"a","integer":-42,"decimal":1.5,"boolean":true,"nothing":null,"#
                + #""array":[18446744073709551615,{},[],false],"last":{"a":null}}"#
        )
    }

    @Test("a document may be a single value")
    func scalar() {
        #expect(Self.text { $0.string("a") } == "\"a\"")
        #expect(Self.text { $0.integer(Int64.min) } == "-9223372036854775808")
        #expect(Self.text { $0.null() } == "null")
        #expect(Self.text { _ in } == "")
    }

    @Test(
        "quotes, backslashes and control characters are escaped, and nothing else",
        arguments: [
            ("a\"b", #""a\"b""#), ("a\\b", #""a\\b""#), ("\u{8}\t\n\u{C}\r", #""\b\t\n\f\r""#),
            ("\u{0}\u{1}\u{F}\u{10}\u{1F}", #""\u0000\u0001\u000f\u0010\u001f""#), ("a/é€😀\u{A0}", "\"a/é€😀\u{A0}\""),
            ("\u{7F}\u{80}\u{9B}31m\u{9F}", #""\u007f\u0080\u009b31m\u009f""#),
            ("", "\"\""),
            ("\r\n", #""\r\n""#),
        ]
    )
    func escapes(value: String, expected: String) {
        #expect(Self.text { $0.string(value) } == expected)
        #expect(
            Self.text { json in
                json.beginObject()
                json.key(value)
                json.null()
                json.endObject()
            } == "{\(expected):null}"
        )
    }

    @Test(
        "doubles are rounded to three decimals, without trailing zeros and exponent",
        arguments: [
            (0, "0"), (-0.0, "0"), (1, "1"), (-1, "-1"), (0.5, "0.5"), (-0.25, "-0.25"), (1.125, "1.125"), (0.1, "0.1"),
            (0.001, "0.001"), (0.010, "0.01"), (100.05, "100.05"), (29_990.4, "29990.4"), (81_234.1, "81234.1"),
            (0.000_4, "0"), (-0.000_4, "0"), (0.000_5, "0.001"), (-0.000_6, "-0.001"), (0.999_6, "1"),
            (-9.999_9, "-10"),
            (1e15, "1000000000000000"), (9_007_199_254_740_992, "9007199254740992"),
            (4_503_599_627_370_495.5, "4503599627370495.5"), (0x1p63, "9223372036854775808"),
            (0x1.fffffffffffffp63, "18446744073709549568"), (0x1p64, "18446744073709552000"),
            (1e20, "100000000000000000000"), (-1.25e21, "-1250000000000000000000"),
            (.greatestFiniteMagnitude, "17976931348623157" + String(repeating: "0", count: 292)),
            (.leastNonzeroMagnitude, "0"), (.nan, "null"), (.infinity, "null"), (-.infinity, "null"),
        ] as [(Double, String)]
    )
    func decimals(value: Double, expected: String) {
        #expect(Self.text { $0.decimal(value) } == expected)
    }

    @Test("a double that has no finite value is null also as a member")
    func nullMember() {
        let text = Self.text { json in
            json.beginObject()
            json.key("a")
            json.decimal(.nan)
            json.key("b")
            json.decimal(1)
            json.endObject()
        }
        #expect(text == #"{"a":null,"b":1}"#)
    }

    @Test("what is written is read as it was", arguments: [1, 2, 3, 4] as [UInt64])
    func roundTrip(seed: UInt64) throws {
        var random = Generator(state: seed)
        for _ in 0..<300 {
            let value = Self.value(depth: 0, using: &random)
            var writer = JSONWriter(reservingCapacity: 64)
            Self.write(value, to: &writer)
            let text = String(decoding: writer.bytes, as: UTF8.self)
            let read = try JSONReader(maximumSize: writer.bytes.count).read(writer.bytes.span.bytes)
            #expect(read == value, "\(text), seed \(seed)")
        }
    }

    @Test("sixteen containers may lie in each other")
    func depth() throws {
        var writer = JSONWriter()
        for level in 0..<16 {
            if level.isMultiple(of: 3) {
                writer.beginArray()
            } else {
                writer.beginObject()
                writer.key("a")
            }
        }
        writer.null()
        for level in (0..<16).reversed() {
            level.isMultiple(of: 3) ? writer.endArray() : writer.endObject()
        }
        _ = try JSONReader(maximumSize: 1_000).read(writer.bytes.span.bytes)
    }

    // MARK: Random values

    private static func value(depth: Int, using random: inout Generator) -> JSONValue {
        switch Int.random(in: 0..<(depth < 5 ? 6 : 4), using: &random) {
        case 0:
            return .null
        case 1:
            return .boolean(.random(using: &random))
        case 2:
            // Thousandths are written exactly; the sign of zero is not.
            return .number(Double(Int64.random(in: -1_000_000_000_000...1_000_000_000_000, using: &random)) / 1_000)
        case 3:
            return .string(text(using: &random))
        case 4:
            return .array(
                (0..<Int.random(in: 0...4, using: &random)).map { _ in value(depth: depth + 1, using: &random) }
            )
        default:
            var members: [String: JSONValue] = [:]
            for _ in 0..<Int.random(in: 0...4, using: &random) {
                members[text(using: &random)] = value(depth: depth + 1, using: &random)
            }
            return .object(members)
        }
    }

    private static func text(using random: inout Generator) -> String {
        var text = ""
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            let limit: UInt32 = [0x20, 0x80, 0x800, 0x10000, 0x110000].randomElement(using: &random)!
            text.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: 0..<limit, using: &random)) ?? "\"")
        }
        return text
    }

    private static func write(_ value: JSONValue, to writer: inout JSONWriter) {
        switch value {
        case .null:
            writer.null()
        case .boolean(let value):
            writer.boolean(value)
        case .number(let value):
            writer.decimal(value)
        case .string(let value):
            writer.string(value)
        case .array(let elements):
            writer.beginArray()
            for element in elements {
                write(element, to: &writer)
            }
            writer.endArray()
        case .object(let members):
            writer.beginObject()
            for (name, member) in members {
                writer.key(name)
                write(member, to: &writer)
            }
            writer.endObject()
        }
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
