//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Counts the connections of each peer: the epoch grows by one with each, so that a late death never harms a new life.
///
/// Bounded: when it is full, one peer is forgotten, and peers
/// that are new from then on start above the highest forgotten epoch. The epoch of a peer therefore never goes back.
public struct EpochRegistry: Sendable {
    private let limit: Int
    private var epochs: [String: UInt64] = [:]
    private var floor: UInt64 = 0
    /// How many peers were forgotten.
    public private(set) var forgotten: UInt64 = 0

    /// An empty registry.
    ///
    /// - Parameter limit: how many peers are remembered, at least 1.
    public init(limit: Int = 1_000_000) {
        self.limit = max(1, limit)
    }

    /// The epoch of a peer's new connection, from 1.
    public mutating func next(for identity: String) -> UInt64 {
        if let last = self.epochs[identity] {
            self.epochs[identity] = last + 1
            return last + 1
        }
        if self.epochs.count >= self.limit, let victim = self.epochs.first {
            self.floor = max(self.floor, victim.value)
            self.epochs[victim.key] = nil
            self.forgotten += 1
        }
        self.epochs[identity] = self.floor + 1
        return self.floor + 1
    }
}
