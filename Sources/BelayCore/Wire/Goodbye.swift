//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The last thing a peer says before it closes.
public struct Goodbye: Equatable, Sendable {
    /// Why, as a stable code such as `local.shutdown`; ``isCode(_:)`` holds.
    public let code: String?

    /// How long the other side should wait before it connects again, 0 to 1,000,000 h; on `frames` only.
    public let retryAfter: Duration?

    /// A goodbye of these parts.
    ///
    /// Values outside of the ranges above cannot be written and are a programmer error.
    public init(code: String? = nil, retryAfter: Duration? = nil) {
        precondition(code.map(Self.isCode) ?? true, "a code is 1 to 64 bytes of a-z, 0-9, dot and hyphen")
        precondition(retryAfter.map(\.hasText) ?? true, "the time must be 0 to 1,000,000 h")
        self.code = code
        self.retryAfter = retryAfter
    }

    /// Whether `text` can be a code: 1 to 64 bytes of `a`-`z`, `0`-`9`, `.` and `-`.
    public static func isCode(_ text: some StringProtocol) -> Bool {
        1...64 ~= text.utf8.count && text.utf8.allSatisfy(isCodeByte)
    }

    private static func isCodeByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
            UInt8(ascii: "-"):
            true
        default:
            false
        }
    }
}
