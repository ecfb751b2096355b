//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R6: time in which we could not observe is nobody's silence")
struct StallTests {
    private static let bound = Duration.milliseconds(300)
    private static let policy = LivenessPolicy(detectWithin: bound)

    @Test("R6: after a stall each peer gets a ping that it can still answer before it can be judged")
    func freshPing() throws {
        for stallAt in stride(from: 1, through: 296, by: 5) {
            var connection = try ConnectionMachineFixture(Self.policy, seed: UInt64(stallAt))
            connection.receivesMessage()
            connection.advance(by: .milliseconds(stallAt))
            connection.stalls()
            connection.answersAfter = .milliseconds(90)
            connection.settle()
            connection.advance(by: .seconds(2))
            connection.expectOpen("a stall at \(stallAt) ms")
        }
    }

    @Test(
        "R6: a peer that was never asked, because the loop had too much to do, is asked before it is judged",
        arguments: [50, 200, 296, 300, 450, 3_000],
        [true, false]
    )
    func neglected(milliseconds: Int, isActive: Bool) throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        if isActive { connection.receivesMessage() }
        connection.answersAfter = .milliseconds(70)
        connection.isNeglected(for: .milliseconds(milliseconds))
        connection.settle()
        connection.advance(by: .seconds(2))
        connection.expectOpen()
    }

    @Test("R6: a neglected peer that had answered its last ping is asked before it is judged")
    func neglectedAfterAnswer() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.answersAfter = .milliseconds(70)
        while connection.machine.figures.pongsReceived == 0 { connection.advance(by: .milliseconds(1)) }
        connection.isNeglected(for: .milliseconds(400))
        connection.settle()
        connection.advance(by: .seconds(2))
        connection.expectOpen()
    }

    @Test("R6: a neglected peer that is dead is judged once it had three quarters of the time to answer")
    func neglectedAndDead() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.isNeglected(for: .milliseconds(400))
        connection.settle()
        let asked = try #require(connection.pings.last)
        connection.advance(by: .seconds(1))
        let allowed = ConnectionMachineFixture.punctual(.milliseconds(75), after: asked)
        connection.expectClosed(.peerSilent, in: allowed)
    }

    @Test("R6: stalls that come again and again do not put the verdict on a dead peer off")
    func repeatedStalls() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        for _ in 0..<20 {
            connection.advance(by: .milliseconds(50))
            connection.stalls()
        }
        // The bound, and the time to answer the one ping that was promised.
        connection.expectClosed(.peerSilent, in: .milliseconds(290) ... .milliseconds(400))
    }

    @Test("R6: without an answer the fresh ping comes first, then the time to answer, then the verdict")
    func pingBeforeVerdict() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(296))
        connection.stalls()
        let before = connection.pings.count
        connection.advance(by: .milliseconds(4))
        #expect(connection.pings.count == before + 1)
        connection.expectOpen()
        let pinged = connection.pings[before]
        connection.advance(by: .milliseconds(300))
        // A third of the bound is the time to answer with two attempts.
        connection.expectClosed(
            .peerSilent,
            in: ConnectionMachineFixture.punctual(.milliseconds(100), after: pinged)
        )
    }

    @Test(
        "R6: the time to answer after a stall is real, however short it is",
        arguments: [
            LivenessPolicy(interval: .seconds(8), replyWithin: .milliseconds(5)),
            LivenessPolicy(interval: .seconds(5), replyWithin: .milliseconds(8)),
            LivenessPolicy(interval: .seconds(1), replyWithin: .milliseconds(12)),
            LivenessPolicy(interval: .milliseconds(15), replyWithin: .milliseconds(5)),
            LivenessPolicy(detectWithin: .milliseconds(20), attempts: 3),
        ]
    )
    func shortReplies(policy: LivenessPolicy) throws {
        let timings = try policy.timings()
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage()
        connection.advance(by: timings.bound * 9 / 10)
        connection.stalls()
        connection.answersAfter = .nanoseconds(timings.replyWithin.wholeNanoseconds / 2)
        connection.settle()
        connection.advance(by: timings.bound * 10)
        connection.expectOpen()
    }

    @Test(
        "R6: a peer that died during the stall is known within one bound after it",
        arguments: LivenessPolicy.Heartbeats.allCases,
        [1, 2, 3, 10]
    )
    func verdictAfterStall(heartbeats: LivenessPolicy.Heartbeats, attempts: Int) throws {
        var policy = LivenessPolicy(detectWithin: Self.bound, attempts: attempts)
        policy.heartbeats = heartbeats
        for stallAt in stride(from: 0, through: 296, by: 8) {
            var connection = try ConnectionMachineFixture(policy, seed: UInt64(stallAt))
            connection.receivesMessage()
            connection.advance(by: .milliseconds(stallAt))
            connection.stalls()
            let stalledAt = connection.elapsed
            connection.advance(by: .seconds(2))
            let earliest = ConnectionMachineFixture.punctual(Self.bound).lowerBound
            connection.expectClosed(
                .peerSilent,
                in: earliest...max(stalledAt + Self.bound, Self.bound),
                "a stall at \(stallAt) ms"
            )
        }
    }

    @Test(
        "R6: where we send no pings, the peer has the same time to be heard",
        arguments: [.answer, .listen] as [LivenessPolicy.Heartbeats]
    )
    func timeToBeHeard(heartbeats: LivenessPolicy.Heartbeats) throws {
        var policy = Self.policy
        policy.heartbeats = heartbeats
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(290))
        connection.stalls()
        connection.advance(by: .milliseconds(90))
        connection.expectOpen()
        connection.receivesPing()
        connection.advance(by: .milliseconds(290))
        connection.expectOpen()
    }

    @Test("R6: a stall during a suspicion puts the verdict off too")
    func stallWhileSuspected() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(250))
        #expect(connection.machine.isSuspected == true)
        connection.stalls()
        connection.answersAfter = .milliseconds(60)
        connection.advance(by: .seconds(2))
        connection.expectOpen()
        #expect(connection.recoveries.count == 1)
    }

    @Test("R6: a peer that answers the fresh ping at once is not even suspected")
    func noSuspicion() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(199))
        connection.stalls()
        connection.answersAfter = .milliseconds(40)
        connection.advance(by: .seconds(2))
        #expect(connection.suspicions == [])
    }

    @Test("R6: the handshake deadline is put off as well")
    func stallInHandshake() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.advance(by: .milliseconds(290))
        connection.stalls()
        connection.advance(by: .milliseconds(90))
        connection.expectOpen()
        connection.receivesMessage()
        connection.advance(by: .milliseconds(250))
        connection.expectOpen()
    }

    @Test("R6: a peer that is heard after the stall has the whole bound again")
    func heardAfterStall() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(280))
        connection.stalls()
        connection.advance(by: .milliseconds(10))
        connection.receivesMessage()
        connection.advance(by: .milliseconds(600))
        let range = ConnectionMachineFixture.punctual(Self.bound, after: .milliseconds(290))
        connection.expectClosed(.peerSilent, in: range)
    }
}
