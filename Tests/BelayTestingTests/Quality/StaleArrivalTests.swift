//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

/// The comparison of detectors in short form: set to the same mean time to detect, they differ in the longest.
///
/// The program in Simulations makes the whole tables.
@Suite struct StaleArrivalTests {
    private static func phi(threshold: Double, interval: Duration) -> PhiAccrual {
        var configuration = PhiAccrual.Configuration()
        configuration.threshold = threshold
        return PhiAccrual(interval: interval, configuration: configuration)
    }

    /// By how much the longest time to detect exceeds the mean, which has to be the one given.
    private static func excess(
        of detector: some FailureDetector,
        on heartbeats: some Sequence<Heartbeat>,
        mean: Duration
    ) throws -> Duration {
        let quality = detector.quality(on: heartbeats, warmUp: 1_000)
        let measured = try #require(quality.meanDetection)
        #expect(abs(measured / mean - 1) < 0.03, "\(measured)")
        return try #require(quality.longestDetection) - measured
    }

    @Test("after an outage of TCP a timer that starts with an arrival detects late, NFD-E hardly")
    func tcp() throws {
        let (interval, mean) = (Duration.milliseconds(250), Duration.seconds(1))
        let heartbeats = TCPHeartbeats(interval: interval, seed: 1).prefix(60_000)
        let margin = NFDE.Margin.fixed(.milliseconds(725))
        let ours = try Self.excess(
            of: NFDE(interval: interval, margin: margin, window: 1_000),
            on: heartbeats,
            mean: mean
        )
        #expect(ours < .milliseconds(600))
        let others = [
            try Self.excess(of: FixedDeadline(interval: .milliseconds(975), multiplier: 1), on: heartbeats, mean: mean),
            try Self.excess(
                of: NFDE(interval: interval, margin: margin, window: 1_000, stallWindow: 1),
                on: heartbeats,
                mean: mean
            ),
            try Self.excess(of: Self.phi(threshold: 90, interval: interval), on: heartbeats, mean: mean),
        ]
        for other in others { #expect(other > ours * 10, "\(other), NFD-E \(ours)") }
    }

    @Test("without any outage the time to detect of a timer varies with the delay, that of NFD-E with its mean only")
    func wideArea() throws {
        let (interval, mean) = (WideAreaHeartbeats.interval, Duration.milliseconds(400))
        let heartbeats = WideAreaHeartbeats(seed: 1).prefix(100_000)
        let ours = try Self.excess(
            of: NFDE(interval: interval, margin: .fixed(.milliseconds(149)), window: 1_000),
            on: heartbeats,
            mean: mean
        )
        #expect(ours < .milliseconds(10))
        let fixed = FixedDeadline(interval: .milliseconds(253), multiplier: 1)
        #expect(try Self.excess(of: fixed, on: heartbeats, mean: mean) > ours * 10)
    }
}
