//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import NIOCore
import NIOEmbedded
import Testing

@testable import BelayNIO

/// One clock and one wheel for all connections of a loop.
@Suite struct LoopTimekeeperTests {
    private let loop = SteeredEventLoop()
    private let channels = EmbeddedEventLoop()

    private func makeConnections(_ count: Int, policy: LivenessPolicy) throws -> [ConnectionFixture] {
        try (0..<count).map { _ in
            let fixture = try ConnectionFixture(.lines, policy: policy, loop: self.channels, eventLoop: self.loop)
            fixture.activate()
            fixture.receive("hi\n")
            return fixture
        }
    }

    private func end(_ fixtures: [ConnectionFixture]) {
        for fixture in fixtures { fixture.channel.close(promise: nil) }
        self.channels.run()
    }

    private var timekeeper: LoopTimekeeper { LoopTimekeepers.shared.timekeeper(of: self.loop) }

    // MARK: - Waking up

    @Test("a loop has one timekeeper, for as long as something is watched")
    func oneTimekeeper() throws {
        var fixtures = try self.makeConnections(2, policy: .lan)
        weak let timekeeper = fixtures[0].handler.timekeeper
        #expect(fixtures[0].handler.timekeeper === fixtures[1].handler.timekeeper)
        self.end(fixtures)
        fixtures = []
        #expect(timekeeper != nil)
        // The last wake-up that was scheduled lets it go.
        self.loop.advanceTime(by: .seconds(1))
        #expect(timekeeper == nil)
    }

    @Test("many connections share one scheduled callback")
    func oneCallback() throws {
        let fixtures = try self.makeConnections(500, policy: .lan)
        #expect(self.timekeeper.connectionCount == 500)
        #expect(self.loop.scheduledCount == 1)
        for _ in 0..<5 {
            self.loop.advanceTime(by: .milliseconds(400))
            #expect(self.loop.scheduledCount == 1)
        }
        self.end(fixtures)
    }

    @Test("nothing is scheduled once nothing is watched")
    func tickless() throws {
        let fixtures = try self.makeConnections(100, policy: .lan)
        self.end(fixtures)
        // What was scheduled for them still comes, and nothing after it.
        self.loop.advanceTime(by: .seconds(1))
        #expect(self.timekeeper.connectionCount == 0)
        #expect(self.loop.scheduledCount == 0)
    }

    @Test("a loop with one idle connection wakes up a few times per interval")
    func wakeUps() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        policy.heartbeats = .listen
        let fixtures = try self.makeConnections(1, policy: policy)
        var wakeUps = 0
        while fixtures[0].handler.reason == nil {
            self.loop.runNext()
            wakeUps += 1
        }
        fixtures[0].expectClosed(.peerSilent)
        // Suspicion and death, and what the wheel files again on its way to them.
        #expect(wakeUps <= 12)
        self.end(fixtures)
    }

    @Test("each connection is judged at its own time, however they are mixed")
    func ownTimes() throws {
        let start = self.loop.now
        let bounds = (1...60).map { Duration.milliseconds(37 * $0 * $0 + 20) }
        let fixtures = try bounds.shuffled().map { bound in
            try self.makeConnections(1, policy: LivenessPolicy(detectWithin: bound))[0]
        }
        for _ in 0..<100_000 where fixtures.contains(where: { $0.handler.reason == nil }) { self.loop.runNext() }
        #expect(start < self.loop.now)
        for fixture in fixtures {
            fixture.expectClosed(.peerSilent)
            let summary = try #require(fixture.events.elements.last?.closed?.summary)
            #expect(summary.silence <= summary.bound)
            #expect(
                summary.silence >= summary.bound - max(.milliseconds(5), min(.milliseconds(12), summary.bound * 0.08))
            )
        }
        self.end(fixtures)
    }

    @Test("two thousand connections that die in the same slot are two thousand ends, a few hundred per turn")
    func massDeath() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.heartbeats = .listen
        let fixtures = try self.makeConnections(2_000, policy: policy)
        self.loop.advanceTime(by: .milliseconds(2_900))
        #expect(fixtures.allSatisfy { $0.events.types.last == "connection.suspected" })
        while fixtures.allSatisfy({ $0.handler.reason == nil }) { self.loop.runNext() }
        // The loop serves its sockets between the turns.
        let afterOneTurn = fixtures.count { $0.handler.reason != nil }
        #expect(afterOneTurn < 1_000)
        self.loop.advanceTime(by: .milliseconds(100))
        #expect(fixtures.allSatisfy { $0.events.reasons.map(\.code) == [.peerSilent] })
        #expect(self.timekeeper.connectionCount == 0)
        self.loop.advanceTime(by: .seconds(60))
        #expect(self.loop.scheduledCount == 0)
        self.end(fixtures)
    }

    @Test("a connection that ends while others become due takes none of them with it")
    func endDuringATurn() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.heartbeats = .listen
        let others = try self.makeConnections(20, policy: policy)
        let channels = others.prefix(10).map(\.channel)
        let delegate = RecordingDelegate(onSuspected: { _ in
            for channel in channels { channel.close(promise: nil) }
        })
        let first = try ConnectionFixture(
            .lines,
            policy: policy,
            delegate: delegate,
            loop: self.channels,
            eventLoop: self.loop
        )
        first.activate()
        first.receive("hi\n")
        self.loop.advanceTime(by: .seconds(3))
        #expect(others.prefix(10).allSatisfy { $0.events.reasons.map(\.code) == [.peerClosed] })
        #expect(others.dropFirst(10).allSatisfy { $0.events.reasons.map(\.code) == [.peerSilent] })
        self.end(others + [first])
    }

    // MARK: - Stalls (R6)

    @Test("a sleep that was scheduled is no stall, however long")
    func noStall() throws {
        let stalls = Recorder<ObserverClock.Stall>()
        let timekeeper = self.timekeeper
        timekeeper.observeStalls(as: stalls) { stalls.record($0) }
        let fixtures = try self.makeConnections(1, policy: LivenessPolicy(detectWithin: .seconds(86_400)))
        self.loop.advanceTime(by: .seconds(86_401))
        fixtures[0].expectClosed(.peerSilent)
        #expect(stalls.elements.isEmpty)
        timekeeper.observeStalls(as: stalls, nil)
        self.end(fixtures)
    }

    @Test("a loop that was stopped for two and a half bounds closes nobody who answers then (R6)")
    func stall() throws {
        let stalls = Recorder<ObserverClock.Stall>()
        let timekeeper = self.timekeeper
        timekeeper.observeStalls(as: stalls) { stalls.record($0) }
        let fixtures = try self.makeConnections(50, policy: .lan)
        self.loop.advanceTime(by: .milliseconds(100))
        self.loop.stop(for: .milliseconds(7_500))
        self.loop.advanceTime(by: .milliseconds(10))
        #expect(fixtures.allSatisfy { $0.handler.reason == nil })
        let alive = fixtures.prefix(25)
        for _ in 0..<60 {
            for fixture in alive {
                for line in fixture.takeSent().split(separator: "\n") {
                    fixture.receive("pong " + line.dropFirst(5) + "\n")
                }
            }
            self.loop.advanceTime(by: .milliseconds(50))
        }
        // Those who answer live, and those who are really gone are found within one bound of the continuation.
        #expect(alive.allSatisfy { $0.handler.reason == nil })
        #expect(fixtures.dropFirst(25).allSatisfy { $0.events.reasons.map(\.code) == [.peerSilent] })
        #expect(stalls.elements.count == 1)
        let length = try #require(stalls.elements.first).length
        #expect(length > .seconds(6) && length <= .milliseconds(7_500))
        timekeeper.observeStalls(as: stalls, nil)
        self.end(fixtures)
    }

    @Test("a stall too short for an event is left out of the silence, and puts no verdict off for another ping")
    func stallTooShortForAnEvent() throws {
        let stalls = Recorder<ObserverClock.Stall>()
        let timekeeper = self.timekeeper
        timekeeper.observeStalls(as: stalls) { stalls.record($0) }
        // So many that some of their pings are due in each tenth of a second.
        let fixtures = try self.makeConnections(50, policy: LivenessPolicy(detectWithin: .seconds(6)))
        self.loop.advanceTime(by: .milliseconds(5_700))
        self.loop.stop(for: .milliseconds(220))
        self.loop.advanceTime(by: .milliseconds(280))
        #expect(fixtures.allSatisfy { $0.events.reasons.map(\.code) == [.peerSilent] })
        let length = try #require(stalls.elements.first).length
        #expect(stalls.elements.count == 1 && length > .milliseconds(100) && length < .milliseconds(250))
        timekeeper.observeStalls(as: stalls, nil)
        self.end(fixtures)
    }

    @Test("a loop that is late again and again, by less than a bound each time, closes nobody who answers")
    func repeatedStalls() throws {
        let fixtures = try self.makeConnections(5, policy: LivenessPolicy(detectWithin: .milliseconds(300)))
        for _ in 0..<100 {
            self.loop.stop(for: .milliseconds(250))
            for fixture in fixtures {
                for line in fixture.takeSent().split(separator: "\n") {
                    fixture.receive("pong " + line.dropFirst(5) + "\n")
                }
            }
            self.loop.advanceTime(by: .milliseconds(10))
        }
        #expect(fixtures.allSatisfy { $0.handler.reason == nil })
        self.end(fixtures)
    }

    @Test("each stall makes suspicion more patient, and each interval on time less")
    func localHealth() throws {
        let fixtures = try self.makeConnections(1, policy: LivenessPolicy(detectWithin: .milliseconds(300)))
        var multipliers: [Int] = []
        for round in 0..<30 {
            if round < 10 { self.loop.stop(for: .milliseconds(250)) }
            for line in fixtures[0].takeSent().split(separator: "\n") {
                fixtures[0].receive("pong " + line.dropFirst(5) + "\n")
            }
            self.loop.advanceTime(by: .milliseconds(round < 10 ? 10 : 100))
            multipliers.append(self.timekeeper.localHealth.multiplier)
        }
        #expect(multipliers.prefix(10) == [2, 3, 4, 5, 6, 7, 8, 8, 8, 8])
        #expect(multipliers.dropFirst(10).first == 8 || multipliers.dropFirst(10).first == 7)
        #expect(zip(multipliers.dropFirst(10), multipliers.dropFirst(11)).allSatisfy { $0 >= $1 })
        #expect(multipliers.last == 1)
        #expect(fixtures[0].handler.summary.detector.localHealth == 1)
        self.end(fixtures)
    }

    @Test("pings that piled up while a loop was stopped are no flood, although they are read before anything is judged")
    func pingsOfAStall() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.minimumPeerInterval = .seconds(1)
        let fixture = try self.makeConnections(1, policy: policy)[0]
        self.loop.pass(.seconds(120))
        fixture.receive(String(repeating: "ping\n", count: 120))
        #expect(fixture.handler.reason == nil)
        self.end([fixture])
    }

    @Test("a shorter interval that was agreed later makes the loop's clock stricter")
    func stricterClock() throws {
        let stalls = Recorder<ObserverClock.Stall>()
        let timekeeper = self.timekeeper
        timekeeper.observeStalls(as: stalls) { stalls.record($0) }
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        policy.peerBounds = .milliseconds(300) ... .seconds(30)
        let fixture = try self.makeConnections(1, policy: policy)[0]
        fixture.receive("hello device-42 every=100ms within=300ms\n")
        self.loop.stop(for: .milliseconds(150))
        #expect(stalls.elements.count == 1)
        timekeeper.observeStalls(as: stalls, nil)
        self.end([fixture])
    }

    // MARK: - Reporting stalls

    @Test("the stalls of two loops that stood still together are one event")
    func mergedStalls() {
        let events = Recorder<Event>()
        let reporter = StallReporter(threshold: .milliseconds(250), sink: events)
        let second: Int64 = 1_000_000_000
        reporter.noticed(.init(length: .seconds(5), endedAtMonotonicNanoseconds: 10 * second))
        reporter.noticed(.init(length: .milliseconds(4_900), endedAtMonotonicNanoseconds: 10 * second + 1_000_000))
        reporter.noticed(.init(length: .milliseconds(260), endedAtMonotonicNanoseconds: 10 * second + 400_000_000))
        #expect(events.types == ["node.stalled"])
        reporter.noticed(.init(length: .seconds(1), endedAtMonotonicNanoseconds: 20 * second))
        #expect(events.types == ["node.stalled", "node.stalled"])
    }

    @Test("a stall below the threshold is no event")
    func shortStall() {
        let events = Recorder<Event>()
        let reporter = StallReporter(threshold: .milliseconds(250), sink: events)
        reporter.noticed(.init(length: .milliseconds(249), endedAtMonotonicNanoseconds: 1_000_000_000))
        #expect(events.elements.isEmpty)
    }
}
