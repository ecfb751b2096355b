//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import NIOCore
import PeerSupport

/// The hashed timing wheel of the one event loop, with a slot each 10 ms; the same as in the epoll loop.
final class PingWheel {
    static let tick: UInt64 = 10_000_000  // nanoseconds

    let interval: UInt64
    let direct: Bool
    let record = PeerRecord()
    let ping = ByteBuffer(string: "ping")
    let bytes: UnsafeMutablePointer<UInt8>
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: 4, alignment: 4)
    /// The observer clock, in nanoseconds: time in which this process did not run counts as one step at most.
    private(set) var observed = PingWheel.tick

    private let loop: any EventLoop
    private let longestStep: UInt64
    private var last = NIODeadline.now()
    private var currentTick = 1
    private var slots: ContiguousArray<PingHandler?>

    init(loop: any EventLoop, intervalNanoseconds interval: UInt64, direct: Bool) {
        self.loop = loop
        self.interval = interval
        self.direct = direct
        self.longestStep = max(interval / 8, 4 * Self.tick)
        var count = 1
        while count < Int(2 * interval / Self.tick) + 4 { count *= 2 }
        self.slots = ContiguousArray(repeating: nil, count: count)
        self.bytes = .allocate(capacity: 4)
        self.bytes.initialize(from: Array("ping".utf8), count: 4)
        self.schedule()
    }

    private func schedule() {
        self.loop.assumeIsolated().scheduleTask(deadline: self.last + .nanoseconds(Int64(Self.tick))) { self.turn() }
    }

    private func turn() {
        let now = NIODeadline.now()
        self.observed &+= min(UInt64((now - self.last).nanoseconds), self.longestStep)
        self.last = now
        let to = Int(self.observed / Self.tick)
        while self.currentTick < to {
            self.currentTick &+= 1
            let slot = self.currentTick & (self.slots.count - 1)
            var entry = self.slots[slot]
            self.slots[slot] = nil
            while let current = entry {
                entry = current.next
                current.next = nil
                current.previous = nil
                current.slot = -1
                current.due()
            }
        }
        self.schedule()
    }

    func arm(_ entry: PingHandler, at deadline: UInt64) {
        let tick = max(Int((deadline + Self.tick - 1) / Self.tick), self.currentTick + 1)
        let slot = tick & (self.slots.count - 1)
        entry.next = self.slots[slot]
        entry.next?.previous = entry
        entry.slot = slot
        self.slots[slot] = entry
    }

    func disarm(_ entry: PingHandler) {
        guard entry.slot >= 0 else { return }
        entry.next?.previous = entry.previous
        if let previous = entry.previous { previous.next = entry.next } else { self.slots[entry.slot] = entry.next }
        entry.next = nil
        entry.previous = nil
        entry.slot = -1
    }
}
