//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the timers of BFD")
struct BFDSessionTests {
    /// `bfd` of `detector-vectors.json`, in microseconds.
    struct Vectors: Decodable, Sendable {
        struct End: Decodable, Sendable {
            let desiredMinTx, requiredMinRx: Int
            let detectMult: Int

            var terms: BFDSession.Terms {
                .init(
                    desiredTransmit: .microseconds(self.desiredMinTx),
                    requiredReceive: .microseconds(self.requiredMinRx),
                    multiplier: self.detectMult
                )
            }
        }

        struct Case: Decodable, Sendable {
            let local, remote: End
            let detectionTimeAsync, detectionTimeDemand, transmitInterval: Int
            let jitteredMin, jitteredMax: Double

            enum CodingKeys: String, CodingKey {
                case local, remote
                case detectionTimeAsync = "detectionTimeAsync_us"
                case detectionTimeDemand = "detectionTimeDemand_us"
                case transmitInterval = "txInterval_us"
                case jitteredMin = "jitteredMin_us"
                case jitteredMax = "jitteredMax_us"
            }
        }

        struct Scenario: Decodable, Sendable {
            let name: String
            let before: [String: Int]
            let set: [String: Int]
            let transmitUntilFinal, transmitAfterFinal, detectUntilFinal, detectAfterFinal: Int?

            enum CodingKeys: String, CodingKey {
                case name, before, set
                case transmitUntilFinal = "tx_until_F"
                case transmitAfterFinal = "tx_after_F"
                case detectUntilFinal = "detect_until_F"
                case detectAfterFinal = "detect_after_F"
            }
        }

        let cases: [Case]
        let rules: [String]
        let scenarios: [Scenario]

        static let all: Vectors? = {
            struct File: Decodable { let bfd: Vectors }
            return try? DetectorVectors.decode(File.self).bfd
        }()
    }

    private static func terms(_ transmit: Int, _ receive: Int, _ multiplier: Int = 3) -> BFDSession.Terms {
        .init(
            desiredTransmit: .microseconds(transmit),
            requiredReceive: .microseconds(receive),
            multiplier: multiplier
        )
    }

    /// A session that is up, and whose intervals both ends know.
    private static func session(
        _ local: BFDSession.Terms,
        _ remote: BFDSession.Terms
    ) -> BFDSession {
        var session = BFDSession(local)
        session.received(remote)
        session.changed(isUp: true)
        session.finalReceived()
        return session
    }

    // MARK: - Vectors

    @Test("the vectors are all there")
    func vectorCount() throws {
        let vectors = try #require(Vectors.all)
        #expect(vectors.cases.count == 9)
        #expect(vectors.rules.count == 9)
        #expect(vectors.scenarios.count == 2)
    }

    @Test("each case gives its detection times, its interval and its jitter", arguments: Vectors.all?.cases ?? [])
    func cases(_ one: Vectors.Case) {
        let session = Self.session(one.local.terms, one.remote.terms)
        #expect(session.detectionTime == .microseconds(one.detectionTimeAsync))
        #expect(session.demandDetectionTime == .microseconds(one.detectionTimeDemand))
        #expect(session.transmitInterval == .microseconds(one.transmitInterval))
        #expect(
            session.jitteredInterval
                == .nanoseconds(Int64(one.jitteredMin * 1_000)) ... .nanoseconds(Int64(one.jitteredMax * 1_000))
        )
        #expect(session.sendsPeriodically == (one.remote.requiredMinRx > 0))
    }

    @Test("each scenario keeps the old time until the poll is answered", arguments: Vectors.all?.scenarios ?? [])
    func scenarios(_ one: Vectors.Scenario) {
        let remote = Self.terms(
            one.before["remoteDesiredMinTx"] ?? 1,
            one.before["remoteRequiredMinRx"] ?? 1,
            one.before["remoteMult"] ?? 3
        )
        func local(_ values: [String: Int]) -> BFDSession.Terms {
            Self.terms(values["desiredMinTx"] ?? 1, values["requiredMinRx"] ?? 1)
        }
        var session = Self.session(local(one.before), remote)
        session.propose(local(one.set))
        #expect(session.isPolling)
        if let expected = one.transmitUntilFinal { #expect(session.transmitInterval == .microseconds(expected)) }
        if let expected = one.detectUntilFinal { #expect(session.detectionTime == .microseconds(expected)) }
        session.finalReceived()
        #expect(!session.isPolling)
        if let expected = one.transmitAfterFinal { #expect(session.transmitInterval == .microseconds(expected)) }
        if let expected = one.detectAfterFinal { #expect(session.detectionTime == .microseconds(expected)) }
    }

    // MARK: - Rules

    @Test("an end that can bear no packets gets none, until it says otherwise")
    func silenceIsAskedFor() {
        var session = Self.session(Self.terms(100, 100), Self.terms(100, 100))
        #expect(session.sendsPeriodically)
        session.received(Self.terms(100, 0))
        #expect(!session.sendsPeriodically)
        session.received(Self.terms(100, 1))
        #expect(session.sendsPeriodically)
    }

    @Test("before the first packet the other end is taken to bear one each microsecond, and cannot be dead")
    func beforeTheFirstPacket() {
        var session = BFDSession(Self.terms(2_000_000, 100))
        #expect(session.sendsPeriodically)
        #expect(session.transmitInterval == .seconds(2))
        #expect(session.detectionTime == nil)
        session.received(Self.terms(3_000_000, 5_000_000))
        #expect(session.transmitInterval == .seconds(5))
        #expect(session.detectionTime == .seconds(9))
    }

    @Test("a session that is not up sends at most once a second")
    func notUp() {
        var session = BFDSession(Self.terms(10_000, 10_000))
        session.received(Self.terms(10_000, 10_000))
        #expect(session.transmitInterval == .seconds(1))
        #expect(session.demandDetectionTime == .seconds(3))
        session.changed(isUp: true)
        #expect(session.isPolling)
        #expect(session.transmitInterval == .milliseconds(10))
        session.finalReceived()
        session.changed(isUp: false)
        #expect(session.isPolling)
        #expect(session.transmitInterval == .seconds(1))
        session.propose(Self.terms(20_000, 10_000))
        #expect(session.transmitInterval == .seconds(1))
        session.propose(Self.terms(3_000_000, 10_000))
        #expect(session.transmitInterval == .seconds(3))
    }

    @Test("going down ends the wait for a confirmation")
    func goingDownWhilePolling() {
        var session = Self.session(Self.terms(1_000_000, 300_000), Self.terms(1, 1))
        session.propose(Self.terms(3_000_000, 100_000))
        #expect(session.transmitInterval == .seconds(1))
        #expect(session.detectionTime == .milliseconds(900))
        session.changed(isUp: false)
        #expect(session.transmitInterval == .seconds(3))
        #expect(session.detectionTime == .milliseconds(300))
    }

    @Test("a change of either interval is polled until it is confirmed; one of the multiplier alone is not")
    func polling() {
        let before = Self.terms(100, 100)
        for changed in [Self.terms(200, 100), Self.terms(50, 100), Self.terms(100, 200), Self.terms(100, 50)] {
            var session = Self.session(before, before)
            #expect(!session.isPolling)
            session.propose(changed)
            #expect(session.isPolling)
            session.finalReceived()
            #expect(!session.isPolling)
            #expect(session.local == changed)
        }
        var session = Self.session(before, before)
        session.propose(Self.terms(100, 100, 5))
        #expect(!session.isPolling)
        #expect(session.demandDetectionTime == .microseconds(500))
        session.propose(session.local)
        #expect(!session.isPolling)
    }

    @Test("sending more often and waiting longer need no confirmation")
    func safeDirections() {
        var session = Self.session(Self.terms(300_000, 100_000), Self.terms(50_000, 50_000))
        session.propose(Self.terms(100_000, 300_000))
        #expect(session.transmitInterval == .milliseconds(100))
        #expect(session.detectionTime == .milliseconds(900))
    }

    @Test("a change during a poll needs a poll of its own")
    func changedWhilePolling() {
        var session = Self.session(Self.terms(100_000, 1), Self.terms(1, 1))
        session.propose(Self.terms(300_000, 1))
        session.propose(Self.terms(600_000, 1))
        session.finalReceived()
        #expect(session.isPolling)
        #expect(session.transmitInterval == .milliseconds(100))
        session.finalReceived()
        #expect(!session.isPolling)
        #expect(session.transmitInterval == .milliseconds(600))
        session.finalReceived()
        #expect(session.transmitInterval == .milliseconds(600))
    }

    @Test("a peer that sends by the rules is never late, and a dead one is known within the multiple of its interval")
    func worstLoss() {
        var generator = SplitMix64(seed: 7)
        let session = Self.session(Self.terms(100_000, 100_000), Self.terms(100_000, 100_000))
        let range = session.jitteredInterval
        let detection = session.detectionTime ?? .zero
        for _ in 0..<1_000 {
            // The peer's packets are drawn as ours are; two of them in a row are lost.
            let gaps = (0..<3).map { _ in
                Duration.nanoseconds(
                    Int64.random(
                        in: range.lowerBound.wholeNanoseconds...range.upperBound.wholeNanoseconds,
                        using: &generator
                    )
                )
            }
            #expect(gaps.reduce(.zero, +) <= detection)
        }
        #expect(detection == .milliseconds(300))
    }

    @Test("terms that no packet can carry are brought into range")
    func ranges() {
        let high = BFDSession.Terms(
            desiredTransmit: .seconds(Int64.max),
            requiredReceive: .seconds(Int64.max),
            multiplier: .max
        )
        let longest = Duration.microseconds(4_294_967_295)
        #expect(high == .init(desiredTransmit: longest, requiredReceive: longest, multiplier: 255))
        #expect(Self.session(high, high).detectionTime == longest * 255)
        let low = BFDSession.Terms(
            desiredTransmit: .seconds(Int64.min),
            requiredReceive: .seconds(-1),
            multiplier: .min
        )
        #expect(low == .init(desiredTransmit: .microseconds(1), requiredReceive: .zero, multiplier: 1))
    }
}
