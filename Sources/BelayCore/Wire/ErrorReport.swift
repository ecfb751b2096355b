//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What one side tells the other about an error before it closes; `frames` only.
public struct ErrorReport: Equatable, Sendable {
    /// What went wrong as a stable code, such as `policy.protocol-violation`; ``Goodbye/isCode(_:)`` holds.
    public let code: String

    /// What went wrong for people: at most 256 characters, none of them invisible, so that it fits into a log line.
    public let message: String

    /// A report of `code`, whose form is the caller's to keep, and `message`, which is cut and cleaned to fit.
    public init(code: String, message: String) {
        precondition(Goodbye.isCode(code), "a code is 1 to 64 bytes of a-z, 0-9, dot and hyphen")
        self.code = code
        self.message = message.visible(atMost: 256)
    }
}
