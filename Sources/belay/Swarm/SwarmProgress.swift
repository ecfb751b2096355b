//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// How far a swarm is.
struct SwarmProgress: Codable, Sendable {
    /// What it is doing.
    enum Phase: String, Codable, Sendable, Comparable {
        case connecting, staying, closing

        static func < (lhs: Self, rhs: Self) -> Bool { lhs.order < rhs.order }

        private var order: Int {
            switch self {
            case .connecting: 0
            case .staying: 1
            case .closing: 2
            }
        }
    }

    var phase: Phase
    var planned: Int
    var open: Int
    var failed: Int
    var dropped: Int
    var pongsSent: Int
    var milliseconds: Int64

    /// The progress of several processes together: that of the slowest.
    static func + (lhs: Self, rhs: Self) -> Self {
        SwarmProgress(
            phase: min(lhs.phase, rhs.phase),
            planned: lhs.planned + rhs.planned,
            open: lhs.open + rhs.open,
            failed: lhs.failed + rhs.failed,
            dropped: lhs.dropped + rhs.dropped,
            pongsSent: lhs.pongsSent + rhs.pongsSent,
            milliseconds: max(lhs.milliseconds, rhs.milliseconds)
        )
    }

    /// One line for people.
    var text: String {
        let elapsed = Duration.seconds(self.milliseconds / 1_000).text
        var line = "\(self.phase.rawValue): \(self.open) of \(self.planned) connections open after \(elapsed)"
        line += ", \(self.pongsSent) pings answered"
        if self.failed > 0 { line += ", \(self.failed) failed" }
        if self.dropped > 0 { line += ", \(self.dropped) ended by the server" }
        return line
    }
}
