//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite struct NFDETests {
    struct Vectors: Decodable {
        struct Section: Decodable { let traces: [Trace] }
        struct Trace: Decodable {
            struct Step: Decodable {
                let seq: Int64
                let t: Double
                let EA_exact: String?
                let ignored: Bool?
            }
            struct Transition: Decodable {
                let to: String
                let exact: String
            }
            let eta: Double
            let n: Int
            let n2: Int?
            let alpha: Double
            let steps: [Step]
            let transitions: [Transition]
        }
        let nfde: Section
        let twoWindow: Section
    }

    @Test("the published traces are reproduced to the nanosecond, with one window and with two")
    func traces() throws {
        let vectors = try DetectorVectors.decode(Vectors.self)
        #expect(vectors.nfde.traces.count == 3)
        #expect(vectors.twoWindow.traces.count == 2)
        for trace in vectors.nfde.traces + vectors.twoWindow.traces { try Self.check(trace) }
    }

    private static func check(_ trace: Vectors.Trace) throws {
        let (small, large) = (min(trace.n, trace.n2 ?? trace.n), max(trace.n, trace.n2 ?? trace.n))
        var detector = NFDE(
            interval: .seconds(trace.eta),
            margin: .fixed(.seconds(trace.alpha)),
            window: large,
            stallWindow: trace.n2 == nil ? nil : small
        )
        var transitions: [(Instant, Verdict)] = []
        for (index, step) in trace.steps.enumerated() {
            let now = Instant.at(step.t)
            // Whether it is suspected is settled before what comes now is known.
            if index > 0, transitions.last?.1 == .alive, detector.suspicionAt <= now {
                transitions.append((detector.suspicionAt, .suspect))
            }
            let before = detector.expectedArrival
            detector.arrived(sentAt: .at(Double(step.seq) * trace.eta), at: now)
            if let exact = step.EA_exact {
                #expect(try detector.expectedArrival == Self.nanosecond(after: exact), "heartbeat \(step.seq)")
            } else {
                #expect(step.ignored == true)
                #expect(detector.expectedArrival == before)
            }
            if transitions.last?.1 != .alive, detector.verdict(at: now) == .alive { transitions.append((now, .alive)) }
        }
        transitions.append((detector.suspicionAt, .suspect))
        #expect(transitions.map(\.0) == (try trace.transitions.map { try Self.nanosecond(after: $0.exact) }))
        #expect(transitions.map(\.1) == trace.transitions.map { $0.to == "S" ? .suspect : .alive })
    }

    /// The first whole nanosecond that is not before this number of seconds, written as a fraction.
    private static func nanosecond(after fraction: String) throws -> Instant {
        let parts = try fraction.split(separator: "/").map { try #require(Int64($0)) }
        let (numerator, denominator) = (parts[0] * 1_000_000_000, parts.count > 1 ? parts[1] : 1)
        return Instant(nanoseconds: (numerator + denominator - 1) / denominator)
    }

    @Test("with pings of our own the round trip is the sample, and the first unanswered ping counts")
    func pingAndPong() {
        var detector = NFDE(interval: .seconds(10), margin: .fixed(.milliseconds(500)))
        detector.asked(at: .at(0))
        #expect(detector.suspicionAt == .distantFuture)
        detector.arrived(sentAt: .at(0), at: .at(0.1))
        // The next ping goes out at 10 s at the latest.
        #expect(detector.suspicionAt == .at(10.6))
        detector.asked(at: .at(8))
        #expect(detector.suspicionAt == .at(8.6))
        detector.asked(at: .at(8.5))
        #expect(detector.suspicionAt == .at(8.6))
        // The answer to the first leaves the second one unanswered.
        detector.arrived(sentAt: .at(8), at: .at(8.7))
        #expect(detector.expectedArrival == .at(8.5 + 0.4))
        detector.arrived(sentAt: .at(8.5), at: .at(8.8))
        #expect(detector.expectedArrival == .at(8.5 + 10 + 1.1 / 3 + 0.3e-9))
    }

    @Test("an answer that was held up on the way does not extend the bound")
    func staleAnswer() {
        var detector = NFDE(interval: .seconds(1), margin: .fixed(.milliseconds(500)))
        detector.asked(at: .at(0))
        detector.arrived(sentAt: .at(0), at: .at(0.1))
        detector.asked(at: .at(1))
        detector.asked(at: .at(2))
        detector.asked(at: .at(3))
        detector.arrived(sentAt: .at(1), at: .at(3.1))
        #expect(detector.suspicionAt < .at(3.7))
        #expect(detector.verdict(at: .at(3.7)) == .suspect)
        // Nor does one that a newer answer has overtaken.
        let before = detector.suspicionAt
        detector.arrived(sentAt: .at(0.5), at: .at(3.2))
        #expect(detector.suspicionAt == before)
    }

    @Test("other proof of life postpones suspicion by an interval and is no sample")
    func heard() {
        var detector = NFDE(interval: .seconds(10), margin: .fixed(.milliseconds(500)))
        detector.asked(at: .at(0))
        detector.arrived(sentAt: .at(0), at: .at(0.1))
        detector.asked(at: .at(10))
        detector.heard(at: .at(10.2))
        #expect(detector.suspicionAt == .at(20.8))
        detector.asked(at: .at(20.2))
        #expect(detector.suspicionAt == .at(20.8))

        var ownHeartbeats = NFDE(interval: .seconds(10), margin: .fixed(.milliseconds(500)))
        // The sender's clock is a day ahead.
        ownHeartbeats.arrived(sentAt: .at(86_400), at: .at(0.1))
        #expect(ownHeartbeats.suspicionAt == .at(10.6))
        ownHeartbeats.heard(at: .at(4))
        #expect(ownHeartbeats.suspicionAt == .at(14.5))
    }

    @Test("an adaptive margin follows the deviation, says nothing before fifty samples, and has a floor")
    func adaptiveMargin() throws {
        let everyHour = NFDE.Margin.mistakesAtMostEvery(.seconds(3_600))
        var steady = NFDE(interval: .seconds(1), margin: everyHour)
        var shaky = NFDE(interval: .seconds(1), margin: everyHour)
        for number in 0..<2_000 {
            if number <= 50 { #expect(steady.currentMargin == nil) }
            let sentAt = Instant.at(Double(number))
            steady.arrived(sentAt: sentAt, at: .at(Double(number) + 0.02))
            shaky.arrived(sentAt: sentAt, at: .at(Double(number) + (number.isMultiple(of: 2) ? 0.02 : 0.06)))
        }
        // A path that never varied: a tenth of the interval.
        #expect(steady.currentMargin == .milliseconds(100))
        // The deviation is 20 ms; one mistake in 3,600 heartbeats allows sqrt(3,599) of it.
        let margin = try #require(shaky.currentMargin)
        #expect(abs(margin.milliseconds - 20 * 59.99166) < 10)
    }

    @Test("a path that is late once in fifty times is not forgotten between two of them")
    func rareLateness() {
        var detector = NFDE(interval: .seconds(1), margin: .mistakesAtMostEvery(.seconds(3_600)))
        var shortest = Duration.seconds(1_000)
        for number in 0..<2_000 {
            let delay = number.isMultiple(of: 50) ? 0.25 : 0.01
            detector.arrived(sentAt: .at(Double(number)), at: .at(Double(number) + delay))
            if number > 200, let margin = detector.currentMargin { shortest = min(shortest, margin) }
        }
        #expect(shortest > .milliseconds(250))
    }

    @Test("clocks that jump or lie do not trap")
    func hostileTimes() {
        var detector = NFDE(interval: .zero, margin: .fixed(.seconds(-1)), window: 0, stallWindow: 5_000)
        for sentAt in [Int64.min, -1, 0, 1, .max] {
            for now in [Int64.max, 0, .min] {
                detector.asked(at: Instant(nanoseconds: now))
                detector.arrived(sentAt: Instant(nanoseconds: sentAt), at: Instant(nanoseconds: now))
                detector.heard(at: Instant(nanoseconds: now))
                _ = detector.verdict(at: Instant(nanoseconds: now))
            }
        }
    }
}
