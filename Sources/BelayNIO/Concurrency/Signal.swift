//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Synchronization

/// Something that happens once and that tasks wait for.
///
/// Waiting ends early when the task is cancelled.
final class Signal: Sendable {
    private enum State {
        case waiting([UInt64: CheckedContinuation<Void, Never>], next: UInt64)
        case fired
    }

    private let state = Mutex(State.waiting([:], next: 0))

    /// It happened.
    ///
    /// A second call does nothing.
    func fire() {
        let waiting = self.state.withLock { state -> [UInt64: CheckedContinuation<Void, Never>] in
            guard case .waiting(let waiting, _) = state else { return [:] }
            state = .fired
            return waiting
        }
        for continuation in waiting.values { continuation.resume() }
    }

    /// Whether it happened.
    var hasFired: Bool {
        self.state.withLock { state in
            if case .fired = state { true } else { false }
        }
    }

    /// Waits until it happens or the task is cancelled.
    func wait() async {
        let id = self.state.withLock { state -> UInt64 in
            guard case .waiting(let waiting, let next) = state else { return 0 }
            state = .waiting(waiting, next: next + 1)
            return next
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = self.state.withLock { state in
                    guard case .waiting(var waiting, let next) = state, !Task.isCancelled else { return true }
                    waiting[id] = continuation
                    state = .waiting(waiting, next: next)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            let continuation = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
                guard case .waiting(var waiting, let next) = state else { return nil }
                let continuation = waiting.removeValue(forKey: id)
                state = .waiting(waiting, next: next)
                return continuation
            }
            continuation?.resume()
        }
    }

    /// Waits until it happens, also when the task is cancelled; for what has a deadline of its own.
    func waitInAnyCase() async {
        await withCheckedContinuation { continuation in
            let isOver = self.state.withLock { state in
                guard case .waiting(var waiting, let next) = state else { return true }
                waiting[next] = continuation
                state = .waiting(waiting, next: next + 1)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    /// Waits until it happens, the time is over, or the task is cancelled.
    func wait(atMost duration: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask {
                // Throws when it is cancelled, because it happened.
                try? await Task.sleep(for: duration)
            }
            await group.next()
            group.cancelAll()
        }
    }

    /// Waits until one of two things happens or the task is cancelled.
    static func first(of one: Signal, _ other: Signal) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await one.wait() }
            group.addTask { await other.wait() }
            await group.next()
            group.cancelAll()
        }
    }
}
