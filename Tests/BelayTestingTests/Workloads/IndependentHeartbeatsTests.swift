//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

@Suite struct IndependentHeartbeatsTests {
    @Test("losses and delays have the moments that were asked for")
    func moments() {
        let moments = WorkloadMoments(IndependentHeartbeats(seed: 1).prefix(200_000))
        #expect(moments.count == 200_000)
        #expect(abs(moments.loss - 0.01) < 0.001)
        // Independent losses: a burst ends with a chance of 0.99.
        #expect(abs(moments.meanBurst - 1 / 0.99) < 0.01)
        #expect(abs(moments.mean - 0.02) < 0.000_2)
        // Of an exponential distribution the deviation is the mean.
        #expect(abs(moments.deviation - 0.02) < 0.000_3)
        #expect(moments.longest > 0.18)
        #expect(moments.overtaken == 0)
    }

    @Test("heartbeats overtake each other where the delay is longer than the interval")
    func overtaking() {
        let heartbeats = IndependentHeartbeats(interval: .milliseconds(20), loss: 0.3, seed: 1)
        let moments = WorkloadMoments(heartbeats.prefix(20_000))
        #expect(moments.overtaken > 2_000)
        #expect(abs(moments.loss - 0.3) < 0.02)
    }

    @Test("each heartbeat follows from the seed and its number")
    func randomAccess() {
        let heartbeats = IndependentHeartbeats(seed: 4)
        for (number, heartbeat) in heartbeats.prefix(1_000).enumerated() {
            #expect(heartbeat == heartbeats[number])
            #expect(heartbeat.number == number)
            #expect(heartbeat.sentAt == .at(Double(number)))
        }
        #expect(heartbeats[7] != IndependentHeartbeats(seed: 5)[7])
        // The same draws as the generator's own.
        var generator = SplitMix64(seed: 4)
        let losses = (0..<1_000).map { _ in Double(generator.next() >> 11) * 0x1p-53 < 0.01 }
        #expect(heartbeats.prefix(1_000).map { $0.arrivedAt == nil } == losses)
    }

    @Test("figures out of range are clamped")
    func limits() throws {
        let all = IndependentHeartbeats(interval: .zero, loss: 7, meanDelay: .seconds(-1), seed: 1)
        #expect(all.interval == .nanoseconds(1))
        #expect(all[3].arrivedAt == nil)
        let none = IndependentHeartbeats(loss: .nan, meanDelay: .zero, seed: 1)
        #expect(none.prefix(1_000).allSatisfy { $0.arrivedAt == $0.sentAt })
    }

    @Test("heartbeats end with the time, without an overflow")
    func endOfTime() {
        let century = Duration.seconds(100 * 365 * 86_400)
        #expect(IndependentHeartbeats(interval: century, loss: 0, seed: 1).map(\.number) == [0, 1, 2])
        // What is still on its way does not arrive.
        #expect(TCPHeartbeats(interval: century, seed: 1).map(\.number) == [0, 1])
        let rare = IndependentHeartbeats(interval: .seconds(86_400), loss: 0.01, seed: 1)
        let detector = NFDS(interval: rare.interval, shift: .seconds(86_400))
        let tolerance = DetectorTolerance(patience: .seconds(86_400), memory: 1)
        let quality = rare.quality(of: detector, mistakes: 1_000_000, tolerance: tolerance)
        // One in a hundred of the days of 290 years.
        #expect((900...1_200).contains(quality.mistakes))
        #expect(quality.meanRecurrence == rare.quality(of: detector, mistakes: 1_000_000).meanRecurrence)
        let late = Instant(nanoseconds: .max - 5)
        var reference = BertierDetector(interval: .seconds(1))
        for at in [Instant(nanoseconds: .min), .at(0), late, .distantFuture] { reference.arrived(sentAt: at, at: late) }
        #expect(reference.suspicionAt == .distantFuture)
    }
}
