//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What is held of a peer.
public enum Verdict: String, CaseIterable, Hashable, Comparable, Sendable {
    /// Nothing speaks against it.
    case alive
    /// Something does, and not enough.
    case suspect
    /// Enough does.
    case dead

    /// The worse is the greater.
    public static func < (lhs: Verdict, rhs: Verdict) -> Bool { lhs.rank < rhs.rank }

    private var rank: Int {
        switch self {
        case .alive: 0
        case .suspect: 1
        case .dead: 2
        }
    }
}
