//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore
public import NIOCore
import Synchronization

/// One connection, for code that uses `async` and `await`.
public final class BelayConnection: Sendable {
    /// The name of the connection; never used again.
    public let id: ConnectionID

    /// The messages of the peer, in order.
    ///
    /// Can be iterated once.
    ///
    /// Ends when the connection does, behind what was received before, or when the task is cancelled; ``closeReason`` says why.
    /// While nobody iterates, 32 messages or 256 KiB are buffered, and then nothing is read from the peer any more, which is no
    /// silence of the peer (rule R7). The end is found all the same; then what the kernel held is buffered as well.
    public let messages: Messages

    let handle: ConnectionHandle
    private let state = Mutex<(peer: String?, epoch: UInt64?, reason: DisconnectReason?)>((nil, nil, nil))

    init(handle: ConnectionHandle, messages: Messages) {
        self.id = handle.id
        self.handle = handle
        self.messages = messages
    }

    /// Why the connection ended; nil while it has not.
    public var closeReason: DisconnectReason? { self.state.withLock { $0.reason } }

    /// The identity of the peer, once it said hello.
    public var peer: String? { self.state.withLock { $0.peer } }

    /// Sends a message and waits until there is room for the next one.
    ///
    /// - Throws: ``SendError`` when the connection is over, ends while waiting, or cannot carry the message.
    public func send(_ message: ByteBuffer) async throws {
        let sent = self.handle.eventLoop.makePromise(of: Void.self)
        self.handle.execute { connection in
            guard let bridge = connection.attachment as? AsyncBridge else {
                return sent.fail(SendError.closed(self.closeReason))
            }
            bridge.send(message, on: connection, sent)
        }
        try await sent.futureResult.get()
    }

    /// Sends text as UTF-8; otherwise as ``send(_:)-(ByteBuffer)``.
    public func send(_ text: String) async throws {
        try await self.send(ByteBuffer(string: text))
    }

    /// Says goodbye and closes.
    ///
    /// A second call does nothing.
    public func close(_ code: DisconnectReason.Code = .localClosed) {
        self.handle.close(code)
    }

    func introduced(peer: String?, epoch: UInt64?) {
        self.state.withLock { state in (state.peer, state.epoch) = (peer, epoch) }
    }

    func ended(_ reason: DisconnectReason) {
        self.state.withLock { $0.reason = reason }
    }

    /// The messages of one connection.
    public struct Messages: AsyncSequence, Sendable {
        typealias Producer = NIOAsyncSequenceProducer<
            Delivery, MessageBacklog.Strategy, ReadingDelegate
        >

        /// What is taken at once.
        enum Delivery: Sendable {
            case message(ByteBuffer)
            /// Any number of messages, packed (``AsyncBridge``).
            case packed(ByteBuffer)

            var size: Int {
                switch self {
                case .message(let bytes), .packed(let bytes): bytes.readableBytes
                }
            }
        }

        let producer: Producer
        let backlog: MessageBacklog

        /// Reads the messages of one connection.
        public struct AsyncIterator: AsyncIteratorProtocol {
            var base: Producer.AsyncIterator
            let backlog: MessageBacklog
            private var packed = ByteBuffer()

            init(base: Producer.AsyncIterator, backlog: MessageBacklog) {
                self.base = base
                self.backlog = backlog
            }

            /// The next message; nil when the connection is over or the task is cancelled.
            public mutating func next() async -> ByteBuffer? {
                if let message = self.packed.readPackedMessage() { return Task.isCancelled ? nil : message }
                guard let delivery = await self.base.next() else { return nil }
                self.backlog.remove(delivery.size)
                switch delivery {
                case .message(let message):
                    return message
                case .packed(let messages):
                    self.packed = messages
                    return self.packed.readPackedMessage()
                }
            }
        }

        /// The iterator.
        ///
        /// Can be made once.
        public func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(base: self.producer.makeAsyncIterator(), backlog: self.backlog)
        }
    }
}

/// Takes messages and room to write from the event loop to the tasks of one connection.
///
/// Bound to the loop: it is the connection's attachment.
final class AsyncBridge {
    let connection: BelayConnection
    private let backlog = MessageBacklog()
    private let source: BelayConnection.Messages.Producer.Source
    private var isFull = false
    /// Messages that came although there was no room, behind one another.
    ///
    /// They were read together with the last one that had room, or were all that the kernel held before the end. As elements of a
    /// queue small ones would need many times their size.
    private(set) var packed = ByteBuffer()
    private var waitingForRoom: [EventLoopPromise<Void>] = []

    init(_ connection: Connection) {
        let handle = connection.handle
        let sequence = NIOAsyncSequenceProducer.makeSequence(
            elementType: BelayConnection.Messages.Delivery.self,
            backPressureStrategy: MessageBacklog.Strategy(backlog: self.backlog),
            finishOnDeinit: true,
            delegate: ReadingDelegate(connection.handler)
        )
        self.source = sequence.source
        self.connection = BelayConnection(
            handle: handle,
            messages: .init(producer: sequence.sequence, backlog: self.backlog)
        )
    }

    func received(_ message: ByteBuffer, on connection: Connection) {
        guard !self.isFull else { return self.packed.writePackedMessage(message) }
        self.deliver(.message(message))
        if self.isFull { connection.pauseReading() }
    }

    /// The task has caught up.
    func roomMade(on connection: Connection) {
        self.isFull = false
        self.deliverPacked()
        if !self.isFull { connection.resumeReading() }
    }

    private func deliverPacked() {
        guard self.packed.readableBytes > 0 else { return }
        let messages = self.packed
        self.packed = ByteBuffer()
        self.deliver(.packed(messages))
    }

    private func deliver(_ delivery: BelayConnection.Messages.Delivery) {
        self.backlog.add(delivery.size)
        switch self.source.yield(delivery) {
        case .produceMore, .dropped: break
        case .stopProducing: self.isFull = true
        }
    }

    func send(_ message: ByteBuffer, on connection: Connection, _ sent: EventLoopPromise<Void>) {
        do {
            try connection.send(message)
        } catch {
            return sent.fail(error)
        }
        if let reason = connection.handler.reason {
            // The flush met an error or the limit, and the end was told before this promise was known.
            sent.fail(SendError.interrupted(reason))
        } else if connection.isWritable {
            sent.succeed()
        } else {
            self.waitingForRoom.append(sent)
        }
    }

    func writabilityChanged(_ connection: Connection) {
        guard connection.isWritable else { return }
        for promise in self.waitingForRoom.take() { promise.succeed() }
    }

    func ended(_ reason: DisconnectReason) {
        self.connection.ended(reason)
        self.deliverPacked()
        self.source.finish()
        for promise in self.waitingForRoom.take() { promise.fail(SendError.interrupted(reason)) }
    }
}

extension Array {
    /// The elements, leaving none behind.
    fileprivate mutating func take() -> [Element] {
        defer { self = [] }
        return self
    }
}

extension ByteBuffer {
    /// Appends a message behind its length.
    fileprivate mutating func writePackedMessage(_ message: ByteBuffer) {
        self.writeInteger(UInt32(message.readableBytes))
        self.writeImmutableBuffer(message)
    }

    /// The first of the messages that are left.
    fileprivate mutating func readPackedMessage() -> ByteBuffer? {
        let message = self.readLengthPrefixedSlice(as: UInt32.self)
        // Not kept for nothing while the next one is awaited.
        if self.readableBytes == 0 { self = ByteBuffer() }
        return message
    }
}

/// Resumes reading when a task has caught up.
///
/// Messages may outlive their connection, and do not keep it.
struct ReadingDelegate: NIOAsyncSequenceProducerDelegate {
    private struct Reference {
        weak let handler: ConnectionHandler?
    }

    private let eventLoop: any EventLoop
    private let reference: NIOLoopBound<Reference>

    init(_ handler: ConnectionHandler) {
        self.eventLoop = handler.timekeeper.eventLoop
        self.reference = NIOLoopBound(Reference(handler: handler), eventLoop: self.eventLoop)
    }

    func produceMore() { self.makeRoom() }

    /// Nobody iterates any more; what still comes is dropped, and the connection lives until its closure returns.
    func didTerminate() { self.makeRoom() }

    private func makeRoom() {
        let reference = self.reference
        if self.eventLoop.inEventLoop {
            Self.makeRoom(reference.value)
        } else {
            self.eventLoop.execute { Self.makeRoom(reference.value) }
        }
    }

    private static func makeRoom(_ reference: Reference) {
        guard let handler = reference.handler else { return }
        (handler.attachment as? AsyncBridge)?.roomMade(on: Connection(handler: handler))
    }
}
