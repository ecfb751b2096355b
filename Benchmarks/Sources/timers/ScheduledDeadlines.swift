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

/// Deadlines scheduled on an event loop of SwiftNIO.
enum ScheduledDeadlines {
    /// Cancels one.
    typealias Cancel = () -> Void

    // Cancelling looks through all that is scheduled, and an expiry takes 10 us: all 1,000,000 would take minutes.
    private static let moves = 100
    private static let expiries = 100_000

    /// Schedules `entries`, moves some, and lets some expire while all the others wait.
    ///
    /// - Parameters:
    ///   - entries: how many deadlines.
    ///   - schedule: schedules one on the loop.
    /// - Throws: what scheduling throws.
    static func measure(
        _ entries: Int,
        _ schedule: @escaping @Sendable (any EventLoop, NIODeadline, ExpiryCounter) throws -> Cancel
    ) throws {
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let soon = NIODeadline.now() + .seconds(6)
        let counter = try loop.submit {
            let counter = ExpiryCounter()
            var random = SplitMix64(seed: 1)
            var cancels = ContiguousArray<Cancel>()
            cancels.reserveCapacity(entries)
            func deadline(_ index: Int) -> NIODeadline {
                let within = Int64(Int.random(below: 100_000_000, using: &random))
                return (index < Self.expiries ? soon : soon + .hours(1)) + .nanoseconds(within)
            }
            try Meter.measure("insert", operations: entries) {
                for index in 0..<entries { cancels.append(try schedule(loop, deadline(index), counter)) }
            }
            try Meter.measure("move", operations: Self.moves) {
                for _ in 0..<Self.moves {
                    let index = Int.random(below: entries, using: &random)
                    cancels[index]()
                    cancels[index] = try schedule(loop, deadline(index), counter)
                }
            }
            return NIOLoopBound(counter, eventLoop: loop)
        }.wait()
        precondition(NIODeadline.now() < soon, "this machine is too slow: entries expired before all were there")
        while NIODeadline.now() < soon - .milliseconds(20) { usleep(1000) }
        let allocated = Meter.allocations
        let start = Self.processorNanoseconds
        try loop.scheduleTask(deadline: soon + .milliseconds(200)) {}.futureResult.wait()
        let end = Self.processorNanoseconds
        let fired = try loop.submit { counter.value.fired }.wait()
        precondition(fired == min(entries, Self.expiries), "\(fired) entries expired")
        Meter.report("expire", operations: fired, nanoseconds: end - start, since: allocated)
        exit(0)  // what is still scheduled would take minutes to cancel
    }

    private static var processorNanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// Counts what expires; confined to its event loop.
final class ExpiryCounter: NIOScheduledCallbackHandler {
    var fired = 0

    func handleScheduledCallback(eventLoop: some EventLoop) { self.fired += 1 }
}
