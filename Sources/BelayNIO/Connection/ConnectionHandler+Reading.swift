//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Logging
import NIOCore

extension ConnectionHandler {
    /// How many bytes are read and dropped while a peer takes its time to close.
    private static let discardLimit = 1 << 20

    /// Lets the channel receive heartbeats into the one buffer of its loop.
    func receiveIntoSharedBuffer(of channel: any Channel) {
        let allocator = HeartbeatReceiveAllocator(self.timekeeper.receiveBuffer)
        // Fails where the channel is closing, and nothing will be received.
        try? channel.syncOptions?.setOption(.recvAllocator, value: allocator)
    }

    /// Handles a batch of received bytes.
    func read(_ received: ByteBuffer) {
        defer { self.timekeeper.receiveBuffer.giveBack(received) }
        let now = self.timekeeper.now()
        self.passOnStalls(at: now)
        self.machine.bytesReceived(received.readableBytes)
        guard !self.machine.isOver else { return self.discard(received.readableBytes) }
        let wasPaused = self.machine.areReadsPaused

        self.isReading = true
        var bytes = received
        if var pending = self.pending.take() {
            pending.writeBuffer(&bytes)
            bytes = pending
        }
        let owed = self.handleElements(of: &bytes, at: now)
        self.isReading = false

        if !self.machine.isOver { self.keepRemainder(bytes) }
        self.batchEnded(owing: owed, whilePaused: wasPaused && self.machine.areReadsPaused, at: now)
    }

    /// The stream is over: what it ended with is delivered where the format allows that.
    func deliverRemainder() {
        guard !self.machine.isOver, let pending = self.pending.take() else { return }
        self.isReading = true
        defer { self.isReading = false }
        if case .message(let range) = self.parser.remainder(in: pending.readableBytesSpan, at: 0) {
            self.messageReceived(in: pending, range, at: self.timekeeper.now())
        }
    }

    private func handleElements(of bytes: inout ByteBuffer, at now: Instant) -> OwedPongs {
        var offset = 0
        var owed = OwedPongs()
        do throws(WireError) {
            while !self.machine.isOver, offset < bytes.readableBytes,
                let element = try self.parser.next(in: bytes.readableBytesSpan, at: &offset)
            {
                self.handle(element, in: bytes, &owed, at: now)
            }
        } catch {
            switch error {
            case .violation(let what): self.end(.protocolViolation(what))
            case .messageTooLarge(let size, let limit): self.end(.messageTooLarge(size: size, limit: limit))
            }
        }
        bytes.moveReaderIndex(forwardBy: min(offset, bytes.readableBytes))
        return owed
    }

    private func handle(_ element: WireElement, in bytes: ByteBuffer, _ owed: inout OwedPongs, at now: Instant) {
        switch element {
        case .ping(let token):
            switch self.machine.pingReceived(at: now) {
            case .answer: owed.add(token.flatMap { bytes.slice(of: $0) })
            case .doNothing: break
            case .close(let close): self.perform(close)
            }
        case .pong(let token):
            let sent = token.flatMap { range in
                bytes.slice(of: range).flatMap { self.environment.format.pingNumber(of: $0.readableBytesSpan) }
            }
            if let roundTrip = self.machine.pongReceived(token: sent, at: now) {
                self.environment.node.roundTrips.record(roundTrip)
            }
            if let path, path.answered(bytes: self.machine.figures.bytes, at: now) {
                self.writeHello()
                // A shorter one is safe at once.
                self.machine.intervalAgreed(path.inForce)
            }
        case .message(let range):
            self.messageReceived(in: bytes, range, at: now)
        case .hello(let hello):
            self.helloReceived(hello, at: now)
        case .welcome(let welcome):
            self.welcomeReceived(welcome, at: now)
        case .goodbye(let goodbye):
            self.end(.goodbye(code: goodbye.code, retryAfter: goodbye.retryAfter))
        case .error(let report):
            self.machine.heard(at: now)
            self.rearm()
            self.environment.node.logger.debug(
                "the peer reported an error",
                metadata: ["code": "\(report.code)", "message": "\(report.message)"]
            )
        }
    }

    private func messageReceived(in bytes: ByteBuffer, _ range: Range<Int>, at now: Instant) {
        switch self.machine.messageReceived(at: now) {
        case .deliver:
            guard let delegate, let message = bytes.slice(of: range) else { return }
            delegate.received(message, on: Connection(handler: self))
        case .discard:
            break
        case .close(let close):
            self.perform(close)
        }
    }

    private func helloReceived(_ hello: Hello, at now: Instant) {
        guard case .server = self.environment.role else {
            return self.end(.protocolViolation("a hello from a server"))
        }
        guard self.peer == nil || self.peer == hello.identity else {
            return self.end(.protocolViolation("a second hello with another identity"))
        }
        let bound = self.machine.timings.bound
        switch self.machine.helloReceived(every: hello.every, within: hello.within, at: now) {
        case .welcome(let every, let within):
            let isFirst = self.epoch == nil
            let epoch = self.epoch ?? self.environment.node.nextEpoch(of: hello.identity)
            self.peer = hello.identity
            self.epoch = epoch
            self.timingsAgreed(insteadOf: bound)
            let welcome = Welcome(connection: self.id.description, epoch: epoch, every: every, within: within)
            self.writeControl { format, sink in format.writeWelcome(welcome, into: &sink) }
            if isFirst { self.delegate?.introduced(Connection(handler: self)) }
        case .close(let close):
            self.perform(close)
        case .doNothing:
            break
        }
    }

    private func welcomeReceived(_ welcome: Welcome, at now: Instant) {
        guard case .client(let hello) = self.environment.role else {
            return self.end(.protocolViolation("a welcome from a client"))
        }
        let bound = self.machine.timings.bound
        self.machine.welcomeReceived(every: welcome.every, within: welcome.within, at: now)
        if let path {
            path.confirmed(every: welcome.every, bytes: self.machine.figures.bytes, at: now)
            self.machine.intervalAgreed(path.inForce)
        }
        self.timingsAgreed(insteadOf: bound)
        // The server's figure is the number of our connections to it.
        self.peer = hello?.identity
        self.epoch = welcome.epoch
    }

    /// The kernel's second line follows the bound in force (rule R11): that of the policy would end a peer which may be silent for
    /// longer.
    private func timingsAgreed(insteadOf bound: Duration) {
        self.timingsChanged()
        if self.machine.timings.bound != bound { self.applyKernelTimeouts() }
    }

    /// Keeps what is left of a batch apart from the receive buffer, which belongs to the channel.
    private func keepRemainder(_ bytes: ByteBuffer) {
        guard bytes.readableBytes > 0, let context else { return }
        if bytes.readerIndex == 0 {
            self.pending = bytes
        } else {
            var kept = context.channel.allocator.buffer(capacity: bytes.readableBytes * 2)
            kept.writeImmutableBuffer(bytes)
            self.pending = kept
        }
    }

    /// Says what is owed for a batch, and flushes.
    ///
    /// While the program does not read, NIO reads all that came before a FIN or a reset, and then tells of that at once. What the
    /// program answers meanwhile is flushed behind that, so that no limit of our queue ends a connection whose end is known. Where
    /// no end follows, it is flushed all the same.
    private func batchEnded(owing owed: OwedPongs, whilePaused: Bool, at now: Instant) {
        let unfinished = self.pending?.readableBytes ?? 0
        // The beginning of a token is no message that must end some time.
        let isToken = unfinished > 0 && self.environment.format == .raw
        if isToken { self.machine.heard(at: now) }
        switch self.machine.readEnded(unfinishedBytes: isToken ? 0 : unfinished, at: now) {
        case .doNothing: break
        case .caughtUp: self.rearm()
        case .recovered(let silence):
            self.recovered(silence: silence)
            // The next suspicion may come before what the wheel knows.
            self.rearm()
        }
        if !owed.isEmpty { self.answer(owed, flushing: !whilePaused) }
        if whilePaused {
            self.timekeeper.eventLoop.assumeIsolated().execute { self.flushBatch() }
        } else {
            self.flushBatch()
        }
        // What is unfinished has a deadline that may come before the one the wheel knows, or ends a delay of the handshake's.
        if unfinished > 0 { self.rearm() }
    }

    private func discard(_ count: Int) {
        self.discardedBytes += count
        if self.discardedBytes > Self.discardLimit { self.abort() }
    }
}

extension Optional {
    /// The value, leaving nil behind, so that a buffer taken out is uniquely held and grows in place.
    fileprivate mutating func take() -> Wrapped? {
        let value = self
        self = nil
        return value
    }
}

extension ByteBuffer {
    /// The bytes at these offsets from the first readable one, sharing storage.
    fileprivate func slice(of range: Range<Int>) -> ByteBuffer? {
        self.getSlice(at: self.readerIndex + range.lowerBound, length: range.count)
    }
}
