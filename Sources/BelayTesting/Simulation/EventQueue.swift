//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// A priority queue of events, ordered by time; those of the same time come out in the order in which they went in.
///
/// A binary heap. The number that breaks ties makes a run repeatable, which a heap alone does not.
struct EventQueue<Event> {
    private struct Entry {
        let time: Int64
        let number: UInt64
        let event: Event

        static func < (lhs: Entry, rhs: Entry) -> Bool {
            lhs.time == rhs.time ? lhs.number < rhs.number : lhs.time < rhs.time
        }
    }

    private var heap: [Entry] = []
    private var count: UInt64 = 0

    /// The time of the next event; never is the largest number.
    private(set) var nextTime = Int64.max

    mutating func push(_ event: Event, at time: Int64) {
        self.heap.append(Entry(time: time, number: self.count, event: event))
        self.count += 1
        var child = self.heap.count - 1
        while child > 0, self.heap[child] < self.heap[(child - 1) / 2] {
            self.heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
        self.nextTime = min(self.nextTime, time)
    }

    /// Takes the next event if its time has come.
    mutating func pop(dueAt now: Int64) -> Event? {
        guard self.nextTime <= now, !self.heap.isEmpty else { return nil }
        self.heap.swapAt(0, self.heap.count - 1)
        let first = self.heap.removeLast()
        defer { self.nextTime = self.heap.isEmpty ? .max : self.heap[0].time }
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < self.heap.count && self.heap[child] < self.heap[least] {
                least = child
            }
            guard least != parent else { return first.event }
            self.heap.swapAt(parent, least)
            parent = least
        }
    }
}
