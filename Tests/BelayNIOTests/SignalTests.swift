//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Testing

@testable import BelayNIO

@Suite(.timeLimit(.minutes(1))) struct SignalTests {
    @Test("a wait for what has happened already returns at once")
    func firedBefore() async {
        let signal = Signal()
        #expect(!signal.hasFired)
        signal.fire()
        signal.fire()
        #expect(signal.hasFired)
        await signal.wait()
        await signal.waitInAnyCase()
        await signal.wait(atMost: .seconds(3_600))
    }

    @Test("all who wait are woken")
    func wakesAll() async {
        let signal = Signal()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask { await signal.wait() }
                group.addTask { await signal.waitInAnyCase() }
            }
            group.addTask { signal.fire() }
        }
    }

    @Test("a cancelled wait returns, one in any case does not")
    func cancellation() async {
        let signal = Signal()
        let order = Recorder<String>()
        let patient = Task {
            await signal.waitInAnyCase()
            order.record("patient")
        }
        let waiting = Task {
            await signal.wait()
            order.record("cancelled")
        }
        patient.cancel()
        waiting.cancel()
        await waiting.value
        #expect(!signal.hasFired)
        order.record("fire")
        signal.fire()
        await patient.value
        #expect(order.elements == ["cancelled", "fire", "patient"])
    }

    @Test("a wait in a task that is cancelled already returns")
    func cancelledBefore() async {
        let signal = Signal()
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            await signal.wait()
        }
        task.cancel()
        await task.value
    }

    @Test("a wait ends when its time is over")
    func timeOver() async {
        let signal = Signal()
        await signal.wait(atMost: .milliseconds(1))
        #expect(!signal.hasFired)
    }

    @Test("the first of two is enough", arguments: [true, false])
    func first(firesFirst: Bool) async {
        let (one, other) = (Signal(), Signal())
        (firesFirst ? one : other).fire()
        await Signal.first(of: one, other)
    }

    @Test("firing and cancelling at the same time leaves nobody waiting")
    func race() async {
        for _ in 0..<500 {
            let signal = Signal()
            let waiting = Task { await signal.wait() }
            let canceller = Task { waiting.cancel() }
            signal.fire()
            await canceller.value
            await waiting.value
        }
    }
}
