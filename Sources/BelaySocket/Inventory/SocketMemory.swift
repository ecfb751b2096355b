//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The memory that the kernel holds for a socket, in bytes of memory, not of payload.
///
/// Source: INET_DIAG_SKMEMINFO (`sk_get_meminfo` in `net/core/sock.c`). It counts the kernel's own bookkeeping too, so
/// that one byte which waits takes several hundred.
public struct SocketMemory: Hashable, Sendable {
    /// What received data takes.
    public var receiveAllocated: UInt32
    /// What received data may take (SO_RCVBUF as the kernel has it, twice what was asked for).
    public var receiveBuffer: UInt32
    /// What data takes that was handed to the network and is not released by it.
    public var sendAllocated: UInt32
    /// What data to be sent may take (SO_SNDBUF as the kernel has it, twice what was asked for).
    public var sendBuffer: UInt32
    /// What was reserved ahead of need.
    public var forwardAllocated: UInt32
    /// What data takes that is sent and not acknowledged, or not sent yet.
    public var sendQueued: UInt32
    /// What the socket's options take.
    public var options: UInt32
    /// What received data takes that waits while the program is inside a call (since Linux 3.8).
    public var backlog: UInt32?
    /// How many segments were thrown away, a number and not bytes (since Linux 4.7).
    public var dropped: UInt32?
}
