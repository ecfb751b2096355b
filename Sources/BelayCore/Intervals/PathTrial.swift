//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What one connection tells of the path that it crosses: how long that was idle before each ping, and what became of it.
///
/// It is told how many bytes have crossed the path in either direction so far. When the number has not changed since the
/// last answer, the path was idle since then.
public struct PathTrial: Hashable, Sendable {
    private var bytes: UInt64 = 0
    private var crossedAt: Instant?
    private var underTrial: Duration?

    /// Nothing is known yet.
    public init() {}

    /// Something crossed the path just now.
    public mutating func crossed(bytes: UInt64, at now: Instant) {
        self.bytes = bytes
        self.crossedAt = now
    }

    /// A ping is about to be written.
    ///
    /// While one is unanswered, another one is no trial: it is not the idleness that it would test.
    public mutating func pinging(bytes: UInt64, at now: Instant) {
        guard let crossedAt, self.bytes == bytes, self.underTrial == nil else { return }
        self.underTrial = crossedAt.duration(to: now)
    }

    /// The peer answered.
    ///
    /// - Returns: for how long the path had been idle when the ping was written; nil where other bytes crossed it, or that is
    ///   not known.
    public mutating func answered(bytes: UInt64, at now: Instant) -> Duration? {
        defer { self.underTrial = nil }
        self.crossed(bytes: bytes, at: now)
        return self.underTrial
    }

    /// The connection ended.
    ///
    /// - Returns: for how long the path had been idle when the ping was written that had no answer; nil where the end was
    ///   not for want of one.
    public func ended(_ code: DisconnectReason.Code) -> Duration? {
        switch code {
        case .peerSilent, .pathLost, .pathTimedOut, .peerReset: self.underTrial
        default: nil
        }
    }
}
