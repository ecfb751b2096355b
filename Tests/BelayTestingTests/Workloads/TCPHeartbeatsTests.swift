//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

@Suite struct TCPHeartbeatsTests {
    private static let never: TCPHeartbeats.Outages = {
        var outages = TCPHeartbeats.Outages()
        outages.meanTimeBetween = .seconds(1e9)
        return outages
    }()

    @Test("nothing is lost, nothing overtakes, and most heartbeats take half of a round trip")
    func complete() {
        let heartbeats = Array(TCPHeartbeats(seed: 1).prefix(20_000))
        let moments = WorkloadMoments(heartbeats)
        #expect(moments.lost == 0)
        #expect(moments.overtaken == 0)
        #expect(moments.shortest == 0.02)
        let onTime = heartbeats.count { $0.sentAt.duration(to: $0.arrivedAt ?? .distantFuture) == .milliseconds(20) }
        #expect(Double(onTime) / 20_000 > 0.97)
        #expect(heartbeats.map(\.number) == Array(0..<20_000))
        #expect(heartbeats.allSatisfy { $0.sentAt == .at(Double($0.number) * 0.25) })
    }

    @Test("a loss costs one round trip and 200 ms, and the heartbeat behind it waits for its acknowledgement")
    func singleLoss() {
        let heartbeats = TCPHeartbeats(outages: Self.never, seed: 1).prefix(40_000)
        let delays = heartbeats.compactMap { beat in beat.arrivedAt.map { beat.sentAt.duration(to: $0) } }
        #expect(delays.count == 40_000)
        #expect(abs(Double(delays.count { $0 == .milliseconds(260) }) / 40_000 - 0.01) < 0.002)
        #expect(abs(Double(delays.count { $0 == .milliseconds(50) }) / 40_000 - 0.01) < 0.002)
        // The retransmission was lost too: two timeouts.
        let twice = delays.count { $0 > .milliseconds(300) }
        #expect((1...20).contains(twice), "\(twice)")
        #expect(delays.max() == .milliseconds(500))
    }

    @Test("an outage becomes a silence of up to twice its length, at whose end everything arrives together")
    func outage() throws {
        var outages = TCPHeartbeats.Outages()
        (outages.meanTimeBetween, outages.medianLength, outages.spread) = (.seconds(200), .seconds(4), 0)
        let conditions = LinkConditions(latency: .milliseconds(20))
        let heartbeats = TCPHeartbeats(conditions: conditions, outages: outages, seed: 1).prefix(40_000)
        var silences: [Duration] = []
        var (last, together, mostTogether) = (Instant.at(0), 0, 0)
        for heartbeat in heartbeats {
            let arrivedAt = try #require(heartbeat.arrivedAt)
            if last.duration(to: arrivedAt) > .seconds(1) { silences.append(last.duration(to: arrivedAt)) }
            together = last == arrivedAt ? together + 1 : 1
            mostTogether = max(mostTogether, together)
            last = arrivedAt
        }
        // 10,000 s of a cycle of 204 s.
        #expect((30...70).contains(silences.count), "\(silences.count)")
        #expect(silences.allSatisfy { $0 > .seconds(4) })
        // Timeouts from 0.24 s on that double end 7.68 s after the first loss. In a longer silence the next outage began.
        let single = silences.count { $0 < .seconds(8.2) }
        #expect(Double(single) / Double(silences.count) > 0.9)
        #expect(silences.count { $0 > .seconds(7.6) } > silences.count / 3)
        #expect(mostTogether >= 7 * 4)
    }

    @Test("a seed makes the same heartbeats each time")
    func repeatable() {
        let heartbeats = Array(TCPHeartbeats(seed: 2).prefix(5_000))
        #expect(heartbeats == Array(TCPHeartbeats(seed: 2).prefix(5_000)))
        #expect(heartbeats != Array(TCPHeartbeats(seed: 3).prefix(5_000)))
    }
}
