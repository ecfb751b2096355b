//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The answer to a connection or a hello: by which interval and bound it is watched, so that both sides use the same.
public struct Welcome: Equatable, Sendable {
    /// The id of the connection; ``Hello/isIdentity(_:)`` holds.
    public let connection: String

    /// The number of this connection among those of its peer.
    ///
    /// On `frames` at most 2^53 - 1, up to which JSON numbers are exact (RFC 7493 section 2.2); a reader refuses more.
    public let epoch: UInt64

    /// The ping interval in force, 0 to 1,000,000 h.
    public let every: Duration

    /// The bound in force, 0 to 1,000,000 h.
    public let within: Duration

    /// A welcome of these parts.
    ///
    /// Values outside of the ranges above cannot be written and are a programmer error.
    public init(connection: String, epoch: UInt64, every: Duration, within: Duration) {
        precondition(Hello.isIdentity(connection), "an id is 1 to 128 bytes of visible characters without spaces")
        precondition(every.hasText, "the interval must be 0 to 1,000,000 h")
        precondition(within.hasText, "the bound must be 0 to 1,000,000 h")
        self.connection = connection
        self.epoch = epoch
        self.every = every
        self.within = within
    }
}
