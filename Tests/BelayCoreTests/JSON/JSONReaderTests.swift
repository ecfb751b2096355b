//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the JSON reader")
struct JSONReaderTests {
    private static func read(_ bytes: [UInt8], maximumSize: Int = 1 << 20) throws(JSONError) -> JSONValue {
        try JSONReader(maximumSize: maximumSize).read(bytes.span.bytes)
    }

    @Test(
        "values of every kind are read (RFC 8259)",
        arguments: [
            ("null", .null), ("true", .boolean(true)), ("false", .boolean(false)), ("0", .number(0)),
            ("-0", .number(-0.0)), ("1", .number(1)), ("-12.5", .number(-12.5)), ("1e2", .number(100)),
            ("1E+2", .number(100)), ("25e-1", .number(2.5)), ("0.5", .number(0.5)), ("0e1", .number(0)),
            ("9007199254740991", .number(9_007_199_254_740_991)), ("1e-400", .number(0)),
            ("18446744073709551615", .number(0x1p64)), ("\"\"", .string("")), ("\"a b\"", .string("a b")),
            ("[]", .array([])), ("[ ]", .array([])), ("{}", .object([:])), ("{ }", .object([:])),
            ("[1, null ,\"x\"]", .array([.number(1), .null, .string("x")])),
            ("{\"a\":1,\"b\":{\"c\":[]}}", .object(["a": .number(1), "b": .object(["c": .array([])])])),
            (" \t\r\n{ \"a\" :\n1 } \n", .object(["a": .number(1)])), ("{\"\":0}", .object(["": .number(0)])),
            ("[[[]]]", .array([.array([.array([])])])),
        ] as [(String, JSONValue)]
    )
    func reads(text: String, expected: JSONValue) throws {
        #expect(try Self.read(Array(text.utf8)) == expected)
    }

    @Test(
        "escapes in strings are resolved",
        arguments: [
            (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u0041\u00e9\u20AC""#, "Aé€"),
            (#""\ud83d\ude00""#, "😀"), (#""\uD834\uDD1Ex""#, "𝄞x"), (#""a\u0000b""#, "a\u{0}b"),
            (#""\uFFFF""#, "\u{FFFF}"),
            (#""\udbff\udfff""#, "\u{10FFFF}"), ("\"é€😀\u{7F}\u{2028}\"", "é€😀\u{7F}\u{2028}"),
            (#""\\u0041""#, "\\u0041"),
            (#""e\u0301""#, "e\u{301}"),
        ]
    )
    func escapes(text: String, expected: String) throws {
        #expect(try Self.read(Array(text.utf8)) == .string(expected))
    }

    @Test("the last of equal names counts")
    func duplicates() throws {
        #expect(try Self.read(Array(#"{"a":1,"b":2,"\u0061":3}"#.utf8)) == .object(["a": .number(3), "b": .number(2)]))
    }

    @Test(
        "what is not JSON is refused, with the place where that was noticed",
        arguments: [
            ("", "expected a value at byte 0"), ("  ", "expected a value at byte 2"),
            ("nul", "expected a value at byte 0"), ("True", "expected a value at byte 0"),
            ("nulll", "unexpected bytes after the value at byte 4"),
            ("1 2", "unexpected bytes after the value at byte 2"),
            ("{}}", "unexpected bytes after the value at byte 2"),
            ("[1]x", "unexpected bytes after the value at byte 3"),
            ("\u{FEFF}{}", "expected a value at byte 0"), ("{}\u{0}", "unexpected bytes after the value at byte 2"),
            ("01", "unexpected bytes after the value at byte 1"), ("-01", "unexpected bytes after the value at byte 2"),
            ("-", "expected a digit at byte 1"), ("+1", "expected a value at byte 0"),
            ("1.", "expected a digit at byte 2"),
            (".5", "expected a value at byte 0"), ("1.e1", "expected a digit at byte 2"),
            ("1e", "expected a digit at byte 2"), ("1e+", "expected a digit at byte 3"),
            ("0x10", "unexpected bytes after the value at byte 1"), ("NaN", "expected a value at byte 0"),
            ("Infinity", "expected a value at byte 0"), ("-Infinity", "expected a digit at byte 1"),
            ("1e400", "number out of range at byte 0"), ("[-1e400]", "number out of range at byte 1"),
            ("[", "expected a value at byte 1"), ("[1", "expected , or ] at byte 2"),
            ("[1,]", "expected a value at byte 3"),
            ("[,1]", "expected a value at byte 1"), ("[1 2]", "expected , or ] at byte 3"),
            ("[1}", "expected , or ] at byte 2"), ("]", "expected a value at byte 0"),
            ("{", "expected a name at byte 1"), ("{1:2}", "expected a name at byte 1"),
            ("{'a':1}", "expected a name at byte 1"), ("{a:1}", "expected a name at byte 1"),
            (#"{"a"}"#, "expected a colon at byte 4"), (#"{"a":}"#, "expected a value at byte 5"),
            (#"{"a":1"#, "expected , or } at byte 6"), (#"{"a":1,}"#, "expected a name at byte 7"),
            (#"{"a":1 "b":2}"#, "expected , or } at byte 7"), (#"{"a":1]"#, "expected , or } at byte 6"),
            ("/* */1", "expected a value at byte 0"), ("\"", "unfinished string at byte 1"),
            ("\"a", "unfinished string at byte 2"), (#""a\"#, "unfinished string at byte 3"),
            (#""\x41""#, "unknown escape at byte 2"), (#""\'""#, "unknown escape at byte 2"),
            (#""\U0041""#, "unknown escape at byte 2"), (#""\u00""#, "expected four hexadecimal digits at byte 5"),
            (#""\u00g0""#, "expected four hexadecimal digits at byte 5"),
            (#""\u"#, "expected four hexadecimal digits at byte 3"),
            (#""\ud800""#, "lone surrogate at byte 1"), (#""x\udc00""#, "lone surrogate at byte 2"),
            (#""\ud800\n""#, "lone surrogate at byte 1"), (#""\ud800\ud800""#, "lone surrogate at byte 1"),
            (#""\ud800\u0041""#, "lone surrogate at byte 1"),
            (#""\ud800\u""#, "expected four hexadecimal digits at byte 9"),
            (#""\udc00\udc00""#, "lone surrogate at byte 1"), (#""\udc00\u"#, "lone surrogate at byte 1"),
            ("\"a\nb\"", "control character in a string at byte 2"),
            ("\"\t\"", "control character in a string at byte 1"),
            ("\"\u{0}\"", "control character in a string at byte 1"), ("\u{A0}1", "expected a value at byte 0"),
            ("\u{C}1", "expected a value at byte 0"),
        ]
    )
    func refuses(text: String, expected: String) {
        let error = #expect(throws: JSONError.self) { try Self.read(Array(text.utf8)) }
        #expect(error?.description == expected)
    }

    @Test(
        "invalid UTF-8 is refused wherever it stands",
        arguments: [
            ([0x22, 0xFF, 0x22], 1), ([0x22, 0xC0, 0xAF, 0x22], 1), ([0x22, 0xED, 0xA0, 0x80, 0x22], 1),
            ([0x22, 0x61, 0xE2, 0x82, 0x22], 2), ([0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], 1), ([0x31, 0x80], 1),
            ([0xE9], 0),
        ] as [([UInt8], Int)]
    )
    func invalidUTF8(bytes: [UInt8], offset: Int) {
        let error = #expect(throws: JSONError.self) { try Self.read(bytes) }
        #expect(error?.reason == "invalid UTF-8")
        #expect(error?.offset == offset)
    }

    @Test("sixteen containers may lie in each other, seventeen may not", arguments: ["[", "{\"a\":"])
    func depth(opening: String) throws {
        func document(_ depth: Int) -> [UInt8] {
            let closing = opening == "[" ? "]" : "}"
            let text = String(repeating: opening, count: depth) + "0" + String(repeating: closing, count: depth)
            return Array(text.utf8)
        }
        #expect(throws: Never.self) { try Self.read(document(16)) }
        let error = #expect(throws: JSONError.self) { try Self.read(document(17)) }
        #expect(error?.reason == "nested more than 16 deep")
        #expect(throws: JSONError.self) { try Self.read(Array(repeating: UInt8(ascii: "["), count: 1 << 20)) }
    }

    @Test("a document of the limit is read, one byte more is not")
    func size() throws {
        #expect(try Self.read(Array("[1]".utf8), maximumSize: 3) == .array([.number(1)]))
        let error = #expect(throws: JSONError.self) { try Self.read(Array("[1] ".utf8), maximumSize: 3) }
        #expect(error?.description == "document is larger than 3 bytes at byte 3")
    }

    @Test("a number of many digits is read at no more than the cost of its length")
    func longNumber() throws {
        let digits = [UInt8](repeating: UInt8(ascii: "3"), count: 100_000)
        #expect(try Self.read(Array("0.".utf8) + digits) == .number(1.0 / 3))
    }

    @Test("random bytes never trap", arguments: [1, 2, 3, 4] as [UInt64])
    func randomBytes(seed: UInt64) {
        var random = Generator(state: seed)
        for _ in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            _ = try? Self.read(bytes)
        }
    }

    @Test("random documents made of pieces of JSON never trap, and some are read", arguments: [1, 2, 3, 4] as [UInt64])
    func randomPieces(seed: UInt64) {
        let pieces: [StaticString] = [
            "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\\u", "\\ud83d", "\\n", "0", "1", "-", ".", "e", "+", "true",
            "null", " ", "\u{e9}", "\\", "d800",
        ]
        var random = Generator(state: seed)
        var accepted = 0
        for _ in 0..<10_000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...10, using: &random) {
                bytes += Array("\(pieces.randomElement(using: &random)!)".utf8)
            }
            if (try? Self.read(bytes)) != nil {
                accepted += 1
            }
        }
        #expect(accepted > 50, "seed \(seed)")
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
