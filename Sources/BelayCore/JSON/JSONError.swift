//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Why bytes are not the JSON document that was asked for, and where.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong, in a few words on one line that quote nothing of the document.
    public let reason: String

    /// How many bytes precede the place where it was noticed.
    public let offset: Int

    /// The reason and the place: `expected a value at byte 12`.
    public var description: String { "\(reason) at byte \(offset)" }

    init(_ reason: String, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }
}
