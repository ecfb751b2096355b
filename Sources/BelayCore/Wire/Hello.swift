//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The first thing a peer may say: who it is, what it shows for it, and how it asks to be watched.
public struct Hello: Equatable, Sendable {
    /// The name of the peer; ``isIdentity(_:)`` holds.
    public let identity: String

    /// A credential, not to be shown or logged; ``isToken(_:)`` holds.
    public let token: String?

    /// The ping interval that the peer asks for, 0 to 1,000,000 h; `nil` when it leaves that to the listener.
    public let every: Duration?

    /// The bound that the peer asks for, 0 to 1,000,000 h; `nil` when it leaves that to the listener.
    public let within: Duration?

    /// A hello of these parts.
    ///
    /// Values outside of the ranges above cannot be written and are a programmer error.
    public init(identity: String, token: String? = nil, every: Duration? = nil, within: Duration? = nil) {
        precondition(Self.isIdentity(identity), "an identity is 1 to 128 bytes of visible characters without spaces")
        precondition(token.map(Self.isToken) ?? true, "a token is visible characters without spaces")
        precondition(every.map(\.hasText) ?? true, "the interval must be 0 to 1,000,000 h")
        precondition(within.map(\.hasText) ?? true, "the bound must be 0 to 1,000,000 h")
        self.identity = identity
        self.token = token
        self.every = every
        self.within = within
    }

    /// Whether `text` can name a peer: 1 to 128 bytes of UTF-8 without spaces, control or other invisible characters.
    public static func isIdentity(_ text: some StringProtocol) -> Bool {
        text.utf8.count <= 128 && text.isVisibleWord
    }

    /// Whether `text` can be a credential: not empty, and without spaces, control or other invisible characters.
    ///
    /// It has no length of its own: the limit on messages holds for what contains it.
    public static func isToken(_ text: some StringProtocol) -> Bool {
        text.isVisibleWord
    }
}

extension Duration {
    /// Whether ``init(text:)`` reads what ``text`` writes.
    var hasText: Bool { self >= .zero && self <= .longestText }
}
