//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R12: what a peer may ask for")
struct LivenessNegotiationTests {
    private static func timings(_ change: (inout LivenessPolicy) -> Void = { _ in }) throws -> LivenessTimings {
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        change(&policy)
        return try policy.timings()
    }

    @Test("R12: who asks for nothing gets our own interval and bound")
    func nothing() throws {
        let timings = try Self.timings()
        #expect(timings.negotiated(every: nil, within: nil) == timings)
    }

    @Test("R12: a bound is clamped to a tenth of ours at least and to ours at most, and the interval keeps its ratio")
    func boundOnly() throws {
        let rows: [(asked: Duration, bound: Duration, interval: Duration)] = [
            (.seconds(30), .seconds(30), .seconds(10)), (.seconds(15), .seconds(15), .seconds(5)),
            (.seconds(3), .seconds(3), .seconds(1)), (.seconds(2), .seconds(3), .seconds(1)),
            (.zero, .seconds(3), .seconds(1)), (.seconds(-9), .seconds(3), .seconds(1)),
            (.seconds(31), .seconds(30), .seconds(10)), (.seconds(Int64.max), .seconds(30), .seconds(10)),
        ]
        for (asked, bound, interval) in rows {
            let timings = try Self.timings().negotiated(every: nil, within: asked)
            #expect(timings.bound == bound, "\(asked)")
            #expect(timings.interval == interval, "\(asked)")
            #expect(timings.suspectAfter == bound * 2 / 3, "\(asked)")
            #expect(timings.replyWithin == interval, "\(asked)")
        }
    }

    @Test("R12: an interval is clamped to 5 ms at least and half the bound at most")
    func intervalOnly() throws {
        let rows: [(asked: Duration, interval: Duration)] = [
            (.seconds(7), .seconds(7)), (.milliseconds(5), .milliseconds(5)), (.milliseconds(4), .milliseconds(5)),
            (.zero, .milliseconds(5)), (.seconds(-1), .milliseconds(5)), (.seconds(15), .seconds(15)),
            (.seconds(16), .seconds(15)), (.seconds(Int64.max), .seconds(15)),
        ]
        for (asked, interval) in rows {
            let timings = try Self.timings().negotiated(every: asked, within: nil)
            #expect(timings.interval == interval, "\(asked)")
            #expect(timings.bound == .seconds(30), "\(asked)")
        }
    }

    @Test("R12: the range can be given, and may reach above our own bound")
    func givenRange() throws {
        let timings = try Self.timings { $0.peerBounds = .seconds(10) ... .seconds(120) }
        #expect(timings.negotiated(every: nil, within: .seconds(90)).bound == .seconds(90))
        #expect(timings.negotiated(every: nil, within: .seconds(900)).bound == .seconds(120))
        #expect(timings.negotiated(every: nil, within: .seconds(1)).bound == .seconds(10))
        #expect(timings.negotiated(every: .seconds(80), within: .seconds(120)).interval == .seconds(60))
    }

    @Test("R8 and R12: what follows from our bound by default follows from the one in force")
    func defaultsFollow() throws {
        let timings = try Self.timings { $0.peerBounds = .seconds(6) ... .seconds(120) }
        #expect(timings.negotiated(every: nil, within: .seconds(6)).writeWithin == .seconds(6))
        let longer = timings.negotiated(every: nil, within: .seconds(120))
        #expect(longer.writeWithin == .seconds(120))
        #expect(longer.readPauseLimit == .seconds(1_200))
        let own = try Self.timings { ($0.writeWithin, $0.readPauseLimit) = (.seconds(20), .seconds(400)) }
        #expect(own.negotiated(every: nil, within: .seconds(6)).writeWithin == .seconds(20))
        #expect(own.negotiated(every: nil, within: .seconds(6)).readPauseLimit == .seconds(400))
    }

    @Test("R12: the shortest range never goes below 20 ms")
    func shortestRange() throws {
        let timings = try LivenessPolicy(detectWithin: .milliseconds(20), attempts: 3).timings()
        let negotiated = timings.negotiated(every: .zero, within: .zero)
        #expect(negotiated.bound == .milliseconds(20))
        #expect(negotiated.interval == .milliseconds(5))
    }

    @Test("R12: whatever is asked for, there are pings within the bound and time to answer them")
    func never() throws {
        var generator = SplitMix64(seed: 12)
        for round in 0..<5_000 {
            let bound = Duration.milliseconds(Int64.random(in: 20...86_400_000, using: &generator))
            var timings = try LivenessPolicy(detectWithin: bound, attempts: 1).timings()
            for _ in 0..<3 {
                let every = Duration.nanoseconds(Int64.random(in: -1_000_000...100_000_000_000, using: &generator))
                let within = Duration.nanoseconds(Int64.random(in: -1_000_000...100_000_000_000, using: &generator))
                let asked = (
                    Bool.random(using: &generator) ? every : nil, Bool.random(using: &generator) ? within : nil
                )
                timings = timings.negotiated(every: asked.0, within: asked.1)
                guard timings.bound <= bound, timings.bound >= .milliseconds(20), timings.interval >= .milliseconds(5),
                    timings.interval <= timings.bound / 2, timings.replyWithin > .zero,
                    timings.suspectAfter < timings.bound, timings.suspectAfter > timings.bound / 2
                else {
                    Issue.record("round \(round): \(timings) from \(asked)")
                    return
                }
            }
        }
    }

    @Test("a welcome is taken within what can be asked for at all")
    func adopting() throws {
        let rows: [(every: Duration, within: Duration, interval: Duration, bound: Duration)] = [
            (.seconds(2), .seconds(8), .seconds(2), .seconds(8)),
            (.seconds(60), .seconds(180), .seconds(60), .seconds(180)),
            (.zero, .zero, .milliseconds(5), .milliseconds(20)),
            (.seconds(-1), .seconds(-1), .milliseconds(5), .milliseconds(20)),
            (.seconds(9), .seconds(8), .milliseconds(7_600), .seconds(8)),
            (.seconds(Int64.max), .seconds(Int64.max), .seconds(82_080), .seconds(86_400)),
        ]
        for (every, within, interval, bound) in rows {
            let timings = try Self.timings().adopting(every: every, within: within)
            #expect(timings.interval == interval, "\(every), \(within)")
            #expect(timings.bound == bound, "\(every), \(within)")
            // Later than two thirds only where a punctual peer would be suspected otherwise.
            #expect(timings.suspectAfter >= bound * 2 / 3 - .microseconds(1), "\(every), \(within)")
            #expect(timings.suspectAfter > interval && timings.suspectAfter < bound, "\(every), \(within)")
            #expect(timings.replyWithin > .zero)
        }
    }

    @Test("an own suspicion keeps its share of the bound")
    func suspicionShare() throws {
        let timings = try Self.timings { $0.suspectAfter = .seconds(15) }
        #expect(timings.negotiated(every: nil, within: .seconds(10)).suspectAfter == .seconds(5))
        #expect(timings.adopting(every: .seconds(1), within: .seconds(4)).suspectAfter == .seconds(2))
    }

    @Test("what is not negotiable stays as it is")
    func rest() throws {
        let timings = try Self.timings {
            $0.writeWithin = .seconds(7)
            $0.handshakeWithin = .seconds(9)
        }
        let negotiated = timings.negotiated(every: .seconds(1), within: .seconds(5))
        #expect(negotiated.writeWithin == .seconds(7))
        #expect(negotiated.handshakeWithin == .seconds(9))
        #expect(negotiated.closeWithin == timings.closeWithin)
        #expect(negotiated.readPauseLimit == timings.readPauseLimit)
    }
}
