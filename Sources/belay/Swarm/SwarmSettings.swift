//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket

/// What one process of a swarm is to do.
struct SwarmSettings {
    var format: WireFormat
    var server: TransportAddress
    /// Which of all connections are this process's.
    var numbers: Range<Int>
    /// For all connections of the swarm.
    var plan: SwarmPlan
    /// How many connections this process makes in a second, above 0.
    var connectionsPerSecond: Double
    /// How long to stay once all are made.
    var stay: Duration
    /// How often each connection pings; nil for never.
    var pingInterval: Duration?
    /// How many messages each connection sends in a second; 0 for none.
    var messagesPerSecond: Double
    var messageBytes: Int
    /// What identities begin with; nil for no hello.
    var identityPrefix: String?
    var seed: UInt64
    /// How many of our addresses other processes use.
    var skippedSources: Int

    /// The bytes of a message, which no format takes for anything else.
    var message: [UInt8] {
        var bytes: [UInt8] = []
        let text = [UInt8](repeating: UInt8(ascii: "x"), count: self.messageBytes)
        // The size is held against the limits of the formats before.
        try? self.format.writeMessage(text.span.bytes, into: &bytes)
        return bytes
    }
}
