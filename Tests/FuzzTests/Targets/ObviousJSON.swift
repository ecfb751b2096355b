//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// JSON read by the grammar of RFC 8259, a character at a time.
struct ObviousJSON {
    private var rest: [Unicode.Scalar]

    /// The value, or nil for what is not one document of at most 16 levels.
    static func read(_ bytes: [UInt8]) -> JSONValue? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        // What comes next is at the end, where it is cheap to take away.
        var reader = ObviousJSON(rest: text.unicodeScalars.reversed())
        guard let value = reader.value(level: 1), reader.rest.isEmpty else { return nil }
        return value
    }

    private mutating func take(_ scalars: String) -> Bool {
        guard self.rest.suffix(scalars.unicodeScalars.count).reversed().elementsEqual(scalars.unicodeScalars) else {
            return false
        }
        self.rest.removeLast(scalars.unicodeScalars.count)
        return true
    }

    private mutating func space() {
        while self.take(" ") || self.take("\t") || self.take("\n") || self.take("\r") {}
    }

    private mutating func value(level: Int) -> JSONValue? {
        self.space()
        defer { self.space() }
        if self.take("null") { return .null }
        if self.take("true") { return .boolean(true) }
        if self.take("false") { return .boolean(false) }
        if self.take("\"") { return self.string().map { .string($0) } }
        if self.take("[") { return level > 16 ? nil : self.array(level: level) }
        if self.take("{") { return level > 16 ? nil : self.object(level: level) }
        return self.number()
    }

    private mutating func array(level: Int) -> JSONValue? {
        var values: [JSONValue] = []
        self.space()
        if self.take("]") { return .array([]) }
        while true {
            guard let value = self.value(level: level + 1) else { return nil }
            values.append(value)
            if self.take("]") { return .array(values) }
            guard self.take(",") else { return nil }
        }
    }

    private mutating func object(level: Int) -> JSONValue? {
        var members: [String: JSONValue] = [:]
        self.space()
        if self.take("}") { return .object([:]) }
        while true {
            self.space()
            guard self.take("\""), let name = self.string() else { return nil }
            self.space()
            guard self.take(":"), let value = self.value(level: level + 1) else { return nil }
            members[name] = value
            if self.take("}") { return .object(members) }
            guard self.take(",") else { return nil }
        }
    }

    private mutating func string() -> String? {
        var units: [UInt16] = []
        while let scalar = self.rest.popLast() {
            if scalar == "\"" { return String(validating: units, as: UTF16.self) }
            if scalar.value < 0x20 { return nil }
            guard scalar == "\\" else {
                units += Array(String(scalar).utf16)
                continue
            }
            guard let escaped = self.rest.popLast() else { return nil }
            switch escaped {
            case "\"", "\\", "/": units.append(UInt16(escaped.value))
            case "b": units.append(8)
            case "t": units.append(9)
            case "n": units.append(10)
            case "f": units.append(12)
            case "r": units.append(13)
            case "u":
                let digits = self.rest.suffix(4).reversed().map { Character($0) }
                guard digits.count == 4, digits.allSatisfy({ "0123456789abcdefABCDEF".contains($0) }),
                    let unit = UInt16(String(digits), radix: 16)
                else { return nil }
                self.rest.removeLast(4)
                units.append(unit)
            default: return nil
            }
        }
        return nil
    }

    private mutating func number() -> JSONValue? {
        var text = ""
        func isDigit(_ scalar: Unicode.Scalar?) -> Bool { scalar.map { "0"..."9" ~= $0 } ?? false }
        if self.take("-") { text = "-" }
        if self.take("0") {
            text += "0"
        } else {
            guard isDigit(self.rest.last) else { return nil }
            while isDigit(self.rest.last) { text.unicodeScalars.append(self.rest.removeLast()) }
        }
        if self.take(".") {
            text += "."
            guard isDigit(self.rest.last) else { return nil }
            while isDigit(self.rest.last) { text.unicodeScalars.append(self.rest.removeLast()) }
        }
        if self.take("e") || self.take("E") {
            text += "e"
            if self.take("-") { text += "-" } else { _ = self.take("+") }
            guard isDigit(self.rest.last) else { return nil }
            while isDigit(self.rest.last) { text.unicodeScalars.append(self.rest.removeLast()) }
        }
        guard let number = Double(text), number.isFinite else { return nil }
        return .number(number)
    }
}

extension JSONValue {
    /// Whether both are the same to the byte: `==` takes different spellings of one character for equal.
    func isIdentical(to other: JSONValue) -> Bool {
        switch (self, other) {
        case (.string(let one), .string(let two)):
            return one.utf8.elementsEqual(two.utf8)
        case (.array(let one), .array(let two)):
            return one.count == two.count && zip(one, two).allSatisfy { $0.isIdentical(to: $1) }
        case (.object(let one), .object(let two)):
            return one.count == two.count
                && one.allSatisfy { name, value in two[name].map { value.isIdentical(to: $0) } ?? false }
        default:
            return self == other
        }
    }
}
