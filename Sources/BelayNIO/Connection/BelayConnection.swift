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
    /// Ends when the connection does, or when the task is cancelled; ``closeReason`` says why. While nobody iterates, 32
    /// messages or 256 KiB are buffered, and then nothing is read from the peer any more, which is no silence of the peer (rule
    /// R7).
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
            ByteBuffer, MessageBacklog.Strategy, ReadingDelegate
        >

        let producer: Producer
        let backlog: MessageBacklog

        /// Reads the messages of one connection.
        public struct AsyncIterator: AsyncIteratorProtocol {
            var base: Producer.AsyncIterator
            let backlog: MessageBacklog

            /// The next message; nil when the connection is over or the task is cancelled.
            public mutating func next() async -> ByteBuffer? {
                let message = await self.base.next()
                if let message { self.backlog.remove(message) }
                return message
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
    private var waitingForRoom: [EventLoopPromise<Void>] = []

    init(_ connection: Connection) {
        let handle = connection.handle
        let sequence = NIOAsyncSequenceProducer.makeSequence(
            elementType: ByteBuffer.self,
            backPressureStrategy: MessageBacklog.Strategy(backlog: self.backlog),
            finishOnDeinit: true,
            delegate: ReadingDelegate(handle: handle)
        )
        self.source = sequence.source
        self.connection = BelayConnection(
            handle: handle,
            messages: .init(producer: sequence.sequence, backlog: self.backlog)
        )
    }

    func received(_ message: ByteBuffer, on connection: Connection) {
        self.backlog.add(message)
        switch self.source.yield(message) {
        case .produceMore, .dropped: break
        case .stopProducing: connection.pauseReading()
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

/// Resumes reading when a task has caught up.
struct ReadingDelegate: NIOAsyncSequenceProducerDelegate {
    let handle: ConnectionHandle

    func produceMore() {
        self.handle.execute { $0.resumeReading() }
    }

    /// Nobody iterates any more; what still comes is dropped, and the connection lives until its closure returns.
    func didTerminate() {
        self.handle.execute { $0.resumeReading() }
    }
}
