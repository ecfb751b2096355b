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
    /// Both ends judge by the same bound, and clients hear of nothing: the server may still hold the old connection of a
    /// client that is back.
    @Test(
        "ends each connection once, has everybody online again, and is never met in step",
        arguments: 1...3 as ClosedRange<UInt64>
    )
    func storm(seed: UInt64) throws {
        let storm = SimulatedStorm(
            clients: 16,
            policy: LivenessPolicy(detectWithin: .seconds(3)),
            over: LinkConditions(latency: .milliseconds(20), jitter: .milliseconds(20)),
            seed: seed
        )
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
        let returns = storm.connects.dropFirst(16)
        let busiest = returns.map { first in returns.filter { $0 >= first && $0 < first + .milliseconds(20) }.count }
            .max()
        #expect((busiest ?? 0) <= returns.count / 2, "\(busiest ?? 0) of \(returns.count) came within 20 ms")
    }
}
