//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R11: the options of the kernel that follow from a bound")
struct KernelTimeoutsTests {
    private static let bounds: [Duration] =
        [20, 300, 1_000, 1_001, 2_000, 3_000, 3_999, 4_000, 5_000, 7_300, 8_000, 30_000, 60_000, 120_000]
        .map { .milliseconds($0) } + [.seconds(3_600), .seconds(32_767), .seconds(65_534), .seconds(86_400)]

    private static func kernel(
        _ bound: Duration,
        _ mode: KernelTimeouts.Mode = .patient,
        writeWithin: Duration? = nil
    ) throws -> KernelTimeouts {
        var policy = LivenessPolicy(detectWithin: bound)
        policy.writeWithin = writeWithin
        return KernelTimeouts(try policy.timings(), mode: mode)
    }

    @Test("R11: KEEPIDLE + KEEPINTVL x KEEPCNT is the bound in whole seconds, 2 s at least", arguments: bounds)
    func keepalive(bound: Duration) throws {
        let kernel = try Self.kernel(bound)
        let idle = Int64(try #require(kernel.keepaliveIdleSeconds))
        let total = idle + Int64(kernel.keepaliveIntervalSeconds) * Int64(kernel.keepaliveCount)
        // Never before the heartbeat, and no more than the rounding of the kernel's seconds after it.
        #expect(.seconds(total) >= bound)
        #expect(.seconds(total) < max(bound, .seconds(2)) + .seconds(3))
    }

    @Test("R11: each keepalive option is in the range that the kernel takes", arguments: bounds)
    func ranges(bound: Duration) throws {
        let kernel = try Self.kernel(bound)
        #expect((1...32_767).contains(kernel.keepaliveIdleSeconds ?? 0))
        #expect((1...32_767).contains(kernel.keepaliveIntervalSeconds))
        #expect((1...127).contains(kernel.keepaliveCount))
    }

    @Test("R11: more than one probe is sent as soon as the bound has room for it")
    func probes() throws {
        #expect(try Self.kernel(.seconds(2)).keepaliveCount == 1)
        for bound in Self.bounds where bound >= .seconds(4) {
            #expect(try Self.kernel(bound).keepaliveCount == 3, "\(bound)")
        }
    }

    @Test("R11: the user timeout is twice the bound, never the bound itself", arguments: bounds)
    func userTimeout(bound: Duration) throws {
        let shortest = Duration.seconds(bound <= .seconds(2) ? 3 : 0)
        #expect(try .milliseconds(Self.kernel(bound).userTimeoutMilliseconds) == max(bound * 2, shortest))
    }

    @Test("R11: no single lost probe ends a living connection while its process is stopped", arguments: bounds)
    func lostProbes(bound: Duration) throws {
        let kernel = try Self.kernel(bound)
        let idle = try #require(kernel.keepaliveIdleSeconds)
        #expect(kernel.userTimeoutMilliseconds >= 1_000 * (idle + 2 * kernel.keepaliveIntervalSeconds))
    }

    @Test("R11: the user timeout is no shorter than not reading is tolerated")
    func userTimeoutOfSlowReaders() throws {
        let kernel = try Self.kernel(.seconds(30), writeWithin: .seconds(300))
        #expect(kernel.userTimeoutMilliseconds == 300_000)
        #expect(try Self.kernel(.seconds(30), writeWithin: .seconds(59)).userTimeoutMilliseconds == 60_000)
        let mobile = KernelTimeouts(try LivenessPolicy.mobile.timings())
        #expect(mobile.userTimeoutMilliseconds == 240_000)
    }

    @Test("R11: without its user timeout the kernel gives nobody up earlier than with it", arguments: bounds)
    func withoutUserTimeout(bound: Duration) throws {
        for writeWithin in [bound, bound * 10] {
            let kernel = try Self.kernel(bound, writeWithin: min(writeWithin, .seconds(86_400)))
            let lifted = kernel.withoutUserTimeout
            // RFC 6298's doubling from Linux' shortest timeout, 200 ms; the last of 15 repetitions waits as long as the others.
            let pauses = (0...15).map { min(200 << $0, Int64(kernel.longestRetransmissionMilliseconds)) }
            if Int64(kernel.userTimeoutMilliseconds) <= pauses.reduce(0, +) {
                #expect(lifted.userTimeoutMilliseconds == 0)
                #expect(lifted.idleVerdict == kernel.idleVerdict)
            } else {
                #expect(lifted.userTimeoutMilliseconds == .max)
            }
            #expect(lifted.keepaliveCount <= 127)
        }
    }

    @Test("R11: up to a bound of 7 minutes the repetitions last longer than the user timeout, and it is none at all")
    func repetitions() throws {
        for (seconds, expected) in [(1, 0), (30, 0), (420, 0), (500, Int32.max), (3_600, .max)] as [(Int64, Int32)] {
            #expect(
                try Self.kernel(.seconds(seconds)).withoutUserTimeout.userTimeoutMilliseconds == expected,
                "\(seconds) s"
            )
        }
        let patient = try Self.kernel(.seconds(30), writeWithin: .seconds(300)).withoutUserTimeout
        #expect(patient.userTimeoutMilliseconds == .max)
    }

    @Test("R11: a strict listener has the bound as user timeout, whatever the write deadline", arguments: bounds)
    func strict(bound: Duration) throws {
        #expect(try .milliseconds(Self.kernel(bound, .strict).userTimeoutMilliseconds) == bound)
        let slow = try Self.kernel(bound, .strict, writeWithin: .seconds(86_400))
        #expect(.milliseconds(slow.userTimeoutMilliseconds) == bound)
    }

    @Test("R11: the longest pause between retransmissions is a third of the bound, from 1 s to 120 s")
    func retransmissions() throws {
        let rows: [(seconds: Int64, milliseconds: Int32)] = [
            (1, 1_000), (3, 1_000), (6, 2_000), (30, 10_000), (360, 120_000), (361, 120_000), (86_400, 120_000),
        ]
        for (seconds, milliseconds) in rows {
            let kernel = try Self.kernel(.seconds(seconds))
            #expect(kernel.longestRetransmissionMilliseconds == milliseconds, "\(seconds) s")
        }
        #expect(try Self.kernel(.milliseconds(20)).longestRetransmissionMilliseconds == 1_000)
    }

    @Test("R11: heartbeats are not held back by the kernel, nor by our own backlog in it")
    func buffering() throws {
        let kernel = try Self.kernel(.seconds(30))
        #expect(kernel.noDelay)
        #expect(kernel.notSentLowWatermarkBytes == 16_384)
    }
}
