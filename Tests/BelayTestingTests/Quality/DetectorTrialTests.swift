//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

@Suite struct DetectorTrialTests {
    /// Heartbeats every second with these delays; nil is lost.
    private static func heartbeats(_ delays: [Double?]) -> [Heartbeat] {
        delays.enumerated().map { number, delay in
            Heartbeat(number: number, sentAt: .at(Double(number)), arrivedAt: delay.map { .at(Double(number) + $0) })
        }
    }

    /// Suspects so long after the last arrival.
    private static func timeout(_ seconds: Double) -> FixedDeadline {
        FixedDeadline(interval: .seconds(seconds), multiplier: 1)
    }

    @Test("a suspicion falls when it is due, not when the next heartbeat shows it, and ends with an arrival")
    func mistake() {
        let quality = Self.timeout(1.5).quality(on: Self.heartbeats([0, 0, nil, 0, 0]))
        #expect(quality.mistakes == 1)
        #expect(quality.meanMistakeDuration == .seconds(0.5))
        #expect(quality.queryAccuracy == 1 - 0.5 / 4)
    }

    @Test("a heartbeat that arrives at the very instant of the suspicion is in time")
    func justInTime() {
        #expect(Self.timeout(2).quality(on: Self.heartbeats([0, nil, 0])).mistakes == 0)
        #expect(Self.timeout(1.999_999_999).quality(on: Self.heartbeats([0, nil, 0])).mistakes == 1)
    }

    @Test("an arrival that is stale already does not end a suspicion")
    func staleArrival() {
        // The second one comes when NFD-S has given it up, the fourth is fresh.
        let detector = NFDS(interval: .seconds(1), shift: .seconds(0.5))
        let quality = detector.quality(on: Self.heartbeats([0, 1.8, nil, 0, 0]))
        #expect(quality.mistakes == 1)
        #expect(quality.meanMistakeDuration == .seconds(1.5))
    }

    @Test("the time to detect counts from the sending of each heartbeat, whatever became of it")
    func detection() {
        // Suspicions that stay: at 1.6, 2.5, and for the lost one at 2.5 too.
        let quality = Self.timeout(1.5).quality(on: Self.heartbeats([0.1, 0, nil]))
        #expect(quality.meanDetection == (.milliseconds(1_600) + .milliseconds(1_500) + .milliseconds(500)) / 3)
        #expect(quality.longestDetection == .milliseconds(1_600))
    }

    @Test("a peer that crashes while it is suspected is detected at once")
    func detectionWhileSuspected() {
        let quality = Self.timeout(1.5).quality(on: Self.heartbeats([0, nil, nil, nil]))
        #expect(quality.meanDetection == .seconds(1.5 + 0.5 + 0 + 0) / 4)
    }

    @Test("a peer that crashed cannot be saved by what it would have sent: heartbeats that overtake are not seen early")
    func detectionWithOvertaking() {
        // The first one arrives at 1.9, after the second at 1.2: alone it would be suspected at 3.4. After the second crash
        // both arrive, and the first proves nothing: 2.7.
        let quality = Self.timeout(1.5).quality(on: Self.heartbeats([1.9, 0.2]))
        #expect(quality.longestDetection == .milliseconds(3_400))
        #expect(quality.meanDetection == (.milliseconds(3_400) + .milliseconds(1_700)) / 2)
    }

    @Test("the time to detect is that of real crashes, after each heartbeat, however they overtake each other")
    func detectionOfRealCrashes() {
        let heartbeats = Array(
            IndependentHeartbeats(interval: .milliseconds(10), loss: 0.2, meanDelay: .milliseconds(30), seed: 6).prefix(
                300
            )
        )
        func detections(_ detector: some FailureDetector) -> DetectorQuality {
            var detections = DetectorQuality(from: .at(0))
            for crash in heartbeats.indices {
                let sent = heartbeats[...crash].filter { $0.arrivedAt != nil }
                var crashed = detector
                var suspectedSince: Instant?
                for (sentAt, at) in sent.map({ ($0.sentAt, $0.arrivedAt ?? .distantFuture) }).sorted(by: { $0.1 < $1.1 }
                ) {
                    if suspectedSince == nil, crashed.suspicionAt < at { suspectedSince = crashed.suspicionAt }
                    crashed.arrived(sentAt: sentAt, at: at)
                    suspectedSince = crashed.suspicionAt > at ? nil : suspectedSince ?? at
                }
                let detected = suspectedSince ?? crashed.suspicionAt
                if detected < .distantFuture {
                    detections.detected(in: heartbeats[crash].sentAt.duration(to: detected))
                }
            }
            return detections
        }
        func check(_ detector: some FailureDetector) {
            let (trial, real) = (detector.quality(on: heartbeats), detections(detector))
            #expect(trial.meanDetection == real.meanDetection)
            #expect(trial.longestDetection == real.longestDetection)
            #expect(trial.mistakes > 3)
        }
        check(NFDE(interval: .milliseconds(10), margin: .fixed(.milliseconds(5)), window: 8))
        check(NFDS(interval: .milliseconds(10), shift: .milliseconds(30)))
        check(Self.timeout(0.02))
    }

    @Test("a timer that is started by a stale arrival detects late, a freshness point does not")
    func detectionAfterStaleArrivals() {
        let stalled = Self.heartbeats([0, 5, 4, 3, 2, 1, 0])
        #expect(Self.timeout(1.5).quality(on: stalled).longestDetection == .seconds(6.5))
        let detector = NFDS(interval: .seconds(1), shift: .seconds(0.5))
        #expect(detector.quality(on: stalled).longestDetection == .seconds(1.5))
    }

    @Test("what happens in the warm-up is not judged")
    func warmUp() {
        let heartbeats = Self.heartbeats([0, nil, nil, 0, 0, nil, 0, 0])
        let all = Self.timeout(1.5).quality(on: heartbeats)
        let warm = Self.timeout(1.5).quality(on: heartbeats, warmUp: 4)
        #expect(all.mistakes == 2)
        #expect(warm.mistakes == 1)
        #expect(warm.queryAccuracy == 1 - 0.5 / 3)
        #expect(warm.longestDetection == .seconds(1.5))
    }

    @Test("a detector that says nothing yet makes no mistakes and detects nothing")
    func silence() {
        let silent = PhiAccrual(interval: .seconds(1))
        let quality = silent.quality(on: Self.heartbeats([0, nil, 0, 0, nil, 0]))
        #expect(quality.mistakes == 0)
        #expect(quality.meanDetection == nil)
    }
}
