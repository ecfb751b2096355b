//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R7: while we do not read there is no verdict on silence")
struct PauseTests {
    private static let bound = Duration.milliseconds(300)
    private static let policy = LivenessPolicy(detectWithin: bound)

    /// Its peer may ping once a second.
    private static var pingedEachSecond: LivenessPolicy {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.minimumPeerInterval = .seconds(1)
        return policy
    }

    @Test("R7: a pause of ours is nobody's silence, however many bounds it lasts")
    func noVerdict() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(100))
        connection.pausesReading()
        connection.advance(by: .seconds(60))
        connection.expectOpen()
        #expect(connection.suspicions == [])
        #expect(connection.looks == [])
        connection.resumesReading()
        #expect(connection.machine.silence(at: connection.now) == .milliseconds(100))
        connection.advance(by: .milliseconds(90))
        connection.expectOpen()
    }

    @Test("R7: pings go out during a pause")
    func pingsDuringPause() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.pausesReading()
        connection.advance(by: .seconds(1))
        #expect(connection.pings.count >= 9)
    }

    @Test("R7: after the pause the peer gets a ping that it can answer, and a dead one is known within a bound")
    func verdictAfterPause() throws {
        for pausedAt in stride(from: 0, through: 296, by: 8) {
            var connection = try ConnectionMachineFixture(Self.policy, seed: UInt64(pausedAt))
            connection.receivesMessage()
            connection.advance(by: .milliseconds(pausedAt))
            connection.pausesReading()
            connection.advance(by: .seconds(1))
            connection.resumesReading()
            let (resumedAt, before) = (connection.elapsed, connection.pings.count)
            connection.advance(by: .seconds(1))
            #expect(connection.pings.count > before, "paused at \(pausedAt) ms")
            let answerable = resumedAt + Self.bound / 3 - .milliseconds(5)
            connection.expectClosed(.peerSilent, in: answerable...resumedAt + Self.bound, "paused at \(pausedAt) ms")
        }
    }

    @Test("R7: an answer that waited during the pause counts as if it had been read then")
    func answerReadAfterPause() throws {
        for askedBefore in [true, false] {
            var connection = try ConnectionMachineFixture(Self.policy)
            connection.receivesMessage()
            connection.advance(by: .milliseconds(askedBefore ? 100 : 70))
            connection.pausesReading()
            connection.advance(by: .seconds(1))
            connection.resumesReading()
            // The ping went out before the pause, or in it.
            let askedAt = Int64(try #require(connection.pings.first) / .microseconds(1))
            connection.receivesPong(token: UInt64(askedAt))
            let silence = connection.machine.silence(at: connection.now)
            #expect(silence == (askedBefore ? .milliseconds(100) - .microseconds(askedAt) : .zero))
            connection.advance(by: .milliseconds(280) - silence)
            connection.expectOpen()
        }
    }

    @Test("R7: an answer is not credited with pauses that were over before its ping")
    func answerAfterSecondPause() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        for (before, pause) in [(20, 1_000), (110, 10)] {
            connection.advance(by: .milliseconds(before))
            connection.pausesReading()
            connection.advance(by: .milliseconds(pause))
            connection.resumesReading()
        }
        let askedAt = try #require(connection.pings.first { $0 > .milliseconds(1_020) && $0 < .milliseconds(1_130) })
        connection.receivesPong(token: UInt64(askedAt / .microseconds(1)))
        let silence = connection.machine.silence(at: connection.now)
        #expect(abs((silence - (.milliseconds(1_130) - askedAt)) / .microseconds(1)) <= 1)
    }

    @Test("R7: pauses that come again and again do not put the verdict on a dead peer off")
    func repeatedPauses() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        for _ in 0..<40 {
            connection.advance(by: .milliseconds(45))
            connection.pausesReading()
            connection.advance(by: .milliseconds(5))
            connection.resumesReading()
        }
        // A tenth of the time is nobody's silence, and one promised ping can still be answered.
        connection.expectClosed(.peerSilent, in: .milliseconds(320) ... .milliseconds(445))
        #expect(connection.pings.count <= 8)
    }

    @Test("R7: a pause has a limit of its own, and the reason says that it was us")
    func limit() throws {
        var policy = Self.policy
        policy.readPauseLimit = .seconds(2)
        var connection = try ConnectionMachineFixture(policy)
        connection.advance(by: .milliseconds(50))
        connection.pausesReading()
        connection.advance(by: .seconds(10))
        connection.expectClosed(.localFailed, in: .milliseconds(2_050) ... .milliseconds(2_050))
        let reason = try connection.requireEnd().close.reason
        #expect(reason.initiator == .local)
        #expect(reason.evidence.detail?.contains("2s") == true)
    }

    @Test("R7: a second pause within a pause does not begin it anew, and resuming twice is resuming once")
    func nesting() throws {
        var policy = Self.policy
        policy.readPauseLimit = .seconds(2)
        var connection = try ConnectionMachineFixture(policy)
        connection.resumesReading()
        connection.pausesReading()
        connection.advance(by: .seconds(1))
        connection.pausesReading()
        connection.advance(by: .milliseconds(1_001))
        connection.expectClosed(.localFailed)

        var other = try ConnectionMachineFixture(Self.policy)
        other.receivesMessage()
        other.advance(by: .milliseconds(100))
        other.pausesReading()
        other.advance(by: .milliseconds(500))
        other.resumesReading()
        other.resumesReading()
        #expect(other.machine.silence(at: other.now) == .milliseconds(100))
    }

    @Test("R7: the time of a pause does not count against the handshake")
    func handshake() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.advance(by: .milliseconds(50))
        connection.pausesReading()
        connection.advance(by: .seconds(1))
        connection.resumesReading()
        connection.advance(by: .milliseconds(240))
        connection.expectOpen()
        connection.advance(by: .milliseconds(60))
        connection.expectClosed(.handshakeTimeout)
    }

    @Test("R7: the time of a pause does not count against an unfinished message")
    func unfinishedMessage() throws {
        var policy = Self.policy
        policy.messageWithin = .milliseconds(500)
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage(unfinished: 3)
        connection.advance(by: .milliseconds(100))
        connection.pausesReading()
        connection.advance(by: .seconds(5))
        connection.resumesReading()
        for _ in 0..<39 {
            connection.receivesPartOfMessage()
            connection.advance(by: .milliseconds(10))
        }
        connection.expectOpen()
        connection.advance(by: .milliseconds(10))
        connection.expectClosed(.protocolViolation)
    }

    @Test("R7: the time of a pause does not count against the idle limit")
    func idleLimit() throws {
        var policy = Self.policy
        policy.idleLimit = .milliseconds(700)
        var connection = try ConnectionMachineFixture(policy)
        connection.answersAfter = .milliseconds(1)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(100))
        connection.pausesReading()
        connection.advance(by: .seconds(5))
        connection.resumesReading()
        connection.advance(by: .milliseconds(599))
        connection.expectOpen()
        connection.advance(by: .milliseconds(1))
        connection.expectClosed(.idle)
    }

    @Test("R7: a recovery does not count the pause as silence of the peer")
    func recoveryAfterPause() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(250))
        connection.pausesReading()
        connection.advance(by: .seconds(60))
        connection.resumesReading()
        connection.advance(by: .milliseconds(10))
        connection.receivesMessage()
        let last = connection.decisions.last?.decision
        #expect(last == .recovered(silence: .milliseconds(260)))
    }

    @Test("R6 and R7: an answer that is read after a pause renews the promise of a ping after the next stall or pause")
    func answerAfterPause() throws {
        for pausesAgain in [true, false] {
            var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: .seconds(1)))
            connection.answersAfter = .milliseconds(1)
            connection.pausesReading()
            connection.advance(by: .seconds(2))
            // The answers to the pings of the pause are read now.
            connection.answersAfter = nil
            connection.resumesReading()
            connection.settle()
            connection.advance(by: .milliseconds(900))
            #expect(connection.suspicions.count == 1)
            connection.advance(by: .milliseconds(60))
            if pausesAgain {
                connection.pausesReading()
                connection.advance(by: .milliseconds(50))
                connection.resumesReading()
            } else {
                connection.stalls()
            }
            let returnedAt = connection.elapsed
            connection.advance(by: .seconds(5))
            // A third of the bound is the time to answer.
            connection.expectClosed(.peerSilent, in: returnedAt + .milliseconds(300)...returnedAt + .milliseconds(340))
        }
    }

    @Test("R7 and R12: pings that came while we did not read are no flood", arguments: [0, 1_050])
    func pingsInPause(readAfterMilliseconds: Int) throws {
        var connection = try ConnectionMachineFixture(Self.pingedEachSecond)
        connection.receivesPing()
        connection.pausesReading()
        connection.advance(by: .seconds(120))
        connection.resumesReading()
        connection.advance(by: .milliseconds(readAfterMilliseconds))
        for _ in 0..<120 { connection.receivesPing() }
        connection.expectOpen()
    }

    /// Reads again after a pause of two minutes in which the process also stood still.
    private static func resumedAfterStall() throws -> ConnectionMachineFixture {
        var connection = try ConnectionMachineFixture(Self.pingedEachSecond)
        connection.receivesPing()
        connection.pausesReading()
        connection.stalls()
        connection.advance(by: .seconds(120))
        connection.resumesReading()
        return connection
    }

    @Test("R7 and R12: nor are those of a pause in which the process also stood still")
    func pingsInPauseWithStall() throws {
        var connection = try Self.resumedAfterStall()
        for _ in 0..<600 { connection.receivesPing() }
        connection.expectOpen()
    }

    @Test("R7 and R12: nor are those of such a pause that the path carries only a moment later")
    func pingsAfterPauseWithStall() throws {
        var connection = try Self.resumedAfterStall()
        connection.receivesPing()
        connection.advance(by: .milliseconds(1_050))
        for _ in 0..<120 { connection.receivesPing() }
        connection.expectOpen()
        for _ in 0..<30 { connection.receivesPing() }
        connection.expectClosed(.pingFlood)
    }

    @Test("R7 and R12: nor are those of a pause that comes right after another one")
    func pingsInPauses() throws {
        var connection = try ConnectionMachineFixture(Self.pingedEachSecond)
        connection.receivesPing()
        for _ in 0..<2 {
            connection.pausesReading()
            connection.advance(by: .seconds(120))
            connection.resumesReading()
            connection.advance(by: .milliseconds(10))
        }
        for _ in 0..<240 { connection.receivesPing() }
        connection.expectOpen()
        for _ in 0..<30 { connection.receivesPing() }
        connection.expectClosed(.pingFlood)
    }

    @Test("R7 and R12: nor are those that are read before an end, while the program still does not read")
    func pingsBeforeTheEnd() throws {
        var connection = try ConnectionMachineFixture(Self.pingedEachSecond)
        connection.receivesPing()
        connection.pausesReading()
        connection.advance(by: .seconds(120))
        for _ in 0..<120 { connection.receivesPing() }
        connection.expectOpen()
        for _ in 0..<30 { connection.receivesPing() }
        connection.expectClosed(.pingFlood)
    }

    @Test("R9: where the peer finished its half, nothing is left that a program could leave unread for too long")
    func halfClosedMeanwhile() throws {
        var policy = Self.policy
        policy.allowHalfClosure = true
        policy.readPauseLimit = .seconds(10)
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage()
        connection.pausesReading()
        #expect(connection.receivesFIN() == .keepWriting)
        connection.advance(by: .seconds(60))
        connection.expectOpen()
    }

    @Test("R7: slow progress of our own writes is judged during a pause too")
    func writesDuringPause() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.pausesReading()
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.writes(1_000)
        connection.advance(by: .seconds(1))
        connection.expectClosed(.peerNotReading, in: .milliseconds(270) ... .milliseconds(300))
    }
}
