//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite struct PhiAccrualTests {
    struct Vectors: Decodable {
        struct Phi: Decodable {
            let akka_sequences_ms: [Sequence]
            let komamitsu_test: Komamitsu
            let cassandra: Cassandra
        }
        struct Sequence: Decodable {
            struct Options: Decodable {
                let pause: Int?
                let maxN: Int?
            }
            struct Operation: Decodable {
                let op: String
                let t: Double
                let phi_akka: Double?
                let phi_exact_same_stats: Double?
                let available: Bool?
            }
            let name: String
            let config: Options
            let ops: [Operation]
            let ops_prefix: String?
        }
        struct Komamitsu: Decodable {
            struct Point: Decodable {
                let i: Double
                let phi: Double
                let avail: Bool
            }
            let computed: [Point]
            let computed_i_205: Point
        }
        struct Cassandra: Decodable {
            struct Case: Decodable {
                let now_ms: Double
                let phi_log10: Double
                let tol: Double
                let computed: Double
            }
            let window: Int
            let add_ms: [Double]
            let cases: [Case]
        }
        let phi: Phi
    }

    /// As Akka and its ports are set up in their tests.
    private static func configuration(
        _ tail: PhiTail,
        threshold: Double = 8,
        window: Int = 1_000,
        deviation: Duration = .milliseconds(100),
        pause: Duration = .zero,
        first: Duration? = .seconds(1)
    ) -> PhiAccrual.Configuration {
        var configuration = PhiAccrual.Configuration()
        configuration.tail = tail
        configuration.threshold = threshold
        configuration.window = window
        configuration.smallestDeviation = deviation
        configuration.acceptablePause = pause
        configuration.firstEstimate = first
        return configuration
    }

    @Test("Akka's sequences give Akka's phi, and the exact one for the same history")
    func akkaSequences() throws {
        let sequences = try DetectorVectors.decode(Vectors.self).phi.akka_sequences_ms
        #expect(sequences.count == 5)
        for sequence in sequences {
            let pause = Duration.milliseconds(sequence.config.pause ?? 0)
            let window = sequence.config.maxN ?? 1_000
            var akka = PhiAccrual(
                interval: .seconds(1),
                configuration: Self.configuration(.logistic, window: window, pause: pause)
            )
            var exact = PhiAccrual(
                interval: .seconds(1),
                configuration: Self.configuration(.normal, window: window, pause: pause)
            )
            let prefix = sequence.ops_prefix == nil ? 0 : 1_000
            for number in 0..<prefix {
                akka.arrived(sentAt: .at(Double(number)), at: .at(Double(number)))
                exact.arrived(sentAt: .at(Double(number)), at: .at(Double(number)))
            }
            for operation in sequence.ops {
                let now = Instant.at(milliseconds: operation.t)
                guard operation.op == "query" else {
                    akka.arrived(sentAt: now, at: now)
                    exact.arrived(sentAt: now, at: now)
                    continue
                }
                let comment = "\(sequence.name) at \(operation.t)"
                if let phi = operation.phi_akka {
                    #expect(abs(akka.phi(at: now) - phi) <= 1e-6 * max(1, phi), "\(comment)")
                } else {
                    #expect(akka.phi(at: now).isFinite && akka.phi(at: now) > 100, "\(comment)")
                }
                let phi = try #require(operation.phi_exact_same_stats)
                #expect(abs(exact.phi(at: now) - phi) <= 1e-6 * max(1, phi), "\(comment)")
                #expect((akka.verdict(at: now) == .alive) == operation.available, "\(comment)")
            }
        }
    }

    @Test("the port to Java agrees on a peer that drops every fifth heartbeat")
    func komamitsu() throws {
        let vectors = try DetectorVectors.decode(Vectors.self).phi.komamitsu_test
        var detector = PhiAccrual(
            interval: .seconds(1),
            configuration: Self.configuration(
                .logistic,
                threshold: 16,
                window: 200,
                deviation: .milliseconds(500),
                first: .milliseconds(500)
            )
        )
        for number in 0...290 where number <= 200 || !number.isMultiple(of: 5) {
            let now = Instant.at(Double(number))
            if Double(number) == vectors.computed_i_205.i + 1 {
                let phi = detector.phi(at: .at(vectors.computed_i_205.i))
                #expect(abs(phi - vectors.computed_i_205.phi) < 1e-6)
            }
            detector.arrived(sentAt: now, at: now)
        }
        for point in vectors.computed {
            #expect(abs(detector.phi(at: .at(point.i)) - point.phi) < 1e-6 * point.phi, "\(point.i)")
            #expect((detector.verdict(at: .at(point.i)) == .alive) == point.avail, "\(point.i)")
        }
    }

    @Test("Cassandra's window gives Cassandra's phi")
    func cassandra() throws {
        let vectors = try DetectorVectors.decode(Vectors.self).phi.cassandra
        var detector = PhiAccrual(
            interval: .milliseconds(111),
            configuration: Self.configuration(.exponential, window: vectors.window, first: .seconds(2))
        )
        for time in vectors.add_ms {
            detector.arrived(sentAt: .at(milliseconds: time), at: .at(milliseconds: time))
        }
        for example in vectors.cases {
            let phi = detector.phi(at: .at(milliseconds: example.now_ms))
            #expect(abs(phi - example.phi_log10) <= example.tol)
            #expect(abs(phi - example.computed) <= 1e-9)
        }
    }

    @Test(
        "the peer is suspected from the nanosecond on at which phi reaches the threshold",
        arguments: PhiTail.allCases
    )
    func suspicionTime(tail: PhiTail) {
        var detector = PhiAccrual(interval: .seconds(1), configuration: Self.configuration(tail, threshold: 5))
        for number in 0..<50 {
            let now = Instant.at(Double(number) + (number.isMultiple(of: 3) ? 0.2 : 0))
            detector.arrived(sentAt: now, at: now)
        }
        let suspicion = detector.suspicionAt
        #expect(detector.phi(at: suspicion) >= 5 - 1e-6)
        #expect(detector.phi(at: Instant(nanoseconds: suspicion.nanoseconds - 1_000)) < 5)
    }

    @Test("with pings of our own phi counts from the first unanswered one")
    func pingAndPong() {
        var detector = PhiAccrual(interval: .seconds(10))
        for number in 0..<10 {
            #expect(detector.suspicionAt == .distantFuture)
            let sentAt = Instant.at(Double(number) * 10)
            detector.asked(at: sentAt)
            detector.arrived(sentAt: sentAt, at: .at(Double(number) * 10 + 0.05))
        }
        // Nothing is awaited for another interval.
        #expect(detector.phi(at: .at(99)) < 1e-9)
        detector.asked(at: .at(99))
        // The deviation is taken as a tenth of the interval; phi is 8 at 5.612 of it.
        #expect(abs(detector.suspicionAt.nanoseconds - Instant.at(99 + 0.05 + 5.612).nanoseconds) < 1_000_000)
        detector.heard(at: .at(100))
        #expect(detector.suspicionAt > .at(110))
    }

    @Test("an outage is not learned")
    func outage() {
        var configuration = PhiAccrual.Configuration()
        configuration.longestSample = .seconds(3)
        var detector = PhiAccrual(interval: .seconds(1), configuration: configuration)
        var calm = detector
        var now = 0.0
        for _ in 0..<30 {
            now += 1
            detector.arrived(sentAt: .at(now), at: .at(now))
            calm.arrived(sentAt: .at(now), at: .at(now))
        }
        // One that was suspected, and one that is too long although it was not.
        detector.arrived(sentAt: .at(now + 60), at: .at(now + 60))
        let (first, second) = (detector.suspicionAt, calm.suspicionAt)
        #expect(first.nanoseconds - second.nanoseconds == 60_000_000_000)
    }

    @Test("clocks that jump or lie do not trap")
    func hostileTimes() {
        var configuration = PhiAccrual.Configuration()
        configuration.threshold = .nan
        configuration.window = -1
        configuration.smallestDeviation = .seconds(-1)
        configuration.firstEstimate = .nanoseconds(Int64.max)
        configuration.acceptablePause = .seconds(-1)
        var detector = PhiAccrual(interval: .zero, configuration: configuration)
        for sentAt in [Int64.min, -1, 0, 1, .max] {
            for now in [Int64.max, 0, .min] {
                detector.arrived(sentAt: Instant(nanoseconds: sentAt), at: Instant(nanoseconds: now))
                detector.asked(at: Instant(nanoseconds: now))
                #expect(detector.phi(at: Instant(nanoseconds: now)).isFinite)
                _ = detector.suspicionAt
            }
        }
    }
}
