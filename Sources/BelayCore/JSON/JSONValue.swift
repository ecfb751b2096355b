//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// A JSON value (RFC 8259 section 3), as ``JSONReader`` reads it.
public enum JSONValue: Equatable, Sendable {
    /// The literal `null`.
    case null
    /// The literal `true` or `false`.
    case boolean(Bool)
    /// A number. Integers are exact up to 2^53 (RFC 7493 section 2.2); larger ones are the nearest double.
    case number(Double)
    /// A string with its escapes resolved. It may contain any character, also U+0000.
    case string(String)
    /// The elements of an array in order.
    case array([JSONValue])
    /// The members of an object. Where a name occurs more than once, the last one wins.
    case object([String: JSONValue])
}
