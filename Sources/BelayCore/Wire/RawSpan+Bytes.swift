//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

// SAFETY: every load below is bounds-checked by RawSpan; "unsafe" in its names is about the type that is loaded, and
// all bit patterns of integers are valid.
extension RawSpan {
    /// The byte at `offset`.
    @inlinable
    func byte(at offset: Int) -> UInt8 {
        unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The big-endian integer that begins at `offset`.
    @inlinable
    func bigEndian<Integer: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: Integer.Type) -> Integer {
        Integer(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    /// Whether the bytes from `offset` on begin with those of `text`.
    func hasBytes(_ text: StaticString, at offset: Int) -> Bool {
        let count = text.utf8CodeUnitCount
        guard byteCount - offset >= count else { return false }
        return text.withUTF8Buffer { expected in
            for index in 0..<count where byte(at: offset + index) != expected[index] {
                return false
            }
            return true
        }
    }

    /// Where the first byte lies that cannot be UTF-8; `nil` when all is valid.
    var firstInvalidUTF8: Int? {
        do {
            _ = try UTF8Span(validating: Span<UInt8>(_bytes: self))
            return nil
        } catch {
            return error.byteOffsets.lowerBound
        }
    }

    /// The bytes in `range` as a string; what is not UTF-8 is repaired, so validate first.
    func text(_ range: Range<Int>) -> String {
        extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}
