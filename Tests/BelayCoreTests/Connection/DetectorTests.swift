//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

/// Detectors that learn, in a connection: earlier suspicion, the same verdict.
@Suite("detectors of a connection")
struct DetectorTests {
    /// A ping every 7.5 to 10 s, suspicion by the policy at 20 s, the verdict at 30 s.
    private static func policy(_ detector: Detector) -> LivenessPolicy {
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        policy.detector = detector
        return policy
    }

    /// A connection whose peer has answered within 50 ms for ten minutes.
    private static func settled(_ detector: Detector) throws -> ConnectionMachineFixture {
        var connection = try ConnectionMachineFixture(Self.policy(detector))
        connection.answersAfter = .milliseconds(50)
        connection.advance(by: .seconds(600))
        connection.expectOpen()
        return connection
    }

    @Test(
        "a peer that fails to answer is suspected as soon as its answer is late, and declared dead at the bound",
        arguments: [Detector.nfde(), .nfde(stallWindow: 1), .phi(), .nfde(margin: .fixed(.seconds(2)))]
    )
    func earlySuspicion(detector: Detector) throws {
        var connection = try Self.settled(detector)
        #expect(connection.suspicions.isEmpty)
        let lastProof = try #require(connection.pings.last)
        connection.answersAfter = nil
        connection.advance(by: .seconds(60))
        let asked = try #require(connection.pings.first { $0 > lastProof })
        let suspected = try #require(connection.suspicions.first)
        #expect(suspected > asked + .milliseconds(1_049) && suspected < asked + .milliseconds(5_700))
        #expect(suspected < lastProof + .seconds(20) - .seconds(3))
        #expect(connection.suspicions.count == 1)
        connection.expectClosed(.peerSilent, in: ConnectionMachineFixture.punctual(.seconds(30), after: lastProof))
    }

    @Test(
        "no detector suspects later than the policy",
        arguments: [Detector.fixed, .nfde(margin: .fixed(.seconds(3_600))), .phi()]
    )
    func policyIsTheLatest(detector: Detector) throws {
        var connection = try ConnectionMachineFixture(Self.policy(detector))
        // So irregular that a detector which learned it waits for long.
        for round in 0..<20 {
            connection.answersAfter = .seconds(round.isMultiple(of: 2) ? 0.1 : 9)
            connection.advance(by: .seconds(20))
        }
        connection.receivesMessage()
        let silentFrom = connection.elapsed
        connection.answersAfter = nil
        let before = connection.suspicions.count
        connection.advance(by: .seconds(60))
        let suspected = try #require(connection.suspicions.dropFirst(before).first)
        #expect(suspected <= silentFrom + .seconds(20))
        connection.expectClosed(.peerSilent, in: ConnectionMachineFixture.punctual(.seconds(30), after: silentFrom))
    }

    @Test("a peer that answers late recovers with an answer that is fresh")
    func recovery() throws {
        var connection = try Self.settled(.nfde())
        connection.answersAfter = .seconds(4)
        connection.advance(by: .seconds(120))
        connection.expectOpen()
        #expect(!connection.suspicions.isEmpty)
        #expect(connection.suspicions.count == connection.recoveries.count)
        // It has learned the slower path meanwhile.
        let before = connection.suspicions.count
        connection.advance(by: .seconds(600))
        #expect(connection.suspicions.count <= before + 1)
    }

    @Test("messages prove life between answers")
    func messages() throws {
        var connection = try Self.settled(.nfde())
        connection.answersAfter = nil
        for _ in 0..<100 {
            connection.advance(by: .seconds(5))
            connection.receivesMessage()
        }
        #expect(connection.suspicions.isEmpty)
    }

    @Test("answers that waited because nothing was read are not learned")
    func readsPaused() throws {
        var connection = try Self.settled(.nfde())
        let margin = try #require(connection.machine.detectorState(at: connection.now).margin)
        for _ in 0..<20 {
            connection.pausesReading()
            connection.advance(by: .seconds(25))
            connection.resumesReading()
            connection.advance(by: .seconds(30))
        }
        connection.expectOpen()
        let later = try #require(connection.machine.detectorState(at: connection.now).margin)
        #expect(later == margin)
    }

    @Test("the detector follows the interval that was agreed")
    func negotiation() throws {
        var connection = try ConnectionMachineFixture(Self.policy(.nfde()))
        connection.receivesHello(every: .seconds(2), within: .seconds(30))
        connection.answersAfter = .milliseconds(50)
        connection.advance(by: .seconds(200))
        // A tenth of the interval.
        let margin = connection.machine.detectorState(at: connection.now).margin
        #expect(margin == .milliseconds(200))
    }

    /// What the kernel tells of a peer whose program is frozen: its kernel acknowledged so many bytes, and not the rest.
    private static func frozenPeer(
        acknowledged: UInt64,
        unacked: UInt64,
        retransmissionTimeout: UInt32 = 204_000
    ) -> TCPEvidence {
        var evidence = TCPEvidence(state: .established)
        evidence.sendWindow = 65_536
        evidence.notSentBytes = 0
        evidence.bytesAcked = acknowledged
        evidence.bytesHandedOver = acknowledged + unacked
        evidence.unacked = unacked > 0 ? 1 : 0
        evidence.lastAckReceived = unacked > 0 ? 8_000 : 1_000
        evidence.lastDataSent = 1_040
        evidence.lastDataReceived = 20_000
        evidence.retransmissionTimeout = retransmissionTimeout
        return evidence
    }

    @Test(
        "what the kernel told at an early suspicion does not put the verdict off",
        arguments: [Detector.nfde(), .phi()]
    )
    func earlyLook(detector: Detector) throws {
        var connection = try Self.settled(detector)
        let lastProof = try #require(connection.pings.last)
        connection.answersAfter = nil
        // Its program freezes; its kernel acknowledges what it gets, and each ping 40 ms after it was sent.
        // The SYN counts as a byte.
        let before = connection.machine.figures.bytesOut + 1
        var isAcked = false
        connection.tcp = { _ in
            Self.frozenPeer(acknowledged: isAcked ? before + 1_000 : before, unacked: isAcked ? 0 : 8)
        }
        connection.advance(to: lastProof + .seconds(18))
        #expect(connection.suspicions.count == 1)
        isAcked = true
        connection.advance(by: .seconds(60))
        connection.expectClosed(.peerFrozen, in: ConnectionMachineFixture.punctual(.seconds(30), after: lastProof))
        #expect(connection.suspicions.count == 1)
    }

    @Test("a ping that was young when the kernel was asked does not put the verdict off by being acknowledged")
    func youngQuestion() throws {
        var connection = try ConnectionMachineFixture(Self.policy(.fixed))
        connection.answersAfter = .milliseconds(50)
        connection.advance(by: .seconds(600))
        let lastProof = try #require(connection.pings.last)
        connection.answersAfter = nil
        // Each ping is acknowledged 40 ms after it was sent, and the last one before the suspicion was just sent.
        let before = connection.machine.figures.bytesOut + 1
        var isAcked = false
        connection.tcp = { _ in
            // So long a timeout that every ping is young.
            Self.frozenPeer(
                acknowledged: isAcked ? before + 1_000 : before + 7,
                unacked: isAcked ? 0 : 9,
                retransmissionTimeout: 8_000_000
            )
        }
        connection.advance(to: lastProof + .seconds(25))
        #expect(connection.suspicions.count == 1)
        isAcked = true
        connection.advance(by: .seconds(60))
        connection.expectClosed(.peerFrozen, in: ConnectionMachineFixture.punctual(.seconds(30), after: lastProof))
    }

    @Test(
        "a path that has become slower is learned, and its peer recovers for good",
        arguments: [Detector.nfde(), .nfde(stallWindow: 1), .phi()]
    )
    func slowerPath(detector: Detector) throws {
        var policy = LivenessPolicy(interval: .milliseconds(100), detectWithin: .seconds(2))
        policy.detector = detector
        var connection = try ConnectionMachineFixture(policy)
        connection.answersAfter = .milliseconds(1)
        connection.advance(by: .seconds(20))
        connection.answersAfter = .milliseconds(400)
        connection.advance(by: .seconds(60))
        connection.expectOpen()
        #expect(connection.machine.isSuspected == false)
        // One in an interval at most while it learns, and none once it has.
        let last = connection.suspicions.last ?? .zero
        #expect(last < .seconds(40))
        #expect(connection.suspicions.count < 20)
    }

    @Test(
        "an answer that follows a message in the same batch is a round trip all the same",
        arguments: [Detector.nfde(), .phi()]
    )
    func answersBehindMessages(detector: Detector) throws {
        var connection = try ConnectionMachineFixture(Self.policy(detector))
        for _ in 0..<80 {
            let before = connection.pings.count
            while connection.pings.count == before { connection.advance(by: .milliseconds(100)) }
            guard case .pinged(let token)? = connection.decisions.last?.decision else { continue }
            connection.advance(by: .milliseconds(50))
            connection.receivesMessage()
            connection.receivesPong(token: token)
        }
        let asked = connection.elapsed
        connection.advance(by: .seconds(60))
        // It was learned: suspicion comes before the policy's.
        let suspected = try #require(connection.suspicions.first)
        #expect(suspected < asked + .seconds(19))
    }

    @Test("an answer that is said again tells nothing of the path")
    func repeatedAnswer() throws {
        var connection = try ConnectionMachineFixture(Self.policy(.nfde()))
        connection.answersAfter = .milliseconds(10)
        connection.advance(by: .seconds(100))
        for _ in 0..<100 {
            connection.receivesPong(token: 0)
            connection.receivesPong(token: 1)
        }
        let mean = try #require(connection.machine.figures.meanRoundTrip)
        #expect(mean < .milliseconds(11))
    }

    @Test("answers to pings that were never sent do not weigh down the first round trip")
    func firstRoundTrip() throws {
        var connection = try ConnectionMachineFixture(Self.policy(.fixed))
        for _ in 0..<20 { connection.receivesPong(token: 1_000_000_000) }
        connection.answersAfter = .milliseconds(80)
        connection.advance(by: .seconds(12))
        let mean = try #require(connection.machine.figures.meanRoundTrip)
        #expect(abs(mean.milliseconds - 80) < 0.01)
    }

    @Test("a node that is late itself suspects later, and gives its verdicts at the bound")
    func localHealth() throws {
        for (lateTicks, stretched) in [(0, 20.0), (1, 25), (7, 25)] {
            var connection = try ConnectionMachineFixture(Self.policy(.fixed))
            connection.receivesMessage()
            var health = LocalHealth()
            for _ in 0..<lateTicks { health.tick(isLate: true) }
            connection.machine.localHealthChanged(to: health)
            connection.advance(by: .seconds(60))
            let suspected = try #require(connection.suspicions.first)
            #expect(abs(suspected / .seconds(1) - stretched) < 0.01)
            connection.expectClosed(.peerSilent, in: ConnectionMachineFixture.punctual(.seconds(30)))
            let state = connection.machine.detectorState(at: connection.now)
            #expect(state == DetectorState(name: "fixed", localHealth: lateTicks + 1))
        }
    }

    @Test("the mean and the deviation of round trips are those of the path")
    func roundTrips() throws {
        var connection = try ConnectionMachineFixture(Self.policy(.fixed))
        let none = connection.machine.figures
        #expect(none.meanRoundTrip == nil && none.roundTripDeviation == nil)
        connection.answersAfter = .milliseconds(80)
        connection.advance(by: .seconds(300))
        let steady = connection.machine.figures
        #expect(abs(try #require(steady.meanRoundTrip).milliseconds - 80) < 0.01)
        #expect(try #require(steady.roundTripDeviation) < .microseconds(10))
        for round in 0..<200 {
            connection.answersAfter = .milliseconds(round.isMultiple(of: 2) ? 60 : 100)
            connection.advance(by: .seconds(8.75))
        }
        let shaky = connection.machine.figures
        #expect(abs(try #require(shaky.meanRoundTrip).milliseconds - 80) < 15)
        #expect(abs(try #require(shaky.roundTripDeviation).milliseconds - 20) < 8)
    }

    @Test("what a detector cannot work with is reported with its key")
    func validation() throws {
        var phi = PhiAccrual.Configuration()
        phi.threshold = .nan
        phi.window = 0
        phi.acceptablePause = .seconds(-1)
        phi.firstEstimate = .zero
        let cases: [(Detector, [String])] = [
            (.nfde(margin: .fixed(.zero), window: 1_001, stallWindow: 0), ["window", "stallWindow", "margin"]),
            (.nfde(margin: .mistakesAtMostEvery(.zero)), ["margin"]),
            (.phi(phi), ["threshold", "window", "acceptablePause", "firstEstimate"]),
        ]
        for (detector, keys) in cases {
            let error = #expect(throws: ConfigurationError.self) { try Self.policy(detector).validate() }
            #expect(error?.problems.map(\.key) == keys.map { "detector.\($0)" })
        }
        var listening = Self.policy(.nfde())
        listening.heartbeats = .answer
        let error = #expect(throws: ConfigurationError.self) { try listening.validate() }
        #expect(error?.problems.map(\.key) == ["detector"])
        listening.heartbeats = .ping
        #expect(throws: Never.self) { try listening.validate() }
    }

    @Test(
        "R8: what is acknowledged of a queue after an early suspicion puts the verdict off as without a detector",
        arguments: [Detector.fixed, .nfde(), .phi()]
    )
    func acknowledgedAfterEarlySuspicion(detector: Detector) throws {
        var connection = try Self.settled(detector)
        connection.answersAfter = nil
        let silentFrom = connection.elapsed
        let acknowledgedAt = silentFrom + .seconds(18)
        connection.tcp = { elapsed in
            var tcp = TCPEvidence.quiet
            let isLater = elapsed >= acknowledgedAt
            let since = elapsed - (isLater ? acknowledgedAt : silentFrom)
            (tcp.unacked, tcp.notSentBytes, tcp.bytesAcked) = (10, 16_000, isLater ? 40_000 : 30_000)
            (tcp.totalRetransmits, tcp.lastAckReceived) = (3, UInt32(since / .milliseconds(1)))
            if since > .seconds(1) {
                (tcp.retransmits, tcp.totalRetransmits, tcp.lost, tcp.sentAgain, tcp.lastDataSent) = (3, 6, 1, 1, 50)
            }
            return tcp
        }
        connection.advance(by: .seconds(14))
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.writes(1_000_000)
        connection.advance(by: .seconds(100))
        // The write deadline is the bound; movement may be noticed one sample late.
        connection.expectClosed(.pathLost, in: acknowledgedAt + .seconds(27)...acknowledgedAt + .seconds(30))
    }

    @Test(
        "R8: acknowledgements of nothing new between two suspicions speak for nobody",
        arguments: [Detector.nfde(), .phi()]
    )
    func acknowledgedNothingNew(detector: Detector) throws {
        var connection = try Self.settled(detector)
        connection.answersAfter = nil
        let silentFrom = connection.elapsed
        let writes = silentFrom + .seconds(14)
        connection.tcp = { elapsed in
            var tcp = TCPEvidence.quiet
            tcp.bytesAcked = 30_000
            if elapsed > writes { (tcp.unacked, tcp.notSentBytes, tcp.lastAckReceived) = (10, 16_000, 20) }
            return tcp
        }
        connection.advance(by: .seconds(14))
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.writes(1_000_000)
        connection.advance(by: .seconds(100))
        connection.expectClosed(.peerNotReading, in: silentFrom + .seconds(27)...silentFrom + .seconds(30))
    }
}
