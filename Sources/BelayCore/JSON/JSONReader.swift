//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Reads one JSON document (RFC 8259) from bytes, within limits.
///
/// Written by hand because `BelayCore` must not import Foundation, which has the only other reader at hand: every
/// decision stays free of IO and platform. It is made for the small objects of control frames, and is strict: it
/// accepts exactly the grammar of RFC 8259, no byte order mark, no comments, no trailing commas, no lone surrogates, no
/// invalid UTF-8 and nothing but white space after the value. A number that no double can hold is refused too.
public struct JSONReader: Sendable {
    /// How many arrays and objects may lie in each other: 16.
    public static let maximumDepth = 16

    /// How many bytes a document may have.
    public let maximumSize: Int

    /// A reader of documents of at most `maximumSize` bytes.
    public init(maximumSize: Int) {
        self.maximumSize = maximumSize
    }

    /// The value that `bytes` hold, all of them.
    ///
    /// - Parameter bytes: The whole document in UTF-8.
    /// - Returns: The value, of any kind: that it is an object is the caller's to ask.
    /// - Throws: ``JSONError`` with the first thing that is wrong.
    public func read(_ bytes: RawSpan) throws(JSONError) -> JSONValue {
        guard bytes.byteCount <= maximumSize else {
            throw JSONError("document is larger than \(maximumSize) bytes", at: maximumSize)
        }
        if let offset = bytes.firstInvalidUTF8 {
            throw JSONError("invalid UTF-8", at: offset)
        }
        var cursor = JSONCursor()
        cursor.skipSpace(in: bytes)
        let value = try cursor.value(in: bytes, depth: 0)
        cursor.skipSpace(in: bytes)
        guard cursor.offset == bytes.byteCount else {
            throw JSONError("unexpected bytes after the value", at: cursor.offset)
        }
        return value
    }
}

/// A place in a document of valid UTF-8, moved along by reading.
private struct JSONCursor {
    var offset = 0

    mutating func value(in bytes: RawSpan, depth: Int) throws(JSONError) -> JSONValue {
        guard let byte = peek(in: bytes) else { throw JSONError("expected a value", at: offset) }
        switch byte {
        case UInt8(ascii: "{"):
            return .object(try object(in: bytes, depth: depth))
        case UInt8(ascii: "["):
            return .array(try array(in: bytes, depth: depth))
        case UInt8(ascii: "\""):
            return .string(try string(in: bytes))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return .number(try number(in: bytes))
        case UInt8(ascii: "t"):
            try literal("true", in: bytes)
            return .boolean(true)
        case UInt8(ascii: "f"):
            try literal("false", in: bytes)
            return .boolean(false)
        case UInt8(ascii: "n"):
            try literal("null", in: bytes)
            return .null
        default:
            throw JSONError("expected a value", at: offset)
        }
    }

    mutating func skipSpace(in bytes: RawSpan) {
        while let byte = peek(in: bytes), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            offset += 1
        }
    }

    private func peek(in bytes: RawSpan) -> UInt8? {
        offset < bytes.byteCount ? bytes.byte(at: offset) : nil
    }

    /// Moves past `byte` and the space around it, if it is there.
    private mutating func skip(_ byte: UInt8, in bytes: RawSpan) -> Bool {
        skipSpace(in: bytes)
        guard peek(in: bytes) == byte else { return false }
        offset += 1
        skipSpace(in: bytes)
        return true
    }

    private mutating func object(in bytes: RawSpan, depth: Int) throws(JSONError) -> [String: JSONValue] {
        try open(depth: depth, in: bytes)
        var members: [String: JSONValue] = [:]
        guard !skip(UInt8(ascii: "}"), in: bytes) else { return members }
        repeat {
            guard peek(in: bytes) == UInt8(ascii: "\"") else { throw JSONError("expected a name", at: offset) }
            let name = try string(in: bytes)
            guard skip(UInt8(ascii: ":"), in: bytes) else { throw JSONError("expected a colon", at: offset) }
            members[name] = try value(in: bytes, depth: depth + 1)
        } while skip(UInt8(ascii: ","), in: bytes)
        guard skip(UInt8(ascii: "}"), in: bytes) else { throw JSONError("expected , or }", at: offset) }
        return members
    }

    private mutating func array(in bytes: RawSpan, depth: Int) throws(JSONError) -> [JSONValue] {
        try open(depth: depth, in: bytes)
        var elements: [JSONValue] = []
        guard !skip(UInt8(ascii: "]"), in: bytes) else { return elements }
        repeat {
            elements.append(try value(in: bytes, depth: depth + 1))
        } while skip(UInt8(ascii: ","), in: bytes)
        guard skip(UInt8(ascii: "]"), in: bytes) else { throw JSONError("expected , or ]", at: offset) }
        return elements
    }

    /// Moves past the bracket that opens an array or object with `depth` others around it.
    private mutating func open(depth: Int, in bytes: RawSpan) throws(JSONError) {
        guard depth < JSONReader.maximumDepth else {
            throw JSONError("nested more than \(JSONReader.maximumDepth) deep", at: offset)
        }
        offset += 1
        skipSpace(in: bytes)
    }

    private mutating func literal(_ text: StaticString, in bytes: RawSpan) throws(JSONError) {
        guard bytes.hasBytes(text, at: offset) else { throw JSONError("expected a value", at: offset) }
        offset += text.utf8CodeUnitCount
    }

    // MARK: Numbers (RFC 8259 section 6)

    private mutating func number(in bytes: RawSpan) throws(JSONError) -> Double {
        let start = offset
        if peek(in: bytes) == UInt8(ascii: "-") {
            offset += 1
        }
        if peek(in: bytes) == UInt8(ascii: "0") {
            offset += 1
        } else {
            try digits(in: bytes)
        }
        if peek(in: bytes) == UInt8(ascii: ".") {
            offset += 1
            try digits(in: bytes)
        }
        if let byte = peek(in: bytes), byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            offset += 1
            if let sign = peek(in: bytes), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                offset += 1
            }
            try digits(in: bytes)
        }
        // The grammar above is a part of what Double reads, so the only failure left is the range.
        guard let number = Double(bytes.text(start..<offset)), number.isFinite else {
            throw JSONError("number out of range", at: start)
        }
        return number
    }

    private mutating func digits(in bytes: RawSpan) throws(JSONError) {
        let start = offset
        while let byte = peek(in: bytes), UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
            offset += 1
        }
        guard offset > start else { throw JSONError("expected a digit", at: offset) }
    }

    // MARK: Strings (RFC 8259 section 7)

    private mutating func string(in bytes: RawSpan) throws(JSONError) -> String {
        offset += 1
        var text = ""
        var start = offset
        while let byte = peek(in: bytes) {
            switch byte {
            case UInt8(ascii: "\""):
                text += bytes.text(start..<offset)
                offset += 1
                return text
            case UInt8(ascii: "\\"):
                text += bytes.text(start..<offset)
                text.unicodeScalars.append(try escape(in: bytes))
                start = offset
            case 0..<0x20:
                throw JSONError("control character in a string", at: offset)
            default:
                offset += 1
            }
        }
        throw JSONError("unfinished string", at: offset)
    }

    private mutating func escape(in bytes: RawSpan) throws(JSONError) -> Unicode.Scalar {
        offset += 1
        guard let byte = peek(in: bytes) else { throw JSONError("unfinished string", at: offset) }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            return Unicode.Scalar(byte)
        case UInt8(ascii: "b"):
            return "\u{8}"
        case UInt8(ascii: "f"):
            return "\u{C}"
        case UInt8(ascii: "n"):
            return "\n"
        case UInt8(ascii: "r"):
            return "\r"
        case UInt8(ascii: "t"):
            return "\t"
        case UInt8(ascii: "u"):
            return try escapedScalar(in: bytes)
        default:
            throw JSONError("unknown escape", at: offset - 1)
        }
    }

    /// The scalar of `\u` and four digits, or of two of these that are a surrogate pair; the first `\u` is behind us.
    private mutating func escapedScalar(in bytes: RawSpan) throws(JSONError) -> Unicode.Scalar {
        let start = offset - 2
        let first = try fourHexadecimalDigits(in: bytes)
        if let scalar = Unicode.Scalar(first) {
            return scalar
        }
        guard first < 0xDC00, bytes.hasBytes("\\u", at: offset) else { throw JSONError("lone surrogate", at: start) }
        offset += 2
        let second = try fourHexadecimalDigits(in: bytes)
        guard
            0xDC00...0xDFFF ~= second,
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw JSONError("lone surrogate", at: start) }
        return scalar
    }

    private mutating func fourHexadecimalDigits(in bytes: RawSpan) throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek(in: bytes), let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw JSONError("expected four hexadecimal digits", at: offset)
            }
            value = value << 4 | UInt32(digit)
            offset += 1
        }
        return value
    }
}
