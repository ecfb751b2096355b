//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Why bytes break the protocol, or why a message cannot be written in it.
public enum WireError: Error, Equatable, Sendable {
    /// The bytes break a rule of the format; the text is one short line that names what is wrong.
    ///
    /// It holds no credential and no message. Values that it quotes are cut to 32 characters, without invisible ones.
    case violation(String)

    /// A message has more bytes than `limit`: exactly `size`, or at least that where the format does not announce it.
    case messageTooLarge(size: UInt64, limit: Int)
}

extension WireError {
    /// A control message whose `key` has a value that does not have the form `expected`.
    static func badValue(of key: StaticString, _ value: some StringProtocol, in kind: StaticString, expected: String)
        -> Self
    {
        .violation("\(kind): \(key)=\(value.visible(atMost: 32)) is not \(expected)")
    }

    /// What a duration must look like, for ``badValue(of:_:in:expected:)``.
    static let durationForm = "a duration such as 15s or 1h30m"
}
