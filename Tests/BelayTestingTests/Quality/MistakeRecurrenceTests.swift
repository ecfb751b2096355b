//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import BelayTesting

/// The figure of Chen, Toueg and Aguilera in short form: detector, workload and metrics against what theory says.
///
/// The program in Simulations draws the whole figure.
@Suite struct MistakeRecurrenceTests {
    private static let interval = Duration.seconds(1)
    private static let meanDelay = Duration.milliseconds(20)

    private static func nfde(detectWithin bound: Duration) -> (detector: NFDE, tolerance: DetectorTolerance) {
        let margin = bound - Self.interval - Self.meanDelay
        return (
            NFDE(interval: Self.interval, margin: .fixed(margin), window: 32),
            DetectorTolerance(patience: margin, memory: 32)
        )
    }

    private static func nfds(detectWithin bound: Duration) -> (detector: NFDS, tolerance: DetectorTolerance) {
        let shift = bound - Self.interval
        return (NFDS(interval: Self.interval, shift: shift), DetectorTolerance(patience: shift, memory: 1))
    }

    private static func timeout(
        detectWithin bound: Duration,
        cutoff: Duration
    ) -> (detector: CutoffTimeout, tolerance: DetectorTolerance) {
        let timeout = bound - cutoff
        return (
            CutoffTimeout(timeout: timeout, cutoff: cutoff),
            DetectorTolerance(patience: timeout - Self.interval, cutoff: cutoff, memory: 1)
        )
    }

    @Test("NFD-E and NFD-S err as rarely as theory says", arguments: [1.25, 1.5, 1.75, 2, 2.25, 2.5])
    func againstTheory(bound: Double) throws {
        let (bound, heartbeats) = (Duration.seconds(bound), IndependentHeartbeats(seed: 3))
        let expected = try #require(heartbeats.expectedRecurrence(detectWithin: bound))
        let (nfde, nfdeTolerance) = Self.nfde(detectWithin: bound)
        let (nfds, nfdsTolerance) = Self.nfds(detectWithin: bound)
        for quality in [
            heartbeats.quality(of: nfde, mistakes: 2_000, tolerance: nfdeTolerance),
            heartbeats.quality(of: nfds, mistakes: 2_000, tolerance: nfdsTolerance),
        ] {
            #expect(quality.mistakes == 2_000)
            let ratio = try #require(quality.meanRecurrence) / expected
            #expect((0.9...1.1).contains(ratio), "\(ratio)")
        }
    }

    @Test("where the bound is a multiple of the interval NFD-E errs as theory says of an expectation that is a mean")
    func estimation() throws {
        let (bound, heartbeats) = (Duration.seconds(2), IndependentHeartbeats(seed: 5))
        let (detector, tolerance) = Self.nfde(detectWithin: bound)
        let exact = try #require(heartbeats.expectedRecurrence(detectWithin: bound))
        let expected = try #require(heartbeats.expectedRecurrence(detectWithin: bound, window: 32))
        #expect(abs(expected / exact - 1.066) < 0.001)
        let quality = heartbeats.quality(of: detector, mistakes: 20_000, tolerance: tolerance)
        // 20,000 mistakes have a standard error of 0.7 %.
        #expect(abs(try #require(quality.meanRecurrence) / expected - 1) < 0.025)
    }

    @Test("a timeout with a cutoff errs as theory says, below NFD-S", arguments: [1.25, 1.5, 2.25], [80, 160])
    func timeouts(bound: Double, cutoffMilliseconds: Int) throws {
        let (bound, cutoff) = (Duration.seconds(bound), Duration.milliseconds(cutoffMilliseconds))
        let heartbeats = IndependentHeartbeats(seed: 7)
        let (detector, tolerance) = Self.timeout(detectWithin: bound, cutoff: cutoff)
        let expected = try #require(heartbeats.expectedRecurrence(timeout: bound - cutoff, cutoff: cutoff))
        let quality = heartbeats.quality(of: detector, mistakes: 2_000, tolerance: tolerance)
        let ratio = try #require(quality.meanRecurrence) / expected
        #expect((0.9...1.1).contains(ratio), "\(ratio)")
        #expect(expected < heartbeats.expectedRecurrence(detectWithin: bound) ?? .zero)
    }

    // MARK: - What is left out

    @Test(
        "what a tolerance leaves out changes nothing, to the nanosecond",
        arguments: [1.03, 1.25, 1.98, 2.03, 2.1, 2.5]
    )
    func leftOut(bound: Double) {
        let (bound, heartbeats) = (Duration.seconds(bound), IndependentHeartbeats(loss: 0.05, seed: 9))
        let (nfde, nfdeTolerance) = Self.nfde(detectWithin: bound)
        let (nfds, nfdsTolerance) = Self.nfds(detectWithin: bound)
        let (timeout, timeoutTolerance) = Self.timeout(detectWithin: bound, cutoff: .milliseconds(80))
        func check(_ detector: some FailureDetector, _ tolerance: DetectorTolerance) {
            let whole = heartbeats.quality(of: detector, mistakes: 60)
            #expect(heartbeats.quality(of: detector, mistakes: 60, tolerance: tolerance) == whole, "\(tolerance)")
            #expect(whole.mistakes == 60)
        }
        check(nfde, nfdeTolerance)
        check(nfds, nfdsTolerance)
        check(timeout, timeoutTolerance)
    }

    @Test("most heartbeats are left out where mistakes are rare")
    func runs() throws {
        let heartbeats = IndependentHeartbeats(seed: 11)
        let runs = try #require(
            HeartbeatRuns(in: heartbeats, tolerance: Self.nfde(detectWithin: .seconds(3.5)).tolerance)
        )
        #expect(runs.length == 3)
        // Three losses in a row are one in a million.
        var (number, found) = (0, 0)
        while number < 20_000_000 {
            number = runs.end(of: runs.firstRun(from: number)) + 1
            found += 1
        }
        #expect((8...36).contains(found), "\(found)")
    }

    @Test("where heartbeats overtake each other nothing is left out")
    func overtaking() {
        let slow = IndependentHeartbeats(interval: .milliseconds(100), meanDelay: .milliseconds(50), seed: 1)
        #expect(HeartbeatRuns(in: slow, tolerance: DetectorTolerance(patience: .seconds(1), memory: 1)) == nil)
        let detector = NFDS(interval: slow.interval, shift: .milliseconds(100))
        let quality = slow.quality(
            of: detector,
            mistakes: 100,
            tolerance: DetectorTolerance(patience: .zero, memory: 1)
        )
        #expect(quality == slow.quality(of: detector, mistakes: 100))
        #expect(quality.mistakes == 100)
    }
}
