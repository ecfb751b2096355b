//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Dispatch
import Foundation
import Synchronization

/// Standard output, written in a thread of its own, because whoever reads it may let it wait for ever.
///
/// For one task: only one may wait at a time.
final class StandardOutput: Sendable {
    /// How many bytes may wait for the reader before ``write(_:)`` does.
    private static let limit = 65_536

    private struct State {
        var waiting: [UInt8] = []
        var isWriting = false
        /// Why nothing can be written any more.
        var problem: String?
    }

    private let state = Mutex(State())
    private let wakeUp = DispatchSemaphore(value: 0)
    /// Something was written, or cannot be.
    private let progress: AsyncStream<Void>

    init() {
        let (progress, progressed) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        self.progress = progress
        let thread = Thread { self.run(progressed) }
        thread.name = "belay-output"
        thread.start()
    }

    /// Why nothing can be written any more; nil while it can.
    var problem: String? { self.state.withLock { $0.problem } }

    /// Takes bytes, and waits while the reader is far behind.
    ///
    /// - Returns: whether more can be written; false also when the task is cancelled while it waits.
    func write(_ bytes: [UInt8]) async -> Bool {
        let wasEmpty = self.state.withLock { state in
            defer { state.waiting += bytes }
            return state.waiting.isEmpty
        }
        if wasEmpty { self.wakeUp.signal() }
        return await self.wait { $0.waiting.count < Self.limit }
    }

    /// Waits until everything is written, or nothing more can be, or the task is cancelled.
    func flush() async {
        _ = await self.wait { $0.waiting.isEmpty && !$0.isWriting }
    }

    private func wait(until isReached: (borrowing State) -> Bool) async -> Bool {
        var progress = self.progress.makeAsyncIterator()
        while true {
            let (isReached, isBroken) = self.state.withLock { (isReached($0), $0.problem != nil) }
            if isReached || isBroken { return !isBroken }
            guard await progress.next(isolation: nil) != nil else { return false }
        }
    }

    private func run(_ progressed: AsyncStream<Void>.Continuation) {
        while true {
            self.wakeUp.wait()
            let bytes = self.state.withLock { state in
                defer { (state.waiting, state.isWriting) = ([], true) }
                return state.waiting
            }
            let isWritten = Output.write(bytes, to: STDOUT_FILENO)
            let problem = isWritten ? nil : String(cString: strerror(errno))
            self.state.withLock { state in
                state.isWriting = false
                state.problem = state.problem ?? problem
            }
            progressed.yield()
        }
    }
}
