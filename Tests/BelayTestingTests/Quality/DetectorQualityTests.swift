//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

@Suite struct DetectorQualityTests {
    struct Vectors: Decodable {
        struct Metrics: Decodable {
            struct Result: Decodable {
                let window: [Double]
                let S_transitions: [Double]
                let mistake_durations: [Double]
                let TMR_samples: [Double]
                let query_accuracy: Double
            }
            let result: Result
        }
        struct Section: Decodable {
            struct Trace: Decodable {
                struct Step: Decodable {
                    let seq: Int
                    let t: Double
                }
                let eta: Double
                let n: Int
                let alpha: Double
                let steps: [Step]
            }
            let traces: [Trace]
        }
        let qosMetrics: Metrics
        let nfde: Section
    }

    @Test("the metrics of the published transitions are those that were computed for them")
    func fromTransitions() throws {
        let result = try DetectorVectors.decode(Vectors.self).qosMetrics.result
        var quality = DetectorQuality(from: .at(result.window[0]))
        for (start, duration) in zip(result.S_transitions, result.mistake_durations) {
            quality.suspected(at: .at(start))
            quality.trusted(at: .at(start + duration))
        }
        quality.ended(at: .at(result.window[1]))
        Self.expect(quality, result)
    }

    @Test("a trial of NFD-E on the published trace has the same metrics")
    func fromTrial() throws {
        let vectors = try DetectorVectors.decode(Vectors.self)
        let trace = vectors.nfde.traces[0]
        let detector = NFDE(interval: .seconds(trace.eta), margin: .fixed(.seconds(trace.alpha)), window: trace.n)
        let arrivals = Dictionary(uniqueKeysWithValues: trace.steps.map { ($0.seq, Instant.at($0.t)) })
        let last = try #require(trace.steps.map(\.seq).max())
        let heartbeats = (0...last).map {
            Heartbeat(number: $0, sentAt: .at(Double($0) * trace.eta), arrivedAt: arrivals[$0])
        }
        Self.expect(detector.quality(on: heartbeats), vectors.qosMetrics.result)
    }

    private static func expect(_ quality: DetectorQuality, _ result: Vectors.Metrics.Result) {
        #expect(quality.mistakes == result.S_transitions.count)
        #expect(Self.isNear(quality.meanRecurrence, Self.mean(result.TMR_samples)))
        #expect(Self.isNear(quality.meanMistakeDuration, Self.mean(result.mistake_durations)))
        #expect(abs(quality.queryAccuracy - result.query_accuracy) < 1e-9)
    }

    private static func mean(_ samples: [Double]) -> Double { samples.reduce(0, +) / Double(samples.count) }

    private static func isNear(_ duration: Duration?, _ seconds: Double) -> Bool {
        duration.map { abs($0 / .seconds(1) - seconds) < 3e-9 } ?? false
    }

    @Test("a suspicion from before is no mistake, but takes its time")
    func suspectedBefore() {
        var quality = DetectorQuality(from: .at(0), isSuspected: true)
        quality.suspected(at: .at(0.5))
        quality.trusted(at: .at(1))
        quality.ended(at: .at(4))
        #expect(quality.mistakes == 0)
        #expect(quality.meanMistakeDuration == nil)
        #expect(quality.queryAccuracy == 0.75)
        quality.suspected(at: .at(4))
        quality.trusted(at: .at(6))
        #expect(quality.mistakes == 1)
        #expect(quality.meanMistakeDuration == .seconds(2))
        #expect(quality.queryAccuracy == 0.5)
    }

    @Test("a mistake that is not corrected counts, with the time until the end, but has no duration")
    func suspectedAfter() {
        var quality = DetectorQuality(from: .at(0))
        quality.suspected(at: .at(3))
        quality.suspected(at: .at(3.5))
        quality.ended(at: .at(4))
        #expect(quality.mistakes == 1)
        #expect(quality.meanMistakeDuration == nil)
        #expect(quality.meanRecurrence == nil)
        #expect(quality.queryAccuracy == 0.75)
    }

    @Test("of no time at all nothing is known, and nothing was wrong")
    func empty() {
        let quality = DetectorQuality(from: .at(1))
        #expect(quality.mistakes == 0)
        #expect(quality.queryAccuracy == 1)
        #expect(quality.meanRecurrence == nil)
        #expect(quality.meanDetection == nil)
        #expect(quality.longestDetection == nil)
    }

    @Test("the time to detect has a mean and a longest, and is never negative")
    func detection() {
        var quality = DetectorQuality(from: .at(0))
        for seconds in [2.0, 5, -4, 1] { quality.detected(in: .seconds(seconds)) }
        #expect(quality.meanDetection == .seconds(2))
        #expect(quality.longestDetection == .seconds(5))
    }
}
