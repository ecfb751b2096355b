//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("what proves a peer alive, and when it is asked")
struct LifeSignTests {
    private static let bound = Duration.milliseconds(300)
    private static let policy = LivenessPolicy(detectWithin: bound)

    @Test("R1: any received byte proves life, our own writes never do")
    func anyByte() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        for _ in 0..<40 {
            connection.advance(by: .milliseconds(250))
            connection.receivesPartOfMessage()
        }
        connection.expectOpen()
        let heardAt = connection.elapsed
        for _ in 0..<40 {
            connection.advance(by: .milliseconds(10))
            connection.machine.bytesSent(1_000)
        }
        connection.expectClosed(.peerSilent, in: ConnectionMachineFixture.punctual(Self.bound, after: heardAt))
    }

    enum Sign: CaseIterable {
        case message, partOfMessage, ping, pong, pongWithUnknownToken, hello, welcome
    }

    @Test("R1: it does not matter what the bytes are", arguments: Sign.allCases)
    func everySign(sign: Sign) throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(250))
        switch sign {
        case .message: connection.receivesMessage()
        case .partOfMessage: connection.receivesPartOfMessage()
        case .ping: connection.receivesPing()
        case .pong: connection.receivesPong()
        case .pongWithUnknownToken: connection.receivesPong(token: .max)
        case .hello: connection.receivesHello()
        case .welcome: connection.receivesWelcome(every: .milliseconds(100), within: Self.bound)
        }
        #expect(connection.machine.silence(at: connection.now) == .zero)
        connection.advance(by: .milliseconds(250))
        connection.expectOpen()
        connection.advance(by: .milliseconds(60))
        let range = ConnectionMachineFixture.punctual(Self.bound, after: .milliseconds(250))
        connection.expectClosed(.peerSilent, in: range)
    }

    @Test("R2: a ping goes out when nothing was received for one interval, and not before 75 % of it")
    func pingAfterInterval() throws {
        for seed in 0..<200 as Range<UInt64> {
            var connection = try ConnectionMachineFixture(Self.policy, seed: seed)
            connection.advance(by: .milliseconds(30))
            connection.receivesMessage()
            connection.advance(by: .milliseconds(120))
            let first = try connection.requirePing().at
            #expect((.milliseconds(105) ... .milliseconds(130)).contains(first), "seed \(seed)")
        }
    }

    @Test("R2: a peer that talks is not pinged")
    func noPingUnderTraffic() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        for _ in 0..<100 {
            connection.advance(by: .milliseconds(70))
            connection.receivesMessage()
        }
        #expect(connection.pings == [])
    }

    @Test("R2: each interval is drawn anew from 75 to 100 % of its length, and a ping is never late")
    func jitter() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: .seconds(30)))
        connection.answersAfter = .milliseconds(1)
        connection.advance(by: .seconds(20_000))
        let gaps = zip(connection.pings, connection.pings.dropFirst()).map { $1 - $0 }
        #expect(gaps.count > 2_000)
        #expect(gaps.allSatisfy { (.milliseconds(7_500) ... .milliseconds(10_000)).contains($0) })
        let quarters = Dictionary(grouping: gaps) { Int(($0 - .milliseconds(7_500)) / .milliseconds(625)) }
        for quarter in 0..<4 {
            let share = Double(quarters[quarter, default: []].count) / Double(gaps.count)
            #expect(share > 0.2 && share < 0.3, "quarter \(quarter)")
        }
    }

    @Test("R2: pings of many connections leave together, on a grid of at most a sixteenth of the interval and 16 ms")
    func grid() throws {
        for (bound, grid) in [(.milliseconds(300), 6_250_000), (.seconds(30), 16_000_000)] as [(Duration, Int64)] {
            var onGrid = 0
            for seed in 0..<200 as Range<UInt64> {
                var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: bound), seed: seed)
                connection.advance(by: bound / 3)
                let first = try connection.requirePing().at
                #expect(first <= bound / 3)
                let instant = connection.now.advanced(by: first - connection.elapsed)
                onGrid += instant.nanoseconds % grid == 0 ? 1 : 0
            }
            // Only a ping drawn from the last cell before the end of its interval may be off the grid.
            #expect(onGrid > 100)
        }
    }

    @Test("R2: with pingAlways pings go out under traffic too")
    func pingAlways() throws {
        var policy = Self.policy
        policy.pingAlways = true
        var connection = try ConnectionMachineFixture(policy)
        for _ in 0..<1_000 {
            connection.advance(by: .milliseconds(10))
            connection.receivesMessage()
        }
        #expect(connection.pings.count >= 100)
        let gaps = zip(connection.pings, connection.pings.dropFirst()).map { $1 - $0 }
        #expect(gaps.allSatisfy { (.milliseconds(75) ... .milliseconds(100)).contains($0) })
    }

    @Test("who only answers or listens never pings, who only pings or listens never answers")
    func directions() throws {
        for heartbeats in LivenessPolicy.Heartbeats.allCases {
            var policy = Self.policy
            policy.heartbeats = heartbeats
            var connection = try ConnectionMachineFixture(policy)
            let action = connection.receivesPing()
            #expect((action == .answer) == (heartbeats == .both || heartbeats == .answer), "\(heartbeats)")
            connection.advance(by: .milliseconds(400))
            #expect(connection.pings.isEmpty == (heartbeats == .answer || heartbeats == .listen), "\(heartbeats)")
            #expect(connection.suspicions.count == 1, "\(heartbeats)")
            connection.expectClosed(.peerSilent, in: ConnectionMachineFixture.punctual(Self.bound), "\(heartbeats)")
        }
    }

    @Test("a quiet peer that answers lives for ever, with and without tokens", arguments: [true, false])
    func quietPeer(withToken: Bool) throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.answersWithToken = withToken
        connection.answersAfter = .milliseconds(40)
        connection.advance(by: .seconds(3_600))
        connection.expectOpen()
        #expect(connection.suspicions == [])
        #expect(connection.machine.figures.pongsReceived >= connection.machine.figures.pingsSent - 1)
    }
}

@Suite("R15: what a pong proves that names its ping")
struct StaleProofTests {
    private static let bound = Duration.milliseconds(300)
    private static let policy = LivenessPolicy(detectWithin: bound)

    @Test("R15: a pong that names its ping proves life when that ping was sent, not when it arrived")
    func stalePong() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(150))
        let (sentAt, token) = try connection.requirePing()
        connection.advance(by: .milliseconds(130))
        connection.receivesPong(token: token)
        let silence = connection.machine.silence(at: connection.now)
        #expect(silence >= connection.elapsed - sentAt && silence <= connection.elapsed - sentAt + .microseconds(1))
        connection.advance(by: .milliseconds(500))
        connection.expectClosed(.peerSilent, in: ConnectionMachineFixture.punctual(Self.bound, after: sentAt))
    }

    @Test("R15: without a token the arrival counts")
    func withoutToken() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(280))
        connection.receivesPong()
        #expect(connection.machine.silence(at: connection.now) == .zero)
        connection.advance(by: .milliseconds(600))
        let range = ConnectionMachineFixture.punctual(Self.bound, after: .milliseconds(280))
        connection.expectClosed(.peerSilent, in: range)
    }

    @Test("a token that was never sent counts as bytes, and gives no round trip")
    func forgedToken() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(150))
        for token in [150_001, 1 << 32, UInt64(Int64.max) / 1_000, UInt64(Int64.max), .max] as [UInt64] {
            connection.receivesPong(token: token)
            #expect(connection.machine.silence(at: connection.now) == .zero)
        }
        connection.expectOpen()
    }

    @Test("a token from before the first ping counts as bytes")
    func tokenBeforeFirstPing() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.advance(by: .milliseconds(50))
        connection.receivesPong(token: 0)
        #expect(connection.machine.silence(at: connection.now) == .zero)
        #expect(connection.machine.figures.roundTrip == nil)
    }

    @Test("no token takes a proof of life back")
    func proofOnlyGrows() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.advance(by: .milliseconds(190))
        let token = try connection.requirePing().token
        connection.receivesMessage()
        connection.receivesPong(token: token)
        connection.receivesPong(token: 0)
        #expect(connection.machine.silence(at: connection.now) == .zero)
    }

    @Test("the round trip is measured to the microsecond where pongs name their pings")
    func roundTripWithToken() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.answersAfter = .microseconds(12_345)
        connection.advance(by: .seconds(2))
        let roundTrip = connection.machine.figures.roundTrip ?? .zero
        #expect((.microseconds(12_345) ... .microseconds(12_346)).contains(roundTrip))
    }

    @Test("the round trip is measured without tokens while each ping is answered once")
    func roundTripWithoutToken() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.answersWithToken = false
        connection.answersAfter = .milliseconds(7)
        connection.advance(by: .seconds(2))
        // The time of a ping is known to the microsecond.
        let roundTrip = connection.machine.figures.roundTrip ?? .zero
        #expect((.milliseconds(7) ... .microseconds(7_001)).contains(roundTrip))
    }
}
