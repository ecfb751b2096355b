//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// One end of a simulated connection.
public enum LinkEnd: String, CaseIterable, Hashable, Sendable {
    /// The end that accepted the connection.
    case server
    /// The end that opened the connection.
    case client

    /// The end at the other side.
    public var other: LinkEnd { self == .server ? .client : .server }

    var index: Int { self == .server ? 0 : 1 }
}

/// How the time that is added to a latency is distributed, from none to the longest.
public enum JitterShape: String, CaseIterable, Hashable, Sendable {
    /// Every time is as likely.
    case even
    /// Mostly short, with a long tail: the cube of an even distribution.
    case skewed
    /// None for 19 of 20 items, all of it for the others: a link that sleeps, or a route that flaps.
    case spikes
}

/// What one direction of a simulated path is like.
///
/// Losses are shown as TCP shows them: no item is missing or out of order, but a lost one delays itself and everything
/// behind it until it is sent again.
public struct LinkConditions: Hashable, Sendable {
    /// The shortest time from one end to the other, at least zero.
    ///
    /// Default: 10 ms.
    public var latency: Duration = .milliseconds(10)

    /// The longest time that is added to the latency of an item.
    ///
    /// Default: none.
    public var jitter: Duration = .zero

    /// How that time is distributed from zero to ``jitter``.
    ///
    /// Default: evenly.
    public var jitterShape = JitterShape.even

    /// The probability that a transmission is lost, 0 ..< 1; each is drawn for itself.
    ///
    /// Default: 0.
    public var loss = 0.0

    /// The bandwidth.
    ///
    /// Default: nil, without a limit. At least 1.
    public var bytesPerSecond: Int?

    /// Bytes that the sender's kernel takes while they are not acknowledged.
    ///
    /// Default: 64 KiB. At least 1.
    public var sendBufferBytes = 65_536

    /// Bytes that the receiver's kernel holds while its program does not read: the window.
    ///
    /// Default: 64 KiB. At least 1.
    public var receiveBufferBytes = 65_536

    /// Bytes that may wait in the sending program; items beyond that are refused.
    ///
    /// Default: 64 MiB.
    public var queueLimitBytes = 64 << 20

    /// How much longer than a round trip the first retransmission waits, at least 1 ms.
    ///
    /// Default: 200 ms, as Linux.
    public var retransmitAfter: Duration = .milliseconds(200)

    /// The longest time between two retransmissions.
    ///
    /// Default: 120 s, as Linux; TCP_RTO_MAX_MS makes it shorter.
    public var longestRetransmission: Duration = .seconds(120)

    /// A lossless path of 10 ms.
    public init() {}

    /// A path with this latency and jitter, and this probability of loss.
    public init(latency: Duration, jitter: Duration = .zero, loss: Double = 0) {
        self.latency = latency
        self.jitter = jitter
        self.loss = loss
    }
}

/// What has happened in one direction of a simulated link.
public struct LinkCounters: Hashable, Sendable {
    /// Items that the sender gave.
    public internal(set) var sent = 0
    /// Items that reached the receiver's kernel.
    public internal(set) var delivered = 0
    /// Transmissions of items, first ones and repeated ones.
    public internal(set) var transmissions = 0
    /// Transmissions that were lost, by chance or in an outage.
    public internal(set) var lost = 0
    /// Items that were refused because the queue was at its limit.
    public internal(set) var refused = 0
    /// Items that were thrown away: the receiver was gone, or one of the ends reset the connection.
    public internal(set) var discarded = 0
    /// The most bytes that waited in the sending program.
    public internal(set) var largestQueueBytes = 0
}
