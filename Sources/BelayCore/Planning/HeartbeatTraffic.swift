//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What heartbeats of an idle connection cost on the wire.
///
/// A heartbeat of 8 bytes over Ethernet, IPv4 and TCP with timestamps: 14 + 20 + 32 + 8 bytes. Without the preamble,
/// the checksum and the gap of Ethernet (24 bytes more), and without TLS or WebSocket framing. A connection that
/// carries other traffic costs less, since any byte received replaces a ping (rule R2); intervals are drawn from 75 to
/// 100 % of the nominal one, which costs a seventh more on average.
public enum HeartbeatTraffic {
    /// One heartbeat, one way.
    public static let heartbeatBytes = 74.0
    /// One TCP acknowledgement that carries nothing.
    public static let acknowledgementBytes = 66.0
    /// A ping, the pong that acknowledges it, and the acknowledgement of the pong.
    public static let exchangeBytes = 2 * heartbeatBytes + acknowledgementBytes
}
