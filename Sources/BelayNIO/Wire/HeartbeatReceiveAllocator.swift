//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import NIOCore

/// Sizes of receive buffers for connections that mostly carry heartbeats and sometimes bulk.
///
/// A small buffer belongs to the connection and is used again and again, so that a heartbeat allocates nothing and an
/// idle connection holds 64 bytes. When a read fills it, the next buffers are large, up to 64 KiB, and belong to
/// nobody: they go when their bytes have been handled. NIO's adaptive allocator keeps its largest buffer instead, 2 KiB
/// or more for each connection.
struct HeartbeatReceiveAllocator: RecvByteBufferAllocator {
    private static let smallest = 64
    private static let largest = 65_536

    private var size = Self.smallest

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        allocator.buffer(capacity: self.size)
    }

    /// Only the small size may come from the channel's pool.
    func nextBufferSize() -> Int? {
        self.size == Self.smallest ? Self.smallest : nil
    }

    mutating func record(actualReadBytes: Int) -> Bool {
        if actualReadBytes >= self.size {
            self.size = min(self.size * 8, Self.largest)
        } else if actualReadBytes <= Self.smallest {
            self.size = Self.smallest
        }
        // "May grow" makes NIO allocate instead of using its stored buffer, which is the small one.
        return self.size != Self.smallest
    }
}
