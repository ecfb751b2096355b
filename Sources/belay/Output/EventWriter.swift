//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Dispatch
import Foundation
import Synchronization

/// Writes events as JSON lines to a file or standard output, in a thread of its own.
///
/// Event loops only append to a bounded queue. When it is full because nobody reads or the disk has no room, events are dropped
/// and counted.
final class EventWriter: EventSink, Sendable {
    /// How many events may wait; a mass disconnect of all connections that a process can hold fits many times.
    private static let limit = 262_144
    /// How many bytes are written at once, so that the first of many events does not wait for the last.
    private static let chunk = 65_536
    /// Seconds between two attempts to write to a full disk.
    private static let pause = 0.25

    private struct State {
        var queue: [(event: Event, sequence: UInt64)] = []
        var sequence: UInt64 = 0
        var dropped: UInt64 = 0
        var isFinished = false
    }

    private let state = Mutex(State())
    private let wakeUp = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let source: String
    private let descriptor: Int32
    private let onEvent: @Sendable (Event) -> Void

    /// A writer.
    ///
    /// - Parameters:
    ///   - descriptor: where to write; nil writes nowhere.
    ///   - node: the name of this node, for the source of the events.
    ///   - onEvent: called with each event, on the thread of this writer.
    init(descriptor: Int32?, node: String, onEvent: @escaping @Sendable (Event) -> Void = { _ in }) {
        self.descriptor = descriptor ?? -1
        self.source = "belay/\(node)"
        self.onEvent = onEvent
        let thread = Thread { self.run() }
        thread.name = "belay-events"
        thread.start()
    }

    /// How many events were dropped.
    var dropped: UInt64 { self.state.withLock { $0.dropped } }

    func record(_ event: Event) {
        let wasEmpty = self.state.withLock { state in
            // Counted first, so that a reader sees the gap where events were dropped.
            state.sequence += 1
            guard state.queue.count < Self.limit else {
                state.dropped += 1
                return false
            }
            state.queue.append((event, state.sequence))
            return state.queue.count == 1
        }
        if wasEmpty { self.wakeUp.signal() }
    }

    /// Writes what is queued, at most for `seconds`, and ends the thread.
    func finish(within seconds: Double = 2) {
        self.state.withLock { $0.isFinished = true }
        self.wakeUp.signal()
        if self.ended.wait(timeout: .now() + seconds) == .timedOut {
            Output.complain("events were lost: nobody read them, or there was no room for them")
        } else if self.dropped > 0 {
            Output.complain("\(self.dropped) events were dropped: they could not be written in time")
        }
    }

    private func run() {
        var system = SystemRandomNumberGenerator()
        var generator = SplitMix64(seed: system.next())
        var isBroken = false
        while true {
            self.wakeUp.wait()
            let (batch, isFinished) = self.state.withLock { state in
                defer { state.queue = [] }
                return (state.queue, state.isFinished)
            }
            var bytes: [UInt8] = []
            for (event, sequence) in batch {
                self.onEvent(event)
                guard self.descriptor >= 0 else { continue }
                let id = EventID.make(at: event.time, using: &generator)
                bytes += event.jsonLine(id: id, source: self.source, sequence: sequence)
                if bytes.count >= Self.chunk { self.write(&bytes, &isBroken) }
            }
            self.write(&bytes, &isBroken)
            if isFinished { break }
        }
        self.ended.signal()
    }

    private func write(_ bytes: inout [UInt8], _ isBroken: inout Bool) {
        defer { bytes.removeAll(keepingCapacity: true) }
        guard !bytes.isEmpty, !isBroken else { return }
        var isFull = false
        let isWritten = Output.write(bytes, to: self.descriptor) {
            if !isFull { Output.complain("no room for events: they wait until there is some") }
            isFull = true
            // Nothing tells when a disk has room again, and this thread does nothing but write; `finish` does not wait for it.
            Thread.sleep(forTimeInterval: Self.pause)
        }
        guard !isWritten else {
            if isFull { Output.complain("events are written again") }
            return
        }
        isBroken = true
        Output.complain("events cannot be written any more: \(String(cString: strerror(errno)))")
    }
}
