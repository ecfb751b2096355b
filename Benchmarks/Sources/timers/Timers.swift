//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Glibc
import NIOCore
import NIOPosix
import PeerSupport

/// What deadlines cost: Belay's timing wheel, or one of SwiftNIO's ways to schedule.
///
/// usage: timers wheel|task|callback [ENTRIES]       1,000,000 by default
@main
enum Timers {
    static func main() throws {
        let entries = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 1_000_000
        switch CommandLine.arguments.dropFirst().first {
        case "wheel":
            Self.heard(entries)
            Self.wheel(entries, horizon: 4_095)
            Self.wheel(entries, horizon: 60_000, suffix: "_far")
        case "task":
            try ScheduledDeadlines.measure(entries) { loop, deadline, counter in
                let scheduled = loop.assumeIsolated().scheduleTask(deadline: deadline) { counter.fired += 1 }
                return { scheduled.cancel() }
            }
        case "callback":
            try ScheduledDeadlines.measure(entries) { loop, deadline, counter in
                let scheduled = try loop.assumeIsolated().scheduleCallback(at: deadline, handler: counter)
                return { scheduled.cancel() }
            }
        default:
            print("usage: timers wheel|task|callback [ENTRIES]")
            exit(2)
        }
    }

    /// What a received byte does to its deadline: one store.
    private static func heard(_ entries: Int) {
        var heard = ContiguousArray(repeating: UInt64(0), count: entries)
        var random = SplitMix64(seed: 1)
        let stores = 20_000_000
        Meter.measure("heard", operations: stores) {
            for time in 0..<stores { heard[Int.random(below: entries, using: &random)] = UInt64(time) }
        }
        precondition(heard.contains { $0 > 0 })
    }

    /// The wheel with half a millisecond a tick, as the event loops have it, and deadlines within 2 s or 30 s.
    ///
    /// It begins in the middle of a turn of its lowest level, so that half of the near deadlines are filed a second time.
    private static func wheel(_ count: Int, horizon: Int, suffix: String = "") {
        let moves = 5_000_000
        let start: UInt64 = 2_048
        var wheel = TimingWheel(startingAt: start, minimumCapacity: count)
        var random = SplitMix64(seed: 1)
        var entries = ContiguousArray<TimingWheel.Entry>()
        entries.reserveCapacity(count)
        func tick() -> UInt64 { start + UInt64(1 + Int.random(below: horizon, using: &random)) }
        Meter.measure("insert" + suffix, operations: count) {
            for _ in 0..<count {
                let entry = wheel.add()
                wheel.arm(entry, at: tick())
                entries.append(entry)
            }
        }
        // Drawn before, so that only the wheel is measured, and not the way to its handles.
        let moved = ContiguousArray((0..<moves).map { _ in entries[Int.random(below: count, using: &random)] })
        Meter.measure("move" + suffix, operations: moves) {
            for entry in moved { wheel.arm(entry, at: tick()) }
        }
        var sum = 0
        Meter.measure("expire" + suffix, operations: count) {
            while let next = wheel.nextTick {
                wheel.advance(to: next)
                while let entry = wheel.popDue() { sum &+= entry.index }
            }
        }
        precondition(sum == count * (count - 1) / 2, "not every entry expired once")
    }
}

extension Int {
    /// A number from 0 up to `bound`, for less than the generic functions cost.
    @inline(__always)
    static func random(below bound: Int, using generator: inout SplitMix64) -> Int {
        Int(truncatingIfNeeded: generator.next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
