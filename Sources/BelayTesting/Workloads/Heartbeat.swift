//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// A heartbeat of a workload: when it was sent, and when it arrived.
///
/// A workload is any sequence of these, one every interval in the order in which they were sent. They may overtake each
/// other. ``DetectorTrial`` tells how a detector does on one.
public struct Heartbeat: Hashable, Sendable {
    /// Its place in the workload, from 0.
    public var number: Int
    /// When it was sent.
    public var sentAt: Instant
    /// When it arrived, not before it was sent; nil when it was lost.
    public var arrivedAt: Instant?

    /// A heartbeat that arrived, or was lost.
    ///
    /// - Parameters:
    ///   - number: its place in the workload.
    ///   - sentAt: when it was sent.
    ///   - arrivedAt: when it arrived; nil when it was lost.
    public init(number: Int, sentAt: Instant, arrivedAt: Instant?) {
        self.number = number
        self.sentAt = sentAt
        self.arrivedAt = arrivedAt
    }
}
