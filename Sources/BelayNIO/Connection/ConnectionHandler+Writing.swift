//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import NIOCore

extension ConnectionHandler {
    /// Sends a message; flushes at once, or after the batch that is being read.
    func send(_ message: ByteBuffer) throws(SendError) {
        guard !self.machine.isOver, let context else { throw .closed(self.reason) }
        var encoded = context.channel.allocator.buffer(capacity: message.readableBytes + 8)
        do throws(WireError) {
            try self.environment.format.writeMessage(
                message.readableBytesSpan,
                maximumMessageSize: self.environment.messageLimit,
                into: &encoded
            )
        } catch {
            switch error {
            case .violation(let why):
                throw .notRepresentable(why)
            case .messageTooLarge(let size, let limit):
                throw .notRepresentable("a message of \(size) bytes is over the limit of \(limit)")
            }
        }
        self.write(encoded)
        if !self.isReading { self.flushBatch() }
    }

    /// Flushes what was written, if it was not yet.
    func flushBatch() {
        guard self.hasUnflushedWrites else { return }
        self.hasUnflushedWrites = false
        self.context?.flush()
        self.observeOutbound(at: self.timekeeper.now())
    }

    /// Answers the pings of the batch that was read.
    func answer(_ owed: OwedPongs, flushing: Bool) {
        guard !self.machine.isOver else { return }
        if flushing {
            self.writeHeartbeat { format, sink in owed.serialize(for: format, into: &sink) }
        } else {
            self.writeControl { format, sink in owed.serialize(for: format, into: &sink) }
        }
    }

    /// Writes a control message behind what is queued, without flushing.
    func writeControl(_ serialize: (WireFormat, inout ByteBuffer) -> Void) {
        guard let context else { return }
        var encoded = context.channel.allocator.buffer(capacity: 128)
        serialize(self.environment.format, &encoded)
        guard encoded.readableBytes > 0 else { return }
        self.write(encoded)
    }

    /// Writes heartbeats and flushes them.
    ///
    /// While nothing of ours is queued they go straight to the socket. The error of a send is known that way without a
    /// promise for each heartbeat, and it is needed: NIO closes a channel whose write failed without telling the pipeline
    /// why, so that a reset which a ping meets first would look like an orderly end.
    func writeHeartbeat(_ serialize: (WireFormat, inout ByteBuffer) -> Void) {
        self.timekeeper.scratch.clear()
        serialize(self.environment.format, &self.timekeeper.scratch)
        let count = self.timekeeper.scratch.readableBytes
        guard count > 0 else { return }
        guard let descriptor, !self.machine.hasBacklog, !self.hasUnflushedWrites else {
            return self.writeAndFlush(self.timekeeper.scratch)
        }
        switch self.timekeeper.scratch.withUnsafeReadableBytes({ descriptor.send($0) }) {
        case .sent(count):
            self.machine.bytesSent(count)
            self.wroteHeartbeats(bytes: count)
        case .sent(let part):
            self.machine.bytesSent(part)
            self.timekeeper.scratch.moveReaderIndex(forwardBy: part)
            self.writeAndFlush(self.timekeeper.scratch)
        case .failed(let errno):
            self.end(.failed(errno))
        }
    }

    private func writeAndFlush(_ bytes: ByteBuffer) {
        self.write(bytes)
        self.flushBatch()
    }

    private func write(_ bytes: ByteBuffer) {
        guard let context else { return }
        self.machine.bytesSent(bytes.readableBytes)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenFailure { self.fail($0) }
        self.hasUnflushedWrites = true
        context.write(self.wrapOutboundOut(bytes), promise: written)
        self.wrote()
    }
}
