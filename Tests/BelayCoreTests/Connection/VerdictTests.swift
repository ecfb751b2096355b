//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("suspicion, the last look, and the verdict on silence")
struct VerdictTests {
    private static let bound = Duration.milliseconds(300)
    private static let policy = LivenessPolicy(detectWithin: bound)

    @Test(
        "R3: a silent peer is declared dead within the bound and not before it, whatever the bound",
        arguments: [
            LivenessPolicy(detectWithin: .milliseconds(20)),
            LivenessPolicy(detectWithin: .milliseconds(20), attempts: 3),
            LivenessPolicy(detectWithin: .milliseconds(50)), LivenessPolicy(detectWithin: .milliseconds(300)),
            LivenessPolicy(detectWithin: .seconds(1), attempts: 100), LivenessPolicy(detectWithin: .seconds(30)),
            LivenessPolicy(detectWithin: .seconds(86_400), attempts: 1),
            LivenessPolicy(interval: .seconds(5), replyWithin: .seconds(3)),
            LivenessPolicy(interval: .milliseconds(100), detectWithin: .milliseconds(300)),
            LivenessPolicy(interval: .seconds(15), detectWithin: .seconds(30)), .lan, .wan, .mobile, .localTesting,
        ]
    )
    func punctual(policy: LivenessPolicy) throws {
        let bound = try policy.timings().bound
        for heardAt in [.zero, .nanoseconds(bound.wholeNanoseconds / 7), bound * 2] as [Duration] {
            for seed in 0..<10 as Range<UInt64> {
                var connection = try ConnectionMachineFixture(policy, seed: seed)
                connection.receivesMessage()
                while connection.elapsed < heardAt {
                    connection.advance(by: min(bound / 2, heardAt - connection.elapsed))
                    connection.receivesMessage()
                }
                connection.advance(by: bound * 3)
                let range = ConnectionMachineFixture.punctual(bound, after: heardAt)
                connection.expectClosed(.peerSilent, in: range, "seed \(seed), heard at \(heardAt)")
                let end = try connection.requireEnd()
                #expect(end.close.silence == end.at - heardAt)
                #expect(end.close.silence >= bound * 9 / 10)
                // Time for a wheel of a shell to turn: what falls due at the bound itself is carried out after it.
                #expect(end.close.silence <= bound - .milliseconds(1))
            }
        }
    }

    @Test("R3: the bound holds as many pings as attempts were asked for, each early enough to be answered")
    func attempts() throws {
        for attempts in 1...20 {
            let policy = LivenessPolicy(detectWithin: .seconds(30), attempts: attempts)
            for seed in 0..<20 as Range<UInt64> {
                var connection = try ConnectionMachineFixture(policy, seed: seed)
                connection.advance(by: .seconds(30) - .seconds(30) / (attempts + 1))
                #expect(connection.pings.count >= attempts, "attempts \(attempts), seed \(seed)")
            }
        }
    }

    @Test("R4: after two thirds of the bound the peer is suspected, once, and pinged at once")
    func suspicion() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(290))
        #expect(connection.suspicions == [.milliseconds(200)])
        #expect(connection.machine.isSuspected == true)
        #expect(connection.pings.contains(.milliseconds(200)))
        let silences = connection.decisions.compactMap { _, decision -> Duration? in
            if case .suspected(let silence, _) = decision { silence } else { nil }
        }
        #expect(silences == [.milliseconds(200)])
    }

    @Test("R4: a later byte gives one recovery that tells for how long the peer was silent")
    func recovery() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(260))
        connection.receivesPong()
        connection.receivesPong()
        connection.receivesMessage()
        #expect(connection.recoveries == [.milliseconds(260)])
        let last = connection.decisions.last?.decision
        #expect(last == .recovered(silence: .milliseconds(260)))
        #expect(connection.machine.isSuspected == false)
        connection.advance(by: .milliseconds(250))
        #expect(connection.suspicions == [.milliseconds(200), .milliseconds(460)])
    }

    @Test("R4: the ping at the suspicion saves a peer that lost the others")
    func savedBySuspicionPing() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(199))
        connection.answersAfter = .milliseconds(80)
        connection.advance(by: .seconds(10))
        connection.expectOpen()
        #expect(connection.suspicions.count == 1)
        #expect(connection.recoveries.count == 1)
    }

    @Test("R4: a stale pong does not end a suspicion")
    func staleRecovery() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(150))
        let token = try connection.requirePing().token
        connection.advance(to: .milliseconds(295))
        connection.receivesPong(token: token)
        #expect(connection.recoveries == [])
        #expect(connection.machine.isSuspected == true)
    }

    @Test(
        "R4: whatever suspectAfter is, a silent peer is suspected before it is declared dead",
        arguments: [1, 10, 30, 50, 90, 99, 100]
    )
    func suspectAfter(percent: Int) throws {
        var policy = Self.policy
        policy.suspectAfter = min(Self.bound * percent / 100, Self.bound - .milliseconds(1))
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage()
        connection.advance(by: .seconds(1))
        #expect(connection.suspicions.count == 1)
        connection.expectClosed(.peerSilent, in: ConnectionMachineFixture.punctual(Self.bound))
    }

    @Test("R5: unread bytes in the receive queue mean alive: they are read first, then judged")
    func unreadBytes() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.receiveQueue = .unread
        connection.advance(by: .milliseconds(320))
        connection.expectOpen()
        #expect(connection.suspicions == [])
        connection.receiveQueue = .empty
        connection.receivesMessage()
        connection.advance(by: .seconds(1))
        let range = ConnectionMachineFixture.punctual(Self.bound, after: .milliseconds(320))
        connection.expectClosed(.peerSilent, in: range)
    }

    @Test("R5: unread bytes that turn out to be a stale pong do not put the verdict off for a second bound")
    func unreadStalePong() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(150))
        let (sentAt, token) = try connection.requirePing()
        connection.receiveQueue = .unread
        connection.advance(to: sentAt + .milliseconds(310))
        connection.expectOpen()
        connection.receiveQueue = .empty
        connection.receivesPong(token: token)
        // It is not kept waiting for the next look at unread bytes, which may be an eighth of the bound away.
        connection.advance(by: .zero)
        connection.expectClosed(.peerSilent)
    }

    @Test("R5: bytes that are read in the end do not count towards those that are found unread later")
    func readInTheEnd() throws {
        var policy = Self.policy
        policy.readPauseLimit = .seconds(1)
        var connection = try ConnectionMachineFixture(policy)
        for _ in 0..<20 {
            connection.receiveQueue = .unread
            connection.advance(by: .milliseconds(250))
            connection.receiveQueue = .empty
            connection.receivesMessage()
        }
        connection.expectOpen()
    }

    @Test("R5: bytes that stay unread are looked at ever more rarely, and count as our own failure in the end")
    func neverRead() throws {
        var policy = Self.policy
        policy.readPauseLimit = .seconds(10)
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage()
        connection.receiveQueue = .unread
        connection.advance(by: .seconds(20))
        connection.expectClosed(.localFailed, in: .seconds(10) ... .milliseconds(10_400))
        #expect(connection.looks.count < 350)
    }

    @Test("R5: an error that the kernel holds is the reason, and not silence")
    func kernelError() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.receiveQueue = .failed(.connectionReset)
        connection.advance(by: .seconds(1))
        connection.expectClosed(.peerReset, in: .milliseconds(200) ... .milliseconds(200))
    }

    @Test("R5: where nothing can be looked at, silence alone is judged")
    func unknownQueue() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.receiveQueue = .unknown
        connection.advance(by: .seconds(1))
        connection.expectClosed(.peerSilent, in: ConnectionMachineFixture.punctual(Self.bound))
    }

    @Test("R5: before every suspicion and every verdict there is a look at the same instant")
    func lookFirst() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .seconds(1))
        let end = try connection.requireEnd()
        #expect(connection.looks == [.milliseconds(200), end.at])
    }

    @Test("a silent peer is reset and nothing waits for it")
    func abortsSilentPeer() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .seconds(1))
        #expect(connection.end?.close.manner == .abort)
        #expect(connection.machine.isClosed == true)
        #expect(connection.machine.nextDeadline == nil)
    }
}
