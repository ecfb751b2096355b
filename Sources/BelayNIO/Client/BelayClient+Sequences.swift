//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import NIOCore

extension BelayClient {
    /// The changes of one client.
    public struct Changes: AsyncSequence, Sendable {
        let base: AsyncStream<Change>

        /// Reads the changes of one client.
        public struct AsyncIterator: AsyncIteratorProtocol {
            var base: AsyncStream<Change>.AsyncIterator

            /// The next change; nil when the client has ended or the task is cancelled.
            public mutating func next() async -> Change? {
                await self.base.next(isolation: nil)
            }
        }

        /// The iterator.
        ///
        /// Can be made once.
        public func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(base: self.base.makeAsyncIterator())
        }
    }

    /// The messages that one client received, of one connection after the other.
    public struct Messages: AsyncSequence, Sendable {
        let perConnection: AsyncStream<BelayConnection.Messages>

        /// Reads the messages of one client.
        public struct AsyncIterator: AsyncIteratorProtocol {
            var perConnection: AsyncStream<BelayConnection.Messages>.AsyncIterator
            var current: BelayConnection.Messages.AsyncIterator?

            /// The next message; nil when the client has ended or the task is cancelled.
            public mutating func next() async -> ByteBuffer? {
                while true {
                    if let message = await self.current?.next() { return message }
                    guard let messages = await self.perConnection.next(isolation: nil) else { return nil }
                    self.current = messages.makeAsyncIterator()
                }
            }
        }

        /// The iterator.
        ///
        /// Can be made once.
        public func makeAsyncIterator() -> AsyncIterator {
            AsyncIterator(perConnection: self.perConnection.makeAsyncIterator())
        }
    }
}
