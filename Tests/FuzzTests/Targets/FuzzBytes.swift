//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// An input from which a target takes what it needs; where nothing is left, it takes zeros.
struct FuzzBytes {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        self.rest = bytes[...]
    }

    var isEmpty: Bool { self.rest.isEmpty }

    mutating func byte() -> UInt8 { self.rest.popFirst() ?? 0 }

    /// A number of `count` bytes, the lowest first.
    mutating func number(bytes count: Int) -> UInt64 {
        var number: UInt64 = 0
        for place in 0..<count { number |= UInt64(self.byte()) << UInt64(8 * place) }
        return number
    }

    /// A piece whose length is the next two bytes, or what is left.
    mutating func piece() -> [UInt8] {
        let count = Int(self.number(bytes: 2))
        defer { self.rest = self.rest.dropFirst(count) }
        return Array(self.rest.prefix(count))
    }

    /// A piece as text, with what is not UTF-8 replaced.
    mutating func text() -> String { String(decoding: self.piece(), as: UTF8.self) }

    /// A duration of any sign and size, from attoseconds to ages.
    mutating func duration() -> Duration {
        let magnitude = self.byte()
        let number = Int64(truncatingIfNeeded: self.number(bytes: 8))
        switch magnitude % 6 {
        case 0: return .seconds(number)
        case 1: return .milliseconds(number % 100_000_000)
        case 2: return .seconds(number % 100_000)
        case 3: return .microseconds(number % 100_000_000)
        case 4: return Duration(secondsComponent: number, attosecondsComponent: number % 1_000_000_000_000_000_000)
        default: return .nanoseconds(number)
        }
    }

    /// Any double, also those that are no number.
    mutating func double() -> Double { Double(bitPattern: self.number(bytes: 8)) }

    mutating func optional<Value>(_ value: (inout FuzzBytes) -> Value) -> Value? {
        self.byte() & 1 == 1 ? value(&self) : nil
    }
}
