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
    @Test("heartbeats are received into one small buffer, again and again")
    func heartbeats() {
        var pool = NIOPooledRecvBufferAllocator(capacity: 1, recvAllocator: HeartbeatReceiveAllocator())
        let places = (0..<100).map { _ in Self.receive(5, into: &pool).place }
        #expect(Set(places).count == 1)
    }

    @Test("buffers grow while reads fill them, up to 64 KiB, and the small one is kept")
    func bulk() {
        var pool = NIOPooledRecvBufferAllocator(capacity: 1, recvAllocator: HeartbeatReceiveAllocator())
        let small = Self.receive(5, into: &pool)
        let sizes = (0..<6).map { _ in Self.receive(.max, into: &pool).capacity }
        #expect(sizes == [64, 512, 4_096, 32_768, 65_536, 65_536])
        // This read still goes into a large buffer; the next one is small again.
        #expect(Self.receive(5, into: &pool).capacity == 65_536)
        #expect(Self.receive(5, into: &pool).place == small.place)
    }

    @Test("a read that is neither full nor small keeps the size")
    func middling() {
        var pool = NIOPooledRecvBufferAllocator(capacity: 1, recvAllocator: HeartbeatReceiveAllocator())
        _ = Self.receive(.max, into: &pool)
        for _ in 0..<5 { #expect(Self.receive(100, into: &pool).capacity == 512) }
    }

    @Test("a message that is kept is not overwritten by the next one")
    func kept() {
        var pool = NIOPooledRecvBufferAllocator(capacity: 1, recvAllocator: HeartbeatReceiveAllocator())
        var kept: [ByteBuffer] = []
        for number in 0..<10 {
            kept.append(pool.buffer(allocator: ByteBufferAllocator()) { $0.writeString("message \(number)") }.0)
            pool.record(actualReadBytes: 9)
        }
        #expect(kept.map { String(buffer: $0) } == (0..<10).map { "message \($0)" })
    }

    /// A read of at most so many bytes: where they went, and how many could have.
    private static func receive(
        _ count: Int,
        into pool: inout NIOPooledRecvBufferAllocator
    ) -> (place: UnsafeRawPointer?, capacity: Int) {
        let (buffer, read) = pool.buffer(allocator: ByteBufferAllocator()) { buffer in
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 0) { min(count, $0.count) }
        }
        pool.record(actualReadBytes: read)
        return buffer.withVeryUnsafeBytes { (UnsafeRawPointer($0.baseAddress), $0.count) }
    }
}
