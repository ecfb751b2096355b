//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

/// A link whose client receives, driven from event to event.
private struct LinkFixture {
    let start = ManualClock().now
    var link: SimulatedLink<Int>
    /// When each item was read, since the beginning.
    var read: [(item: Int, at: Duration)] = []
    var sent: [Int: Duration] = [:]
    var ending: String?
    var readsAtOnce = true

    init(_ conditions: LinkConditions, seed: UInt64 = 1) {
        self.link = SimulatedLink(conditions, seed: seed)
    }

    var elapsed: Duration { self.start.duration(to: self.link.now) }

    mutating func send(_ items: some Sequence<Int>, bytes: Int = 100) {
        for item in items {
            self.sent[item] = self.elapsed
            self.link.send(item, bytes: bytes, from: .server)
        }
    }

    mutating func run(until time: Duration) {
        let deadline = self.start.advanced(by: time)
        while let next = self.link.nextEvent, next <= deadline {
            self.link.advance(to: next)
            if self.readsAtOnce { self.readAll() }
        }
        self.link.advance(to: deadline)
    }

    mutating func readAll(atMost limit: Int = .max) {
        var count = 0
        while count < limit, let (arrival, _) = self.link.receive(at: .client) {
            count += 1
            switch arrival {
            case .item(let item): self.read.append((item, self.elapsed))
            case .end: self.ending = "end"
            case .reset: self.ending = "reset"
            }
        }
    }

    mutating func interrupt(to end: LinkEnd, from begin: Duration, until: Duration?) {
        let outage = self.start.advanced(by: begin)..<(until.map { self.start.advanced(by: $0) } ?? .distantFuture)
        self.link.interrupt(to: end, during: outage)
    }

    var items: [Int] { self.read.map(\.item) }
    var delays: [Duration] { self.read.map { $0.at - (self.sent[$0.item] ?? .zero) } }
}

@Suite struct SimulatedLinkTests {
    @Test("an item arrives after the latency, not before")
    func latency() {
        var fixture = LinkFixture(LinkConditions(latency: .milliseconds(30)))
        fixture.send([7])
        #expect(fixture.link.nextEvent == fixture.start.advanced(by: .milliseconds(30)))
        fixture.run(until: .microseconds(29_999))
        #expect(fixture.items.isEmpty)
        fixture.run(until: .milliseconds(30))
        #expect(fixture.items == [7])
        #expect(fixture.link.lastArrival(at: .client) == fixture.link.now)
    }

    @Test("jitter spreads the delays and never changes the order", arguments: 1...20 as ClosedRange<UInt64>)
    func jitter(seed: UInt64) {
        let conditions = LinkConditions(latency: .milliseconds(10), jitter: .milliseconds(40))
        var fixture = LinkFixture(conditions, seed: seed)
        for item in 0..<100 {
            fixture.send([item])
            fixture.run(until: .milliseconds(item * 7 + 7))
        }
        fixture.run(until: .seconds(2))
        #expect(fixture.items == Array(0..<100), "seed \(seed)")
        #expect(fixture.delays.allSatisfy { (.milliseconds(10) ... .milliseconds(50)).contains($0) }, "seed \(seed)")
        #expect(Set(fixture.delays).count > 50, "seed \(seed)")
    }

    @Test("losses delay and reorder nothing, and nothing is missing", arguments: 1...20 as ClosedRange<UInt64>)
    func losses(seed: UInt64) {
        var fixture = LinkFixture(LinkConditions(latency: .milliseconds(10), loss: 0.2), seed: seed)
        for item in 0..<200 {
            fixture.send([item])
            fixture.run(until: .milliseconds(item * 100 + 100))
        }
        fixture.run(until: .seconds(400))
        #expect(fixture.items == Array(0..<200), "seed \(seed)")
        let counters = fixture.link.counters(to: .client)
        #expect(counters.sent == 200 && counters.delivered == 200, "seed \(seed)")
        #expect(counters.lost > 10, "seed \(seed)")
        #expect(counters.transmissions == 200 + counters.lost, "seed \(seed)")
        // A loss that is noticed by the next item costs its distance and a round trip.
        #expect(fixture.delays.contains { $0 > .milliseconds(110) }, "seed \(seed)")
        #expect(fixture.delays.filter { $0 == .milliseconds(10) }.count > 100, "seed \(seed)")
    }

    @Test(
        "retransmissions come when those of Linux 6.18 were measured",
        arguments: [
            (Duration.seconds(120), [0.205, 0.415, 0.827, 1.658, 3.322, 6.652]),
            (.seconds(1), [0.208, 0.419, 0.848, 1.680, 2.706, 3.728]),
        ]
    )
    func schedule(longest: Duration, measured: [Double]) {
        var conditions = LinkConditions(latency: .zero)
        conditions.retransmitAfter = .milliseconds(205)
        conditions.longestRetransmission = longest
        for (index, instant) in measured.enumerated() {
            let previous = index == 0 ? 0 : measured[index - 1]
            var fixture = LinkFixture(conditions)
            fixture.interrupt(to: .client, from: .zero, until: .seconds((previous + instant) / 2))
            fixture.send([1])
            fixture.run(until: .seconds(20))
            let ratio = (fixture.read.first?.at ?? .zero) / .seconds(instant)
            #expect((0.96...1.04).contains(ratio), "\(instant) s: \(ratio)")
        }
    }

    @Test("a later item that gets through repairs a loss after one round trip")
    func fastRetransmit() {
        var fixture = LinkFixture(LinkConditions(latency: .milliseconds(10)))
        fixture.interrupt(to: .client, from: .zero, until: .milliseconds(1))
        fixture.send([1])
        fixture.run(until: .milliseconds(50))
        fixture.send([2])
        fixture.run(until: .seconds(1))
        #expect(fixture.items == [1, 2])
        #expect(fixture.read.map(\.at) == [.milliseconds(80), .milliseconds(80)])
    }

    @Test("an outage in one direction soon stops the other, and everything arrives after it")
    func asymmetricOutage() {
        var fixture = LinkFixture(LinkConditions(latency: .milliseconds(10)))
        fixture.interrupt(to: .server, from: .zero, until: .seconds(10))
        for item in 0..<100 {
            fixture.send([item])
            fixture.run(until: .milliseconds(item * 100 + 100))
        }
        // Those before the first timeout, which then waits for an acknowledgement.
        #expect(fixture.items == [0, 1, 2])
        fixture.run(until: .seconds(20))
        #expect(fixture.items == Array(0..<100))
    }

    @Test("after a cut for ever only what was on its way arrives")
    func cut() {
        var fixture = LinkFixture(LinkConditions(latency: .milliseconds(10)))
        fixture.interrupt(to: .client, from: .milliseconds(5), until: nil)
        fixture.send([1])
        fixture.run(until: .milliseconds(5))
        fixture.send([2])
        fixture.run(until: .seconds(3_600))
        #expect(fixture.items == [1])
        // Retransmissions back off to one in two minutes.
        #expect((20...45).contains(fixture.link.counters(to: .client).lost))
    }

    @Test("who does not read closes the window; the rest waits with the sender, and moves when it is read")
    func closedWindow() {
        var conditions = LinkConditions(latency: .milliseconds(10))
        conditions.sendBufferBytes = 16_384
        conditions.receiveBufferBytes = 32_768
        var fixture = LinkFixture(conditions)
        fixture.readsAtOnce = false
        fixture.send(0..<100, bytes: 1_024)
        #expect(fixture.link.queuedBytes(of: .server) == 100 * 1_024 - 16_384)
        fixture.run(until: .seconds(10))
        // The kernel takes no more before a third of its buffer is free.
        let buffered = 16_384 * 2 / 3 + 1...16_384
        #expect(buffered.contains(100 * 1_024 - 32_768 - fixture.link.queuedBytes(of: .server)))
        #expect(fixture.link.counters(to: .client).delivered == 32)
        let stuckSince = fixture.link.lastSignOfLife(at: .server)
        fixture.readAll(atMost: 16)
        fixture.run(until: .seconds(11))
        #expect(buffered.contains(100 * 1_024 - 32_768 - 16_384 - fixture.link.queuedBytes(of: .server)))
        #expect(fixture.link.lastSignOfLife(at: .server) != stuckSince)
        fixture.readsAtOnce = true
        fixture.readAll()
        fixture.run(until: .seconds(12))
        #expect(fixture.items == Array(0..<100))
        #expect(fixture.link.queuedBytes(of: .server) == 0)
        #expect(fixture.link.counters(to: .client).largestQueueBytes == 100 * 1_024 - 16_384)
    }

    @Test("a window opened by less than half a buffer is found by a probe")
    func windowProbe() {
        var conditions = LinkConditions(latency: .milliseconds(10))
        conditions.sendBufferBytes = 16_384
        conditions.receiveBufferBytes = 32_768
        var fixture = LinkFixture(conditions)
        fixture.readsAtOnce = false
        fixture.send(0..<40, bytes: 1_024)
        fixture.run(until: .seconds(5))
        fixture.readAll(atMost: 8)
        fixture.run(until: .seconds(6))
        #expect(fixture.link.counters(to: .client).delivered == 40)
    }

    @Test("the queue of a sender is bounded, and what it refuses is counted")
    func boundedQueue() {
        var conditions = LinkConditions()
        conditions.sendBufferBytes = 1_000
        conditions.queueLimitBytes = 5_000
        var fixture = LinkFixture(conditions)
        fixture.send(0..<10, bytes: 1_000)
        let counters = fixture.link.counters(to: .client)
        #expect(counters.sent == 6)
        #expect(counters.refused == 4)
        #expect(counters.largestQueueBytes == 5_000)
        fixture.run(until: .seconds(1))
        #expect(fixture.items == Array(0..<6))
    }

    @Test("items leave one after the other at the bandwidth")
    func bandwidth() {
        var conditions = LinkConditions(latency: .milliseconds(10))
        conditions.bytesPerSecond = 10_000
        var fixture = LinkFixture(conditions)
        fixture.send(0..<5, bytes: 1_000)
        fixture.run(until: .seconds(1))
        #expect(fixture.read.map(\.at) == [110, 210, 310, 410, 510].map { .milliseconds($0) })
    }

    @Test("the end comes after everything that was sent before it, and nothing can be sent after it")
    func finish() {
        var fixture = LinkFixture(LinkConditions(latency: .milliseconds(10), loss: 0.3), seed: 3)
        fixture.send(0..<10)
        fixture.link.finish(from: .server)
        let isSent = fixture.link.send(10, bytes: 1, from: .server)
        #expect(!isSent)
        // The other direction stays open.
        let isAnswered = fixture.link.send(0, bytes: 1, from: .client)
        #expect(isAnswered)
        fixture.run(until: .seconds(60))
        #expect(fixture.items == Array(0..<10))
        #expect(fixture.ending == "end")
    }

    @Test("a reset overtakes what is on its way, but not what has arrived")
    func reset() {
        var fixture = LinkFixture(LinkConditions(latency: .milliseconds(10)))
        fixture.readsAtOnce = false
        fixture.send([1])
        fixture.run(until: .milliseconds(10))
        fixture.send([2])
        fixture.link.reset(from: .server)
        fixture.run(until: .seconds(1))
        #expect(fixture.link.hasUnread(at: .client) && !fixture.link.isReset(at: .client))
        fixture.readAll(atMost: 1)
        #expect(fixture.link.isReset(at: .client))
        fixture.readAll()
        #expect(fixture.items == [1])
        #expect(fixture.ending == "reset")
        let isSent = fixture.link.send(0, bytes: 1, from: .client)
        #expect(!isSent)
        #expect(fixture.link.counters(to: .client).discarded == 1)
    }

    @Test("a reset that is lost is repeated when the other end sends something")
    func lostReset() {
        var fixture = LinkFixture(LinkConditions(latency: .milliseconds(10)))
        fixture.interrupt(to: .client, from: .zero, until: .seconds(1))
        fixture.link.reset(from: .server)
        fixture.run(until: .seconds(5))
        #expect(fixture.ending == nil)
        fixture.link.send(0, bytes: 1, from: .client)
        fixture.run(until: .seconds(6))
        #expect(fixture.ending == "reset")
    }

    @Test("the same seed gives the same arrivals, another seed others")
    func determinism() {
        func arrivals(seed: UInt64) -> [Duration] {
            let conditions = LinkConditions(latency: .milliseconds(10), jitter: .milliseconds(10), loss: 0.1)
            var fixture = LinkFixture(conditions, seed: seed)
            fixture.send(0..<100)
            fixture.run(until: .seconds(60))
            return fixture.read.map(\.at)
        }
        #expect(arrivals(seed: 1) == arrivals(seed: 1))
        #expect(arrivals(seed: 1) != arrivals(seed: 2))
    }
}
