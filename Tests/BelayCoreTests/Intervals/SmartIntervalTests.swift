//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the longest interval that keeps a path open is learned")
struct SmartIntervalTests {
    /// A client on networks that forget a connection after some time.
    struct Client {
        var intervals: SmartInterval
        var now = WallClock(millisecondsSince1970: 1_700_000_000_000)
        /// Every interval that was tried, once for each time that it came into force.
        private(set) var used: [Int64] = []

        init(_ change: (inout SmartInterval.Configuration) -> Void = { _ in }) throws {
            var configuration = SmartInterval.Configuration()
            configuration.probes = true
            change(&configuration)
            self.intervals = try SmartInterval(configuration)
        }

        /// One heartbeat after the interval in force; it is answered if the network waits so long.
        mutating func beat(on network: String = "home", waits: Duration) {
            let interval = self.intervals.inForce(on: network)
            if self.used.last != interval.components.seconds { self.used.append(interval.components.seconds) }
            self.now.millisecondsSince1970 += interval.components.seconds * 1_000
            if interval <= waits {
                self.intervals.answered(on: network, idleFor: interval, at: self.now)
            } else {
                self.intervals.unanswered(on: network, idleFor: interval, at: self.now)
            }
        }

        mutating func beats(_ count: Int, on network: String = "home", waits: Duration) {
            for _ in 0..<count { self.beat(on: network, waits: waits) }
        }

        mutating func pass(_ time: Duration) {
            self.now.millisecondsSince1970 += time.components.seconds * 1_000
        }

        var seconds: Int64 { self.intervals.inForce(on: "home").components.seconds }
        var learned: Int64? { self.intervals.learned(on: "home")?.components.seconds }

        /// One heartbeat less than it takes to learn a network that waits for ever.
        static let almost = 3 + 8 * 5 - 1
    }

    private static let ever = Duration.seconds(1_000_000)
    private static let week = Duration.seconds(7 * 86_400)

    // MARK: - Learning

    /// `marsSmartHeartbeat` of `detector-vectors.json`.
    private struct Vectors: Decodable {
        let shortest, longest, step, backOff, failures, successes, warmUps: Int
        let tried: [Int64]
        let learned: Int64

        enum CodingKeys: String, CodingKey {
            case shortest = "min_s"
            case longest = "max_s"
            case step = "step_s"
            case backOff = "successStep_s"
            case failures = "maxFail"
            case successes = "baseSucc"
            case warmUps = "netStable"
            case tried = "probe_intervals_s"
            case learned = "stable_after_max_s"
        }
    }

    @Test("with the constants of Mars the intervals of Mars are tried, five answers each after three warm-ups")
    func likeMars() throws {
        struct File: Decodable { let marsSmartHeartbeat: Vectors }
        let vectors = try DetectorVectors.decode(File.self).marsSmartHeartbeat
        let defaults = SmartInterval.Configuration()
        #expect(defaults.shortest == .seconds(vectors.shortest))
        #expect(defaults.longest == .seconds(vectors.longest))
        #expect(defaults.step == .seconds(vectors.step))
        #expect(defaults.backOff == .seconds(vectors.backOff))
        #expect(defaults.failuresToConclude == vectors.failures)
        #expect(defaults.successesPerStep == vectors.successes)
        #expect(defaults.warmUps == vectors.warmUps)

        var client = try Client()
        client.beats(vectors.warmUps, waits: Self.ever)
        #expect(client.used == [200])
        for interval in vectors.tried {
            for _ in 0..<vectors.successes {
                #expect(client.seconds == interval)
                #expect(client.learned == nil)
                client.beat(waits: Self.ever)
            }
        }
        #expect(client.used == [200] + vectors.tried)
        #expect(client.learned == vectors.learned)
        #expect(client.seconds == vectors.learned)
        client.pass(Self.week * 10)
        client.beats(10, waits: Self.ever)
        #expect(client.seconds == vectors.learned, "there is nothing longer to try")
    }

    @Test("two heartbeats unanswered at an interval leave the one before it, less 20 s, and never less than 210 s")
    func failures() throws {
        let rows: [(waits: Int64, learned: Int64)] = [
            (599, 520), (570, 520), (569, 490), (510, 490), (450, 430), (390, 370), (330, 310), (329, 250), (270, 250),
            (269, 210), (210, 210),
        ]
        for (waits, learned) in rows {
            var client = try Client()
            while client.learned == nil { client.beat(waits: .seconds(waits)) }
            #expect(client.learned == learned, "a network that waits \(waits) s")
        }
    }

    @Test("each failure is followed by three heartbeats that show that the network is up")
    func warmUpAfterFailure() throws {
        var client = try Client()
        client.beats(3 + 5, waits: .seconds(269))
        #expect(client.seconds == 270)
        client.beat(waits: .seconds(269))
        #expect(client.seconds == 200)
        client.beats(2, waits: .seconds(269))
        #expect(client.seconds == 200)
        client.beat(waits: .zero)
        client.beats(2, waits: .seconds(269))
        #expect(client.seconds == 200, "three in a row")
        client.beat(waits: .seconds(269))
        #expect(client.seconds == 270)
        client.beat(waits: .seconds(269))
        #expect(client.learned == 210)
    }

    @Test("one failure alone concludes nothing: an answer after it starts the count again")
    func singleFailures() throws {
        var client = try Client()
        client.beats(3 + 5, waits: Self.ever)
        for _ in 0..<4 {
            client.beat(waits: .zero)
            client.beats(3 + 1, waits: Self.ever)
            #expect(client.seconds == 270)
            #expect(client.learned == nil)
        }
        client.beats(4, waits: Self.ever)
        #expect(client.seconds == 330)
    }

    @Test("where even the shortest is too long, 200 s stay for a week")
    func nothingHolds() throws {
        var client = try Client()
        client.beats(3 + 1 + 3 + 1, waits: .seconds(209))
        #expect(client.learned == 200)
        client.beats(20, waits: .seconds(209))
        #expect(client.used == [200, 210, 200, 210, 200])
        client.pass(Self.week)
        client.beat(waits: Self.ever)
        #expect(client.seconds == 210)
    }

    @Test("two heartbeats unanswered at the learned interval start all over, one does not")
    func learnedFails() throws {
        var client = try Client()
        client.beats(Client.almost + 1, waits: Self.ever)
        #expect(client.learned == 580)
        client.beat(waits: .zero)
        client.beat(waits: Self.ever)
        client.beat(waits: .zero)
        #expect(client.learned == 580)
        client.beat(waits: .zero)
        #expect(client.learned == nil)
        #expect(client.seconds == 200)
        client.beats(3, waits: Self.ever)
        #expect(client.seconds == 210)
    }

    @Test("after a week 20 s more are tried, and all the following if they hold")
    func weekly() throws {
        var client = try Client()
        while client.learned == nil { client.beat(waits: .seconds(400)) }
        #expect(client.learned == 370)
        client.pass(Self.week - .seconds(371))
        client.beat(waits: .seconds(400))
        #expect(client.seconds == 370, "a second too early")
        client.pass(.seconds(1) - .seconds(370))
        client.beat(waits: .seconds(400))
        #expect(client.seconds == 390)
        #expect(client.learned == nil)
        while client.learned == nil { client.beat(waits: .seconds(400)) }
        #expect(client.learned == 370, "the same as before")
        client.pass(Self.week)
        while client.learned != 580 { client.beat(waits: Self.ever) }
        #expect(client.used.suffix(6) == [370, 390, 450, 510, 570, 600])
    }

    @Test("a wall clock that is set back delays the next try by a week at most, one set ahead brings it early")
    func wallClock() throws {
        var client = try Client()
        while client.learned == nil { client.beat(waits: .seconds(400)) }
        client.now.millisecondsSince1970 = 0
        client.beat(waits: .seconds(400))
        #expect(client.learned == 370)
        client.pass(Self.week)
        client.beat(waits: .seconds(400))
        #expect(client.seconds == 390)
        while client.learned == nil { client.beat(waits: .seconds(400)) }
        client.intervals.answered(on: "home", idleFor: .seconds(370), at: WallClock(millisecondsSince1970: .min))
        #expect(client.learned == 370)
        client.intervals.answered(on: "home", idleFor: .seconds(370), at: WallClock(millisecondsSince1970: .max))
        #expect(client.seconds == 390)
    }

    // MARK: - Without probing

    @Test("without probing 200 s stay, whatever is answered")
    func noProbes() throws {
        var client = try Client { $0.probes = false }
        client.beats(100, waits: Self.ever)
        client.beats(3, waits: .zero)
        client.beats(100, waits: Self.ever)
        #expect(client.used == [200])
        #expect(client.learned == nil)
    }

    @Test("what was learned stays when probing is no longer allowed; what was being tried does not")
    func probesNoLonger() throws {
        func withoutProbes(_ intervals: SmartInterval) throws -> SmartInterval {
            try SmartInterval(SmartInterval.Configuration(), json: intervals.json)
        }
        var learned = try Client()
        while learned.learned == nil { learned.beat(waits: .seconds(400)) }
        learned.intervals = try withoutProbes(learned.intervals)
        learned.pass(Self.week)
        learned.beats(10, waits: .seconds(400))
        #expect(learned.learned == 370)
        #expect(learned.seconds == 370)

        var trying = try Client()
        trying.beats(3 + 5, waits: Self.ever)
        #expect(trying.seconds == 270)
        trying.intervals = try withoutProbes(trying.intervals)
        #expect(trying.seconds == 200)
        let before = trying.intervals
        trying.intervals.answered(on: "home", idleFor: .seconds(215), at: trying.now)
        trying.intervals.unanswered(on: "home", idleFor: .seconds(215), at: trying.now)
        #expect(trying.intervals == before)
    }

    // MARK: - What tells nothing

    @Test("a heartbeat that was not sent after the interval in force tells nothing, answered or not")
    func ignored() throws {
        for stage in [3, 3 + 5, Client.almost, Client.almost + 1] {
            var client = try Client()
            client.beats(stage, waits: Self.ever)
            let before = client.intervals
            let interval = before.inForce(on: "home")
            let elsewhere: [Duration] = [
                .zero, .seconds(-1), .seconds(100), interval * 3 / 4, interval - .milliseconds(1),
                interval + .seconds(20) + .milliseconds(1), interval * 2, .seconds(Int64.max), .seconds(Int64.min),
            ]
            for _ in 0..<10 {
                for idle in elsewhere {
                    client.intervals.answered(on: "home", idleFor: idle, at: client.now)
                    client.intervals.unanswered(on: "home", idleFor: idle, at: client.now)
                }
            }
            #expect(client.intervals == before, "after \(stage) heartbeats")
        }
    }

    @Test("a heartbeat that is late by no more than 20 s counts")
    func late() throws {
        var client = try Client()
        client.beats(3 + 4, waits: Self.ever)
        client.intervals.answered(on: "home", idleFor: .seconds(230), at: client.now)
        #expect(client.seconds == 270)
    }

    // MARK: - Networks

    @Test("each network is learned by itself")
    func networks() throws {
        var client = try Client()
        client.beats(Client.almost + 1, on: "office", waits: Self.ever)
        #expect(client.seconds == 200)
        while client.learned == nil { client.beat(waits: .seconds(400)) }
        #expect(client.learned == 370)
        #expect(client.intervals.learned(on: "office") == .seconds(580))
    }

    @Test("the network used least recently is forgotten, and counted")
    func forgotten() throws {
        var client = try Client { $0.maximumNetworks = 3 }
        for network in ["a", "b", "c"] { client.beats(Client.almost + 1, on: network, waits: Self.ever) }
        #expect(client.intervals.forgotten == 0)
        client.beat(on: "a", waits: Self.ever)
        client.beat(on: "d", waits: Self.ever)
        #expect(client.intervals.forgotten == 1)
        #expect(client.intervals.learned(on: "b") == nil)
        for network in ["a", "c"] { #expect(client.intervals.learned(on: network) == .seconds(580)) }
        // Also a heartbeat that tells nothing is a use.
        client.intervals.answered(on: "c", idleFor: .zero, at: client.now)
        client.beat(on: "e", waits: Self.ever)
        #expect(client.intervals.learned(on: "a") == nil)
        #expect(client.intervals.learned(on: "c") == .seconds(580))
        for index in 0..<1_000 { client.beat(on: "\(index)", waits: Self.ever) }
        #expect(client.intervals.forgotten == 1_002)
    }

    @Test("a network without a usable label is never learned")
    func labels() throws {
        let longest = String(repeating: "ü", count: 64)
        #expect(SmartInterval.isLabel(longest))
        var client = try Client()
        let before = client.intervals
        for label in ["", longest + "x", String(repeating: "x", count: 100_000)] {
            #expect(!SmartInterval.isLabel(label))
            client.beats(100, on: label, waits: Self.ever)
            #expect(client.intervals.inForce(on: label) == .seconds(200))
        }
        #expect(client.intervals == before)
        client.beats(Client.almost + 1, on: longest, waits: Self.ever)
        #expect(client.intervals.learned(on: longest) == .seconds(580))
    }

    // MARK: - Any order of events

    @Test("whatever happens, the interval is one of those that are allowed, and the table stays small")
    func anything() throws {
        var client = try Client { $0.maximumNetworks = 4 }
        var generator = SplitMix64(seed: 11)
        for _ in 0..<20_000 {
            let network = "\(Int.random(in: 0..<6, using: &generator))"
            let interval = client.intervals.inForce(on: network)
            #expect(interval == .seconds(200) || (.seconds(210) ... .seconds(600)).contains(interval))
            client.pass(.seconds(Int64.random(in: 0..<100_000, using: &generator)))
            let idle =
                Bool.random(using: &generator) ? interval : .seconds(Int64.random(in: 0..<700, using: &generator))
            if Int.random(in: 0..<10, using: &generator) < 8 {
                client.intervals.answered(on: network, idleFor: idle, at: client.now)
            } else {
                client.intervals.unanswered(on: network, idleFor: idle, at: client.now)
            }
        }
        #expect((0..<6).count { client.intervals.inForce(on: "\($0)") > .seconds(200) } <= 4)
    }
}
