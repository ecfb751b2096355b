//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import NIOCore

/// Sizes of receive buffers for connections that mostly carry heartbeats and sometimes bulk.
///
/// All connections of a loop receive heartbeats into one small buffer: it is in the cache of the processor, where one that
/// belongs to a connection never is among thousands. It allocates nothing. When a read fills it, the next buffers are
/// large, up to 64 KiB, and belong to nobody: they go when their bytes have been handled. NIO's adaptive allocator keeps
/// its largest buffer instead, 2 KiB or more for each connection.
struct HeartbeatReceiveAllocator: RecvByteBufferAllocator {
    private static let largest = 65_536

    private let shared: SharedReceiveBuffer
    private var isFirst = true
    private var size = SharedReceiveBuffer.capacity

    // NIO keeps the first buffer that a channel gets for as long as the channel lives, and never uses it again: as small as
    // an allocation is. What does not fit is read by the next call.
    private static let firstCapacity = 16

    init(_ shared: SharedReceiveBuffer) {
        self.shared = shared
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        if self.isFirst { return allocator.buffer(capacity: Self.firstCapacity) }
        guard self.size == SharedReceiveBuffer.capacity, let buffer = self.shared.take() else {
            return allocator.buffer(capacity: self.size)
        }
        return buffer
    }

    /// Nothing may come from the channel's pool.
    func nextBufferSize() -> Int? { nil }

    mutating func record(actualReadBytes: Int) -> Bool {
        guard !self.isFirst else {
            self.isFirst = false
            return true
        }
        if actualReadBytes >= self.size {
            self.size = min(self.size * 8, Self.largest)
        } else if actualReadBytes <= SharedReceiveBuffer.capacity {
            self.size = SharedReceiveBuffer.capacity
        }
        // "May grow" makes NIO ask for a buffer in place of using the stored one.
        return true
    }
}

/// The small buffer into which the connections of one event loop receive in turn.
///
/// Whoever has read from it gives it back while the read is still under way; who keeps some of its bytes makes the next
/// read copy it, as with every `ByteBuffer`. Bound to its loop.
final class SharedReceiveBuffer: @unchecked Sendable {
    // SAFETY: channels read, and handlers handle, on the loop; the reference is only carried there.

    /// Room for a heartbeat of any protocol.
    static let capacity = 64

    private var buffer: ByteBuffer?

    /// The buffer, empty; nil while another read uses it.
    func take() -> ByteBuffer? {
        guard var taken = self.buffer else { return nil }
        self.buffer = nil
        taken.clear()
        return taken
    }

    /// The bytes in a buffer have been handled.
    func giveBack(_ used: ByteBuffer) {
        if self.buffer == nil, used.storageCapacity == Self.capacity { self.buffer = used }
    }
}
