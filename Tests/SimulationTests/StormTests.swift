//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import BelayTesting

@Suite("a server that loses everybody at once") struct StormTests {
    private static func storm(clients: Int, seed: UInt64) -> SimulatedStorm {
        SimulatedStorm(
            clients: clients,
            policy: LivenessPolicy(detectWithin: .seconds(3)),
            over: LinkConditions(latency: .milliseconds(20), jitter: .milliseconds(20)),
            seed: seed
        )
    }

    /// Both ends judge by the same bound, and clients hear of nothing: the server may still hold the old connection of a
    /// client that is back.
    @Test("ends each connection once, and has everybody online again", arguments: 1...3 as ClosedRange<UInt64>)
    func storm(seed: UInt64) throws {
        let storm = Self.storm(clients: 16, seed: seed)
        try storm.run(for: .seconds(12))
        #expect(storm.opened == 16 && storm.isEverybodyOnline)
        #expect(storm.serverLoop.wheel.entryCount == 16)
        storm.interrupt(for: .milliseconds(2_900))
        try storm.run(for: .seconds(45))
        #expect(storm.isEverybodyOnline, "\(storm.onlineCount) are online")
        #expect(storm.opened >= 24, "most of them had to come back")
        let ended = storm.opened - storm.openAtServer
        #expect(storm.serverCloses == ended && storm.clientCloses == ended)
        #expect(storm.serverLoop.wheel.entryCount == storm.openAtServer && storm.openAtServer == 16)
        #expect(storm.complaints.isEmpty, "\(storm.complaints)")
    }

    /// Everybody learns of it at the same instant: what keeps them apart is the jitter of the backoff alone, whose first
    /// delay is up to 500 ms.
    @Test("is never met in step (R14)", arguments: 1...3 as ClosedRange<UInt64>)
    func reset(seed: UInt64) throws {
        let storm = Self.storm(clients: 32, seed: seed)
        try storm.run(for: .seconds(15))
        #expect(storm.opened == 32)
        storm.resetEverybody()
        try storm.run(for: .seconds(5))
        #expect(storm.opened == 64 && storm.clientCloses == 32 && storm.isEverybodyOnline)
        let returns = storm.connects.dropFirst(32)
        let (first, last) = try (#require(returns.min()), #require(returns.max()))
        #expect(last - first >= .milliseconds(350) && last - first <= .milliseconds(500), "within \(last - first)")
        let busiest = returns.map { start in returns.filter { $0 >= start && $0 < start + .milliseconds(20) }.count }
        #expect(busiest.allSatisfy { $0 <= 8 }, "\(busiest.max() ?? 0) came within 20 ms")
        #expect(storm.complaints.isEmpty, "\(storm.complaints)")
    }
}
