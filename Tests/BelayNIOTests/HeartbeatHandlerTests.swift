//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import NIOCore
import NIOEmbedded
import NIOTestUtils
import Testing

@testable import BelayNIO

@Suite struct HeartbeatHandlerTests {
    private static let bound = Duration.seconds(30)
    private static let interval = Duration.seconds(10)

    // MARK: - Heartbeats

    @Test("a silent peer is pinged within 75 to 100 % of the interval", arguments: UInt64(1)...8)
    func pingsWithinInterval(seed: UInt64) throws {
        let fixture = try HeartbeatFixture(LivenessPolicy(detectWithin: Self.bound), seed: seed)
        fixture.activate()
        let start = fixture.loop.now
        let times = fixture.timesOfPings(during: .seconds(100))
        let gaps = zip([start] + times, times).map { Duration.nanoseconds(($1 - $0).nanoseconds) }
        #expect(gaps.count >= 9, "seed \(seed)")
        // The step of the virtual clock is a millisecond; a ping goes out at most one tick after its time.
        for gap in gaps {
            #expect(gap >= Self.interval * 0.75 && gap <= Self.interval + .milliseconds(2), "seed \(seed)")
        }
    }

    @Test("a ping is answered, and heartbeats are not handed on")
    func answersAndSwallows() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.receive("ping 7")
        fixture.receive("pong 3")
        #expect(fixture.takeSent() == ["pong 7"])
        #expect(fixture.program.messages == [])
    }

    @Test("a policy that only pings leaves the peer's pings unanswered")
    func doesNotAnswer() throws {
        var policy = LivenessPolicy(detectWithin: Self.bound)
        policy.heartbeats = .ping
        let fixture = try HeartbeatFixture(policy)
        fixture.activate()
        fixture.receive("ping 7")
        #expect(fixture.takeSent() == [])
        #expect(fixture.program.messages == [])
    }

    @Test("a message is handed on and proves life")
    func messagesProveLife() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        for number in 0..<20 {
            fixture.advanceTime(by: .seconds(19))
            fixture.receive("message \(number)")
        }
        #expect(fixture.program.messages.count == 20)
        #expect(fixture.events == [])
    }

    @Test("what the program writes proves nothing")
    func ownWritesProveNothing() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        for _ in 0..<30 {
            try fixture.channel.writeOutbound(ByteBuffer(string: "news"))
            fixture.advanceTime(by: .seconds(1))
        }
        #expect(fixture.events.map(\.name) == ["suspected", "closed"])
    }

    @Test("a live peer is never suspected")
    func livePeer() throws {
        let fixture = try HeartbeatFixture(LivenessPolicy(detectWithin: .milliseconds(300)))
        fixture.activate()
        fixture.advanceTimeWithLivePeer(by: .seconds(30))
        #expect(fixture.events == [])
        #expect(fixture.channel.isActive)
    }

    // MARK: - Verdicts

    @Test(
        "a dead peer is suspected, then closed at the bound and never after it",
        arguments: [20, 100, 300, 3_000, 30_000]
    )
    func deadPeer(boundMilliseconds: Int) throws {
        let bound = Duration.milliseconds(boundMilliseconds)
        let fixture = try HeartbeatFixture(LivenessPolicy(detectWithin: bound))
        fixture.activate()
        fixture.receive("hello")
        fixture.advanceTime(by: bound * 0.9)
        #expect(fixture.events.map(\.name) == ["suspected"])
        fixture.advanceTime(by: bound * 0.1)
        fixture.expectClosed(.peerSilent)
        #expect(fixture.events.map(\.name) == ["suspected", "closed"])
        guard case .suspected(let silence) = fixture.events.first else { return }
        #expect(silence >= bound / 3 * 2 && silence < bound * 0.9)
    }

    @Test("a peer that never said anything is covered by the handshake deadline")
    func handshakeDeadline() throws {
        var policy = LivenessPolicy(detectWithin: Self.bound)
        policy.handshakeWithin = .seconds(2)
        policy.closeWithin = .seconds(1)
        let fixture = try HeartbeatFixture(policy)
        fixture.activate()
        fixture.advanceTime(by: .seconds(2))
        #expect(fixture.link.closes == [.output])
        #expect(fixture.takeSent() == ["bye policy.handshake-timeout"])
        fixture.advanceTime(by: .seconds(1))
        fixture.expectClosed(.handshakeTimeout)
    }

    @Test("a suspected peer that speaks again has recovered")
    func recovers() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.receive("hello")
        fixture.advanceTime(by: .seconds(25))
        fixture.receive("hello again")
        #expect(fixture.events.map(\.name) == ["suspected", "recovered"])
        fixture.advanceTime(by: .seconds(19))
        #expect(fixture.events.count == 2)
        guard case .recovered(let silence) = fixture.events.last else { return }
        #expect(silence == .seconds(25))
    }

    @Test("a suspected peer gets one more ping at once")
    func suspicionPings() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.receive("hello")
        fixture.advanceTime(by: .seconds(20) - .milliseconds(1))
        _ = fixture.takeSent()
        fixture.advanceTime(by: .milliseconds(2))
        #expect(fixture.events.map(\.name) == ["suspected"])
        #expect(fixture.takeSent().count == 1)
    }

    @Test("a stale pong proves life when its ping was sent, not when it arrived")
    func staleProof() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.receive("hello")
        fixture.advanceTime(by: .seconds(10))
        let pings = fixture.takeSent()
        try #require(pings.count == 1)
        // Sent at 10 s at the latest, it arrives at 29 s: the bound ends at 40 s, not at 59 s.
        fixture.advanceTime(by: .seconds(19))
        fixture.receive("pong " + pings[0].dropFirst(5))
        fixture.advanceTime(by: .seconds(11))
        fixture.expectClosed(.peerSilent)
    }

    @Test("a dead peer is not said goodbye to")
    func noGoodbyeToTheDead() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.receive("hello")
        fixture.advanceTime(by: .seconds(30))
        #expect(fixture.takeSent().allSatisfy { $0.hasPrefix("ping ") })
        #expect(fixture.link.closes == [.all])
    }

    @Test("an idle limit ends the connection with a goodbye and a FIN, and with a reset when the peer does not follow")
    func idleLimit() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.idleLimit = .seconds(10)
        policy.closeWithin = .seconds(1)
        let fixture = try HeartbeatFixture(policy)
        fixture.activate()
        fixture.receive("hello")
        for _ in 0..<10 {
            fixture.advanceTime(by: .milliseconds(999))
            fixture.receive("pong")
        }
        _ = fixture.takeSent()
        fixture.advanceTime(by: .milliseconds(20))
        #expect(fixture.events.compactMap(\.reason).map(\.code) == [.idle])
        #expect(fixture.takeSent() == ["bye policy.idle"])
        #expect(fixture.link.closes == [.output])
        fixture.advanceTime(by: .seconds(1))
        #expect(fixture.link.closes == [.output, .all])
        fixture.expectClosed(.idle)
    }

    @Test("a peer that pings without end is closed as a flood")
    func pingFlood() throws {
        let fixture = try HeartbeatFixture(LivenessPolicy(detectWithin: .milliseconds(300)))
        fixture.activate()
        for _ in 0..<1_000 { fixture.receive("ping") }
        fixture.expectClosed(.pingFlood)
        #expect(fixture.takeSent().count < 1_000)
    }

    @Test("R1: what the program writes and flushes later moves nothing that speaks for the peer")
    func unflushedWrites() throws {
        let fixture = try HeartbeatFixture(LivenessPolicy(detectWithin: .seconds(3)))
        fixture.activate()
        fixture.receive("hello")
        for _ in 0..<30 {
            fixture.channel.write(ByteBuffer(string: "telemetry"), promise: nil)
            fixture.advanceTime(by: .milliseconds(100))
            fixture.channel.flush()
        }
        fixture.expectClosed(.peerSilent)
    }

    @Test("a peer that takes nothing for the write deadline does not read")
    func notReading() throws {
        let fixture = try HeartbeatFixture(LivenessPolicy(detectWithin: .seconds(3)))
        fixture.activate()
        fixture.receive("hello")
        fixture.link.isBlocked = true
        fixture.channel.writeAndFlush(ByteBuffer(string: "bulk"), promise: nil)
        fixture.channel.pipeline.syncOperations.fireChannelWritabilityChanged()
        for _ in 0..<2 {
            fixture.advanceTime(by: .seconds(1))
            fixture.receive("message")
        }
        #expect(fixture.channel.isActive)
        fixture.advanceTime(by: .seconds(1))
        fixture.expectClosed(.peerNotReading)
    }
}
