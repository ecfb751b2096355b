//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import NIOCore
import Synchronization

/// The messages of one connection that nobody has taken: how many they are, and how large in all.
///
/// Reading pauses when there are too many of them or they are too large, and goes on when most of both are taken. What was read
/// together with the last of them comes on top, up to 64 KiB, and before the end what the kernel held; four bytes more for each
/// of those messages.
final class MessageBacklog: Sendable {
    private static let count = (low: 8, high: 32)
    private static let bytes = (low: 65_536, high: 262_144)

    private let waiting = Atomic<Int>(0)

    /// So many bytes are about to wait.
    func add(_ bytes: Int) { self.waiting.add(bytes, ordering: .relaxed) }

    /// So many bytes were taken.
    func remove(_ bytes: Int) { self.waiting.subtract(bytes, ordering: .relaxed) }

    /// Asks for more while few messages wait, and few bytes.
    struct Strategy: NIOAsyncSequenceProducerBackPressureStrategy {
        let backlog: MessageBacklog

        func didYield(bufferDepth: Int) -> Bool {
            self.isBelow(count: MessageBacklog.count.high, bytes: MessageBacklog.bytes.high, bufferDepth)
        }

        func didConsume(bufferDepth: Int) -> Bool {
            self.isBelow(count: MessageBacklog.count.low, bytes: MessageBacklog.bytes.low, bufferDepth)
        }

        /// The message that is just being taken still counts; where it was the last one, nobody else would ask for more.
        private func isBelow(count: Int, bytes: Int, _ depth: Int) -> Bool {
            depth == 0 || depth < count && self.backlog.waiting.load(ordering: .relaxed) < bytes
        }
    }
}
