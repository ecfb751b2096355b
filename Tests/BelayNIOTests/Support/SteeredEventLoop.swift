//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Dispatch
import NIOCore

/// An event loop in virtual time that can oversleep, and that counts what is scheduled on it.
///
/// NIO's testing loop runs everything exactly when it is due. The process that this one stands for can be stopped: its
/// clock then goes on while nothing runs.
final class SteeredEventLoop: EventLoop, @unchecked Sendable {
    // SAFETY: only used on the thread of its test.
    private(set) var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var tasks: [(id: Int, deadline: NIODeadline, run: () -> Void)] = []
    private var lastID = 0

    /// How many tasks wait for their time.
    var scheduledCount: Int { self.tasks.count }

    /// Time goes on as it should: everything runs when it is due.
    func advanceTime(by duration: Duration) {
        let end = self.now + TimeAmount(duration)
        while let next = self.tasks.min(by: { $0.deadline < $1.deadline }), next.deadline <= end {
            self.now = max(self.now, next.deadline)
            self.run(next.id)
        }
        self.now = end
    }

    /// Nothing runs for so long, and then everything that became due.
    func stop(for duration: Duration) {
        self.pass(duration)
        self.advanceTime(by: .zero)
    }

    /// Time passes in which nothing runs; what became due is still due.
    func pass(_ duration: Duration) {
        self.now = self.now + TimeAmount(duration)
    }

    /// Runs the next task at its time, alone.
    func runNext() {
        guard let next = self.tasks.min(by: { $0.deadline < $1.deadline }) else { return }
        self.now = max(self.now, next.deadline)
        self.run(next.id)
    }

    private func run(_ id: Int) {
        guard let index = self.tasks.firstIndex(where: { $0.id == id }) else { return }
        self.tasks.remove(at: index).run()
    }

    // MARK: - EventLoop

    var inEventLoop: Bool { true }

    func execute(_ task: @escaping @Sendable () -> Void) {
        _ = self.scheduleTask(deadline: self.now, task)
    }

    func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        let promise = self.makePromise(of: T.self)
        self.lastID += 1
        let id = self.lastID
        self.tasks.append((id, deadline, { promise.assumeIsolated().completeWith(Result(catching: task)) }))
        return Scheduled(promise: promise) { self.tasks.removeAll { $0.id == id } }
    }

    func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        self.scheduleTask(deadline: self.now + delay, task)
    }

    func preconditionInEventLoop(file: StaticString, line: UInt) {}

    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        fatalError("a steered loop is not shut down")
    }
}
