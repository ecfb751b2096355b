//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("validate() reports everything that is wrong with a policy")
struct LivenessValidationTests {
    private static func problems(_ policy: LivenessPolicy) -> [ConfigurationError.Problem] {
        do throws(ConfigurationError) {
            try policy.validate()
            return []
        } catch {
            return error.problems
        }
    }

    private static func keys(_ policy: LivenessPolicy) -> [String] { self.problems(policy).map(\.key) }

    private static func policy(_ change: (inout LivenessPolicy) -> Void) -> LivenessPolicy {
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        change(&policy)
        return policy
    }

    @Test("bounds from 20 ms to 24 h are allowed, both ends included")
    func bounds() {
        let attempts = 3
        for bound in [.milliseconds(20), .milliseconds(21), .seconds(30), .seconds(86_400)] as [Duration] {
            #expect(Self.keys(LivenessPolicy(detectWithin: bound, attempts: attempts)) == [], "\(bound)")
        }
        let outside: [Duration] = [
            .milliseconds(20) - .nanoseconds(1), .seconds(86_400) + .nanoseconds(1), .zero, .seconds(-30),
            .seconds(Int64.max), .seconds(Int64.min),
        ]
        for bound in outside {
            #expect(Self.keys(LivenessPolicy(detectWithin: bound, attempts: attempts)) == ["detectWithin"], "\(bound)")
        }
    }

    @Test("a bound that is a sum must be allowed too")
    func sums() {
        let rows: [(Duration, Duration, [String])] = [
            (.milliseconds(15), .milliseconds(5), []),
            (.milliseconds(10), .milliseconds(9), ["interval + replyWithin"]),
            (.seconds(86_399), .seconds(1), []),
            (.seconds(86_400), .seconds(1), ["interval + replyWithin"]),
            (.milliseconds(4), .seconds(1), ["interval"]),
            (.seconds(1), .milliseconds(4), ["replyWithin"]),
            (.seconds(86_401), .seconds(86_401), ["interval", "replyWithin"]),
            (.seconds(Int64.max), .seconds(Int64.max), ["interval", "replyWithin"]),
        ]
        for (interval, reply, expected) in rows {
            let policy = LivenessPolicy(interval: interval, replyWithin: reply)
            #expect(Self.keys(policy) == expected, "\(interval), \(reply)")
        }
    }

    struct Mix: CustomTestStringConvertible {
        var bound: Duration?
        var attempts: Int?
        var interval: Duration?
        var reply: Duration?
        var keys: [String]

        init(_ bound: Int?, _ attempts: Int?, _ interval: Int?, _ reply: Int?, _ keys: [String]) {
            self.bound = bound.map { .seconds($0) }
            self.attempts = attempts
            self.interval = interval.map { .seconds($0) }
            self.reply = reply.map { .seconds($0) }
            self.keys = keys
        }

        var testDescription: String {
            "\(self.bound?.text ?? "-") \(self.attempts.map(String.init) ?? "-") \(self.interval?.text ?? "-") "
                + "\(self.reply?.text ?? "-")"
        }
    }

    @Test(
        "R3: every impossible mix of bound, attempts, interval and time to answer is reported",
        arguments: [
            Mix(30, nil, nil, 10, ["replyWithin"]), Mix(nil, nil, 10, nil, ["interval"]),
            Mix(nil, nil, nil, 10, ["replyWithin"]), Mix(30, nil, 30, nil, ["interval"]),
            Mix(30, nil, 31, nil, ["interval"]), Mix(30, nil, 20, 5, ["detectWithin"]),
            Mix(30, nil, 20, 11, ["detectWithin"]), Mix(30, 2, 10, nil, ["attempts"]),
            Mix(nil, 2, 10, 5, ["attempts"]), Mix(nil, 2, 10, nil, ["interval", "attempts"]),
            Mix(nil, 2, nil, 10, ["replyWithin"]), Mix(30, 2, nil, 10, ["replyWithin"]),
            Mix(30, 0, nil, nil, ["attempts"]), Mix(30, 101, nil, nil, ["attempts"]),
            Mix(30, -1, nil, nil, ["attempts"]),
            Mix(30, .max, nil, nil, ["attempts"]), Mix(30, .min, nil, nil, ["attempts"]),
            Mix(30, 2, 10, 5, ["detectWithin", "attempts"]), Mix(90_000, 0, nil, nil, ["detectWithin", "attempts"]),
        ]
    )
    func mixes(mix: Mix) {
        let policy = LivenessPolicy(
            detectWithin: mix.bound,
            attempts: mix.attempts,
            interval: mix.interval,
            replyWithin: mix.reply
        )
        #expect(Self.keys(policy) == mix.keys)
    }

    @Test("an interval that leaves a peer less than 5 ms to answer is reported")
    func noTimeToAnswer() {
        var policy = LivenessPolicy(detectWithin: .milliseconds(300))
        policy.attempts = nil
        policy.interval = .milliseconds(296)
        #expect(Self.keys(policy) == ["interval"])
        policy.interval = .milliseconds(295)
        #expect(Self.keys(policy) == [])
    }

    @Test("attempts that leave less than 5 ms to an interval are reported")
    func tooManyAttempts() {
        #expect(Self.keys(LivenessPolicy(detectWithin: .milliseconds(20), attempts: 3)) == [])
        #expect(Self.keys(LivenessPolicy(detectWithin: .milliseconds(20), attempts: 4)) == ["attempts"])
        #expect(Self.keys(LivenessPolicy(detectWithin: .milliseconds(505), attempts: 100)) == [])
        #expect(Self.keys(LivenessPolicy(detectWithin: .milliseconds(504), attempts: 100)) == ["attempts"])
    }

    @Test("nothing at all is reported as a bound that is missing")
    func nothing() {
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        policy.detectWithin = nil
        policy.attempts = nil
        #expect(Self.keys(policy) == ["detectWithin"])
    }

    struct Deadline: CustomTestStringConvertible {
        var key: String
        var allowed: [Duration] = [.milliseconds(20), day]
        var refused: [Duration] = [.milliseconds(20) - tick, .zero, .seconds(-1), day + tick]
        var set: @Sendable (inout LivenessPolicy, Duration) -> Void

        static let day: Duration = .seconds(86_400)
        static let tick: Duration = .nanoseconds(1)

        var testDescription: String { self.key }

        static let all: [Deadline] = [
            Deadline(
                key: "suspectAfter",
                allowed: [.milliseconds(1), .seconds(30) - tick],
                refused: [.milliseconds(1) - tick, .zero, .seconds(-1), .seconds(30), day + tick],
                set: { $0.suspectAfter = $1 }
            ),
            Deadline(key: "writeWithin", set: { $0.writeWithin = $1 }),
            Deadline(key: "handshakeWithin", set: { $0.handshakeWithin = $1 }),
            Deadline(
                key: "closeWithin",
                allowed: [.milliseconds(1), day],
                refused: [.milliseconds(1) - tick, .zero, .seconds(-1), day + tick],
                set: { $0.closeWithin = $1 }
            ),
            Deadline(key: "messageWithin", set: { $0.messageWithin = $1 }),
            Deadline(key: "idleLimit", set: { $0.idleLimit = $1 }),
            Deadline(key: "readPauseLimit", set: { $0.readPauseLimit = $1 }),
            Deadline(
                key: "minimumPeerInterval",
                allowed: [.microseconds(100), .seconds(3_600)],
                refused: [.microseconds(100) - tick, .zero, .seconds(-1), .seconds(3_600) + tick],
                set: { $0.minimumPeerInterval = $1 }
            ),
            Deadline(key: "peerBounds", set: { $0.peerBounds = min($1, .seconds(1))...max($1, .seconds(1)) }),
        ]
    }

    @Test("each deadline has its range, both ends included", arguments: Deadline.all)
    func ranges(deadline: Deadline) {
        for value in deadline.allowed {
            #expect(Self.keys(Self.policy { deadline.set(&$0, value) }) == [], "\(value)")
        }
        for value in deadline.refused {
            #expect(Self.keys(Self.policy { deadline.set(&$0, value) }) == [deadline.key], "\(value)")
        }
    }

    @Test("strikes are 0 to 1,000")
    func strikes() {
        for (strikes, keys) in [(0, []), (1_000, []), (-1, ["pingStrikes"]), (1_001, ["pingStrikes"])] {
            #expect(Self.keys(Self.policy { $0.pingStrikes = strikes }) == keys)
        }
    }

    @Test("all problems are reported at once, in the order of the properties")
    func allAtOnce() {
        let policy = Self.policy {
            $0.detectWithin = .zero
            $0.attempts = 0
            $0.suspectAfter = .zero
            $0.writeWithin = .zero
            $0.handshakeWithin = .zero
            $0.closeWithin = .zero
            $0.messageWithin = .zero
            $0.idleLimit = .zero
            $0.readPauseLimit = .zero
            $0.minimumPeerInterval = .zero
            $0.pingStrikes = -1
            $0.peerBounds = .zero ... .seconds(90_000)
        }
        let keys = Self.keys(policy)
        #expect(
            Set(keys) == [
                "detectWithin", "attempts", "suspectAfter", "writeWithin", "handshakeWithin", "closeWithin",
                "messageWithin", "idleLimit", "readPauseLimit", "minimumPeerInterval", "pingStrikes", "peerBounds",
            ]
        )
        #expect(keys.first == "detectWithin")
    }

    @Test("a problem that needs the bound is reported beside one that does not")
    func suspicionBesideOthers() {
        let policy = Self.policy {
            $0.suspectAfter = .seconds(31)
            $0.closeWithin = .zero
        }
        #expect(Set(Self.keys(policy)) == ["suspectAfter", "closeWithin"])
    }

    @Test("a problem names what is there and the allowed range, in one line")
    func messages() {
        let error = Self.problems(LivenessPolicy(detectWithin: .milliseconds(19))).first
        #expect(error?.message == "is 19ms, allowed are 20ms to 24h")
        let attempts = Self.problems(LivenessPolicy(detectWithin: .seconds(30), attempts: 0)).first
        #expect(attempts?.message == "is 0, allowed are 1 to 100")
        let suspect = Self.problems(Self.policy { $0.suspectAfter = .seconds(30) }).first
        #expect(suspect?.message.contains("30s") == true)
        let two = ConfigurationError(problems: [.init(key: "a", message: "is 1"), .init(key: "b", message: "is 2")])
        #expect(two.description == "a is 1; b is 2")
        #expect(two.description.contains("\n") == false)
    }

    @Test("limits on connections are checked the same way")
    func connectionLimits() {
        var limits = ConnectionLimits()
        #expect(throws: Never.self) { try limits.validate() }
        limits.connections = 0
        limits.connectionsPerAddress = 0
        limits.messageBytes = 63
        limits.outboundBytes = (1 << 30) + 1
        let error = #expect(throws: ConfigurationError.self) { try limits.validate() }
        #expect(
            error?.problems.map(\.key) == ["connections", "connectionsPerAddress", "messageBytes", "outboundBytes"]
        )
        limits.connections = 1
        limits.connectionsPerAddress = 1
        limits.messageBytes = 64 << 20
        limits.outboundBytes = 4_096
        #expect(throws: Never.self) { try limits.validate() }
    }
}
