//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import NIOCore
import Testing

@testable import BelayNIO

@Suite struct HeartbeatReceiveAllocatorTests {
    @Test("heartbeats of all connections are received into one small buffer, but for the first of each")
    func heartbeats() {
        let shared = SharedReceiveBuffer()
        var pools = (0..<10).map { _ in Self.pool(shared) }
        for index in pools.indices {
            let first = Self.receive(5, into: &pools[index])
            #expect(first.storageCapacity == 16)
            shared.giveBack(first)
        }
        let places = (0..<100).map { number in
            let received = Self.receive(5, into: &pools[number % 10])
            shared.giveBack(received)
            return received.place
        }
        #expect(Set(places).count == 1)
    }

    @Test("buffers grow while reads fill them, up to 64 KiB, and the small one is used again after that")
    func bulk() {
        let shared = SharedReceiveBuffer()
        var pool = Self.pool(shared)
        let small = Self.receive(5, into: &pool)
        shared.giveBack(small)
        let sizes = (0..<6).map { _ in Self.receive(.max, into: &pool).storageCapacity }
        #expect(sizes == [64, 512, 4_096, 32_768, 65_536, 65_536])
        // This read still goes into a large buffer; the next one is small again.
        #expect(Self.receive(5, into: &pool).storageCapacity == 65_536)
        #expect(Self.receive(5, into: &pool).storageCapacity == 64)
    }

    @Test("a read that is neither full nor small keeps the size")
    func middling() {
        var pool = Self.pool()
        for _ in 0..<2 { _ = Self.receive(.max, into: &pool) }
        for _ in 0..<5 { #expect(Self.receive(100, into: &pool).storageCapacity == 512) }
    }

    @Test("a message that is kept is not overwritten by the next one")
    func kept() {
        let shared = SharedReceiveBuffer()
        var pool = Self.pool(shared)
        var kept: [ByteBuffer] = []
        for number in 0..<10 {
            let (received, _) = pool.buffer(allocator: ByteBufferAllocator()) { $0.writeString("message \(number)") }
            pool.record(actualReadBytes: 9)
            kept.append(received)
            shared.giveBack(received)
        }
        #expect(kept.map { String(buffer: $0) } == (0..<10).map { "message \($0)" })
    }

    @Test("what was read while the buffer was in use, or is large, is not kept")
    func foreign() {
        let shared = SharedReceiveBuffer()
        #expect(shared.take() == nil)
        shared.giveBack(ByteBuffer(repeating: 1, count: 4_096))
        #expect(shared.take() == nil)
        let small = ByteBuffer(repeating: 1, count: 64)
        shared.giveBack(small)
        #expect(shared.take()?.readableBytes == 0)
        #expect(shared.take() == nil)
        #expect(small.readableBytes == 64)
    }

    private static func pool(_ shared: SharedReceiveBuffer = SharedReceiveBuffer()) -> NIOPooledRecvBufferAllocator {
        NIOPooledRecvBufferAllocator(capacity: 1, recvAllocator: HeartbeatReceiveAllocator(shared))
    }

    /// A read of at most so many bytes.
    private static func receive(_ count: Int, into pool: inout NIOPooledRecvBufferAllocator) -> ByteBuffer {
        let (buffer, read) = pool.buffer(allocator: ByteBufferAllocator()) { buffer in
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 0) { min(count, $0.count) }
        }
        pool.record(actualReadBytes: read)
        return buffer
    }
}

extension ByteBuffer {
    fileprivate var place: UnsafeRawPointer? { self.withVeryUnsafeBytes { UnsafeRawPointer($0.baseAddress) } }
}
