//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// A place to which bytes are written one behind the other, such as `[UInt8]` or a network buffer.
public protocol ByteSink {
    /// Adds one byte at the end.
    mutating func append(_ byte: UInt8)

    /// Adds `bytes` at the end; they are copied.
    mutating func append(_ bytes: RawSpan)
}

extension [UInt8]: ByteSink {
    /// Adds `bytes` at the end; they are copied.
    @inlinable
    public mutating func append(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { append(contentsOf: $0) }
    }
}

extension ByteSink {
    /// Adds the UTF-8 of `text`.
    @inlinable
    mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { append(RawSpan(_unsafeElements: $0)) }
    }

    /// Adds `number` in decimal digits, at least `width` of them (20 at most), with leading zeros where it has fewer.
    @inlinable
    mutating func append(decimal number: UInt64, width: Int = 1) {
        // UInt64.max has 20 digits; they are found from the last to the first.
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var first = 20
        var rest = number
        repeat {
            first -= 1
            digits[first] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0 || first > 20 - width
        append(digits.span.bytes.extracting(first..<20))
    }

    /// Adds `number` in network byte order.
    @inlinable
    mutating func append(bigEndian number: some FixedWidthInteger & BitwiseCopyable) {
        withUnsafeBytes(of: number.bigEndian) { append(RawSpan(_unsafeBytes: $0)) }
    }
}
