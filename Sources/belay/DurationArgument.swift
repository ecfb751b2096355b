//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore

extension Duration {
    /// Reads the value of a flag.
    ///
    /// - Throws: `ValidationError`, one line that says what a duration looks like.
    static func flag(_ text: String) throws -> Duration {
        guard let duration = Duration(text: text) else {
            throw ValidationError("write a duration such as 500ms, 15s, 2m or 1h30m")
        }
        return duration
    }
}

extension ConfigurationError {
    /// All problems in one line, with the names of flags in place of those of properties.
    var forFlags: String {
        self.problems.map { problem in
            "\(Self.flag(of: problem.key)) \(problem.message)".replacing(/detectWithin|replyWithin|peerBounds/) {
                Self.flag(of: String($0.output))
            }
        }.joined(separator: "; ")
    }

    private static func flag(of key: String) -> String {
        switch key {
        case "connections": "--max-connections"
        case "connectionsPerAddress": "--max-connections-per-address"
        case "messageBytes": "--max-message-size"
        case "outboundBytes": "--max-outbound"
        case "listeners": "--listen"
        case "identity": "--id"
        case "deviation": "--jitter"
        case "minimumHeartbeats": "--min-heartbeats"
        case "minimumInterval": "--min-interval"
        case "maximumBytesPerSecond": "--max-bytes-per-second"
        case "endpoint": "URL"
        case "interval + replyWithin": "--interval + --reply-within"
        default:
            "--"
                + key.map { $0.isUppercase ? "-\($0.lowercased())" : String($0) }.joined()
        }
    }
}
