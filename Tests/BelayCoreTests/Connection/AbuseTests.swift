//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R12: what a peer may not do")
struct AbuseTests {
    /// A policy under which a peer may ping every 100 ms, with ten pings in advance.
    private static var policy: LivenessPolicy {
        var policy = LivenessPolicy(detectWithin: .milliseconds(300))
        policy.minimumPeerInterval = .milliseconds(100)
        return policy
    }

    @Test("R12: a peer that pings too often uses up its strikes and is closed")
    func flood() throws {
        for strikes in [0, 1, 2, 50] {
            var policy = Self.policy
            policy.pingStrikes = strikes
            var connection = try ConnectionMachineFixture(policy)
            var answered = 0
            while connection.receivesPing() == .answer, answered < 1_000 { answered += 1 }
            connection.expectClosed(.pingFlood)
            #expect(answered >= strikes)
            #expect(answered <= 11 + strikes)
            let end = try connection.requireEnd()
            #expect(end.close.manner == .abort)
            #expect(end.close.reason.mayReconnect == false)
        }
    }

    @Test("R12: a peer that pings as often as it may does so for ever")
    func permittedRate() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        for _ in 0..<10_000 {
            connection.advance(by: .milliseconds(100))
            connection.receivesPing()
        }
        connection.expectOpen()
        #expect(connection.machine.figures.pongsReceived == 0)
    }

    @Test("R12: a peer that pings twice as often as it may is found out in the long run")
    func twiceThePermittedRate() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        for _ in 0..<100 {
            connection.advance(by: .milliseconds(50))
            connection.receivesPing()
        }
        connection.expectClosed(.pingFlood)
    }

    @Test("R12: pings that an outage held up and that arrive together are no flood")
    func burstAfterOutage() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.minimumPeerInterval = .milliseconds(100)
        var connection = try ConnectionMachineFixture(policy)
        for _ in 0..<100 {
            connection.advance(by: .milliseconds(2_900))
            for _ in 0..<29 { connection.receivesPing() }
            for _ in 0..<10 {
                connection.advance(by: .milliseconds(100))
                connection.receivesPing()
            }
            connection.expectOpen()
        }
    }

    @Test("R12: the shortest bound that can be asked for is compatible with the default rate")
    func defaultsFit() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: .milliseconds(20), attempts: 3))
        for _ in 0..<2_000 {
            connection.receivesPing()
            connection.advance(by: .milliseconds(5))
        }
        connection.expectOpen()
    }

    @Test(
        "R12: a flood is one after a stall and after a pause of ours too, and however often we pause after either",
        arguments: 0..<4
    )
    func floodAfterPardon(kind: Int) throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.minimumPeerInterval = .milliseconds(100)
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesPing()
        if kind == 0 || kind == 3 { connection.stalls() }
        for round in 0..<6_000 where connection.end == nil {
            if kind == 1 && round == 0 || kind >= 2 && round.isMultiple(of: 50) {
                connection.pausesReading()
                connection.advance(by: .milliseconds(5))
                connection.resumesReading()
            }
            connection.advance(by: .milliseconds(5))
            connection.receivesPing()
        }
        connection.expectClosed(.pingFlood)
    }

    @Test("R12: a peer that did not ping for long has saved up nothing")
    func nothingSavedUp() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        for _ in 0..<1_000 {
            connection.advance(by: .milliseconds(100))
            connection.receivesMessage()
        }
        for _ in 0..<14 { connection.receivesPing() }
        connection.expectClosed(.pingFlood)
    }

    @Test("R12: strikes do not come back by waiting a moment")
    func strikesStay() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        for _ in 0..<13 { connection.receivesPing() }
        connection.expectOpen()
        connection.advance(by: .milliseconds(10))
        connection.receivesPing()
        connection.expectClosed(.pingFlood)
    }

    @Test("R12: each ping proves life, a strike included")
    func floodIsLife() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.advance(by: .milliseconds(250))
        for _ in 0..<12 { connection.receivesPing() }
        #expect(connection.machine.silence(at: connection.now) == .zero)
    }

    @Test(
        "R12: whatever a hello asks for, the peer is still judged, and not by less than a tenth of our bound",
        arguments: [nil, .zero, .seconds(-5), .nanoseconds(1), .seconds(1), .seconds(Int64.max)] as [Duration?],
        [nil, .zero, .seconds(-5), .nanoseconds(1), .seconds(1), .seconds(Int64.max)] as [Duration?]
    )
    func clampedHello(every: Duration?, within: Duration?) throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: .seconds(3)))
        let action = connection.receivesHello(every: every, within: within)
        guard case .welcome(let interval, let bound) = action else {
            Issue.record("no welcome but \(action)")
            return
        }
        #expect((.milliseconds(300) ... .seconds(3)).contains(bound))
        #expect(interval >= .milliseconds(5) && interval <= bound / 2)
        connection.advance(by: .seconds(10))
        connection.expectClosed(.peerSilent, in: ConnectionMachineFixture.punctual(bound))
        #expect(connection.pings.count >= 1)
        #expect(connection.suspicions.count == 1)
    }

    @Test("R12: a server's welcome cannot switch detection off", arguments: LivenessPolicy.Heartbeats.allCases)
    func clampedWelcome(heartbeats: LivenessPolicy.Heartbeats) throws {
        for (every, within) in [
            (Duration.zero, Duration.zero), (.seconds(-1), .seconds(-1)), (.seconds(Int64.max), .seconds(Int64.max)),
            (.seconds(3_600), .milliseconds(20)), (.milliseconds(1), .seconds(86_400)),
        ] {
            var policy = LivenessPolicy(detectWithin: .seconds(3))
            policy.heartbeats = heartbeats
            var connection = try ConnectionMachineFixture(policy)
            connection.receivesWelcome(every: every, within: within)
            let bound = connection.machine.timings.bound
            #expect(LivenessPolicy.allowedBounds.contains(bound))
            #expect(connection.machine.timings.interval < bound)
            connection.advance(by: bound * 2)
            connection.expectClosed(.peerSilent, in: ConnectionMachineFixture.punctual(bound))
            #expect(connection.suspicions.count == 1)
        }
    }

    @Test("R12: a server's welcome does not make a side that pings slower than its own program asked for")
    func welcomeKeepsPromise() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: .seconds(3)))
        connection.receivesWelcome(every: .seconds(30_000), within: .seconds(86_400))
        connection.advance(by: .seconds(10))
        connection.expectClosed(.peerSilent, in: ConnectionMachineFixture.punctual(.seconds(3)))
    }
}
