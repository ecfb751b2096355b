//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R3: what a policy says and what follows from it")
struct LivenessPolicyTests {
    // MARK: - Ways to build one

    @Test("R3: a bound with m attempts gives an interval of the bound over m + 1", arguments: 1...100)
    func attempts(attempts: Int) throws {
        let timings = try LivenessPolicy(detectWithin: .seconds(30), attempts: attempts).timings()
        #expect(timings.bound == .seconds(30))
        #expect(timings.interval == .nanoseconds(30_000_000_000 / (Int64(attempts) + 1)))
    }

    @Test("R3: without a word about attempts there are two")
    func defaultAttempts() throws {
        let timings = try LivenessPolicy(detectWithin: .seconds(30)).timings()
        #expect(timings.interval == .seconds(10))
        #expect(timings.replyWithin == .seconds(10))
        #expect(timings.suspectAfter == .seconds(20))
    }

    @Test("R3: an explicit interval and bound are taken as they are")
    func intervalAndBound() throws {
        let timings = try LivenessPolicy(interval: .seconds(15), detectWithin: .seconds(30)).timings()
        #expect(timings.interval == .seconds(15))
        #expect(timings.bound == .seconds(30))
        #expect(timings.replyWithin == .seconds(15))
    }

    @Test("R3: an interval and a time to answer give their sum as bound")
    func intervalAndReply() throws {
        let timings = try LivenessPolicy(interval: .seconds(5), replyWithin: .seconds(3)).timings()
        #expect(timings.interval == .seconds(5))
        #expect(timings.bound == .seconds(8))
        #expect(timings.replyWithin == .seconds(3))
    }

    @Test("parts as flags give them: each way of saying it, and 30 s when nothing is said")
    func parts() throws {
        func timings(
            _ bound: Duration?,
            _ attempts: Int?,
            _ interval: Duration?,
            _ reply: Duration?
        ) throws -> LivenessTimings {
            let policy = LivenessPolicy(
                detectWithin: bound,
                attempts: attempts,
                interval: interval,
                replyWithin: reply
            )
            return try policy.timings()
        }
        #expect(try timings(nil, nil, nil, nil).bound == .seconds(30))
        #expect(try timings(nil, 4, nil, nil).interval == .seconds(6))
        #expect(try timings(.seconds(9), nil, nil, nil).interval == .seconds(3))
        #expect(try timings(.seconds(9), nil, .seconds(2), nil).interval == .seconds(2))
        #expect(try timings(nil, nil, .seconds(2), .seconds(1)).bound == .seconds(3))
        #expect(try timings(.seconds(3), nil, .seconds(2), .seconds(1)).bound == .seconds(3))
    }

    @Test("the presets are valid and promise what their names say")
    func presets() throws {
        #expect(try LivenessPolicy.lan.timings().bound == .seconds(3))
        #expect(try LivenessPolicy.wan.timings().bound == .seconds(30))
        #expect(try LivenessPolicy.mobile.timings().bound == .seconds(120))
        #expect(try LivenessPolicy.mobile.timings().interval == .seconds(60))
        #expect(try LivenessPolicy.mobile.timings().writeWithin == .seconds(180))
        #expect(try LivenessPolicy.localTesting.timings().bound == .milliseconds(300))
    }

    // MARK: - What follows

    @Test("deadlines that are not given follow from the bound")
    func derivedDeadlines() throws {
        for seconds in [1, 3, 30, 3_600] as [Int64] {
            let bound = Duration.seconds(seconds)
            let timings = try LivenessPolicy(detectWithin: bound).timings()
            #expect(timings.suspectAfter <= bound * 2 / 3 && timings.suspectAfter > bound * 2 / 3 - .nanoseconds(3))
            #expect(timings.writeWithin == bound)
            #expect(timings.handshakeWithin == bound)
            #expect(timings.closeWithin == .seconds(5))
            #expect(timings.readPauseLimit == max(bound * 10, .seconds(300)))
        }
    }

    @Test("where a hello is required the handshake takes at most 10 s unless more is allowed")
    func handshake() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        policy.requiresHello = true
        #expect(try policy.timings().handshakeWithin == .seconds(10))
        policy.detectWithin = .seconds(4)
        #expect(try policy.timings().handshakeWithin == .seconds(4))
        policy.handshakeWithin = .seconds(60)
        #expect(try policy.timings().handshakeWithin == .seconds(60))
    }

    @Test("deadlines that are given are taken as they are")
    func givenDeadlines() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        policy.suspectAfter = .seconds(7)
        policy.writeWithin = .seconds(8)
        policy.handshakeWithin = .seconds(9)
        policy.closeWithin = .seconds(10)
        policy.readPauseLimit = .seconds(11)
        policy.pingStrikes = 12
        let timings = try policy.timings()
        #expect(timings.suspectAfter == .seconds(7))
        #expect(timings.writeWithin == .seconds(8))
        #expect(timings.handshakeWithin == .seconds(9))
        #expect(timings.closeWithin == .seconds(10))
        #expect(timings.readPauseLimit == .seconds(11))
        #expect(timings.pingStrikes == 12)
    }

    @Test("which heartbeats are sent follows from one word")
    func heartbeats() throws {
        let rows: [(LivenessPolicy.Heartbeats, pings: Bool, answers: Bool)] = [
            (.both, true, true), (.ping, true, false), (.answer, false, true), (.listen, false, false),
        ]
        #expect(Set(rows.map(\.0)) == Set(LivenessPolicy.Heartbeats.allCases))
        for (heartbeats, pings, answers) in rows {
            var policy = LivenessPolicy.lan
            policy.heartbeats = heartbeats
            let timings = try policy.timings()
            #expect(timings.sendsPings == pings)
            #expect(timings.answersPings == answers)
        }
    }

    @Test("switches are passed on, and are off unless asked for")
    func switches() throws {
        let plain = try LivenessPolicy.lan.timings()
        #expect((plain.pingAlways, plain.requiresHello, plain.allowHalfClosure) == (false, false, false))
        #expect((plain.sendsPings, plain.answersPings, plain.pingStrikes) == (true, true, 2))
        var policy = LivenessPolicy.lan
        policy.pingAlways = true
        policy.requiresHello = true
        policy.allowHalfClosure = true
        let timings = try policy.timings()
        #expect((timings.pingAlways, timings.requiresHello, timings.allowHalfClosure) == (true, true, true))
    }

    @Test(
        "the last ping of a bound can be answered: at least half an interval is left after it, or the one before it has"
    )
    func timeToAnswer() throws {
        for milliseconds in stride(from: 20, through: 5_000, by: 7) as StrideThrough<Int64> {
            for share in [10, 25, 33, 49, 50, 51, 75, 90] as [Int64] {
                let bound = Duration.milliseconds(milliseconds)
                let interval = bound * share / 100
                guard interval >= .milliseconds(5), bound - interval >= .milliseconds(5) else { continue }
                let timings = try LivenessPolicy(interval: interval, detectWithin: bound).timings()
                #expect(timings.replyWithin > .zero)
                #expect(timings.replyWithin <= bound)
                if share <= 50 { #expect(timings.replyWithin >= interval / 2) }
                if share > 50 { #expect(timings.replyWithin == bound - interval) }
            }
        }
    }

    @Test("a late loop is no stall within an eighth of an interval, and a stall is reported from an interval on")
    func stalls() throws {
        let rows: [(bound: Int, tolerance: Int, threshold: Int)] = [
            (300, 12_500, 100), (30_000, 1_250_000, 250), (24, 4_000, 8), (600, 25_000, 200),
        ]
        for (bound, tolerance, threshold) in rows {
            let timings = try LivenessPolicy(detectWithin: .milliseconds(bound)).timings()
            #expect(timings.stallTolerance == .microseconds(tolerance))
            #expect(timings.stallThreshold == .milliseconds(threshold))
        }
    }
}
