//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The second field of a frame: what its payload is.
@usableFromInline
enum FrameType: UInt8 {
    /// Any bytes.
    case message = 0
    /// Eight opaque bytes that the pong must echo.
    case ping = 1
    /// The eight bytes of the ping.
    case pong = 2
    /// A JSON object: ``Hello``.
    case hello = 3
    /// A JSON object: ``Welcome``.
    case welcome = 4
    /// A JSON object or nothing: ``Goodbye``.
    case goodbye = 5
    /// A JSON object: ``ErrorReport``.
    case error = 6

    /// How many bytes the token of a ping and a pong has.
    @inlinable
    static var tokenSize: Int { 8 }

    /// Whether its payload is JSON.
    var isJSON: Bool {
        switch self {
        case .message, .ping, .pong: false
        case .hello, .welcome, .goodbye, .error: true
        }
    }
}
