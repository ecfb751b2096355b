//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R14: when a client connects again")
struct ReconnectPolicyTests {
    private static let lost = DisconnectReason(.pathLost, phase: .active)

    private static func policy(_ change: (inout ReconnectPolicy) -> Void = { _ in }) -> ReconnectPolicy {
        var policy = ReconnectPolicy()
        change(&policy)
        return policy
    }

    /// The wait after each of `count` failures in a row.
    private static func waits(_ policy: ReconnectPolicy, seed: UInt64, count: Int) -> [Duration] {
        var backoff = ReconnectBackoff(policy)
        var generator = SplitMix64(seed: seed)
        return (0..<count).compactMap { _ in
            if case .wait(let wait) = backoff.ended(self.lost, lasted: nil, using: &generator) { wait } else { nil }
        }
    }

    @Test("R14: the ceiling doubles with each failure up to the longest delay, and the whole range below it is used")
    func fullJitter() {
        let ceilings: [Duration] = [
            .milliseconds(500), .seconds(1), .seconds(2), .seconds(4), .seconds(8), .seconds(16), .seconds(30),
            .seconds(30), .seconds(30),
        ]
        let runs = (0..<2_000 as Range<UInt64>).map { Self.waits(Self.policy(), seed: $0, count: ceilings.count) }
        for (attempt, ceiling) in ceilings.enumerated() {
            let waits = runs.map { $0[attempt] }
            #expect(waits.allSatisfy { $0 >= .zero && $0 <= ceiling }, "attempt \(attempt)")
            // Evenly drawn: each tenth of the range holds about a tenth of the draws.
            for tenth in 0..<10 {
                let share = waits.count { $0 >= ceiling * tenth / 10 && $0 < ceiling * (tenth + 1) / 10 }
                #expect((130...270).contains(share), "attempt \(attempt), tenth \(tenth)")
            }
        }
    }

    @Test("R14: the same seed gives the same waits, and two clients with different seeds are never in step")
    func seeds() {
        #expect(Self.waits(Self.policy(), seed: 1, count: 100) == Self.waits(Self.policy(), seed: 1, count: 100))
        for seed in 2..<100 as Range<UInt64> {
            let pairs = zip(
                Self.waits(Self.policy(), seed: 1, count: 100),
                Self.waits(Self.policy(), seed: seed, count: 100)
            )
            #expect(pairs.allSatisfy { $0 != $1 }, "seed \(seed)")
        }
    }

    @Test("R14: a thousand clients that lost the same server come back spread over the first delay")
    func herd() {
        let first = (0..<1_000 as Range<UInt64>).map { Self.waits(Self.policy(), seed: $0, count: 1)[0] }
        for slot in 0..<10 {
            let count = first.count { Int($0 / .milliseconds(50)) == slot }
            #expect((60...150).contains(count), "slot \(slot)")
        }
    }

    @Test("R14: a connection that held for the stable period starts the backoff anew, a shorter one does not")
    func stability() {
        var generator = SplitMix64(seed: 14)
        for (lasted, attempts) in [(Duration?.none, 11), (.seconds(9), 11), (.seconds(10), 1), (.seconds(99), 1)] {
            var backoff = ReconnectBackoff(Self.policy())
            for _ in 0..<10 { _ = backoff.ended(Self.lost, lasted: nil, using: &generator) }
            #expect(backoff.attempts == 10)
            let decision = backoff.ended(Self.lost, lasted: lasted, using: &generator)
            #expect(backoff.attempts == attempts)
            guard case .wait(let wait) = decision else {
                Issue.record("gave up")
                return
            }
            #expect(wait <= (attempts == 1 ? .milliseconds(500) : .seconds(30)))
        }
    }

    @Test("R14: who is told not to come back does not", arguments: DisconnectReason.Code.allCases)
    func advice(code: DisconnectReason.Code) {
        var generator = SplitMix64(seed: 14)
        var backoff = ReconnectBackoff(Self.policy())
        let own = backoff.ended(DisconnectReason(code, phase: .active), lasted: .seconds(60), using: &generator)
        #expect((own == .giveUp) == !code.mayReconnect)
        let told = DisconnectCause.goodbye(code: code.rawValue, retryAfter: nil).reason(in: .active)
        let decision = backoff.ended(told, lasted: .seconds(60), using: &generator)
        #expect((decision == .giveUp) == !code.mayReconnect)
    }

    @Test("R14: the server's retryAfter is a floor, with jitter on top so that clients told the same stay apart")
    func retryAfter() {
        var waits: [Duration] = []
        for seed in 0..<200 as Range<UInt64> {
            var generator = SplitMix64(seed: seed)
            var backoff = ReconnectBackoff(Self.policy())
            let reason = DisconnectCause.goodbye(code: "local.shutdown", retryAfter: .seconds(20)).reason(in: .active)
            if case .wait(let wait) = backoff.ended(reason, lasted: nil, using: &generator) { waits.append(wait) }
        }
        #expect(waits.count == 200)
        #expect(waits.allSatisfy { $0 >= .seconds(20) && $0 <= .milliseconds(20_500) })
        #expect(Set(waits).count == 200)
    }

    @Test("R14: an absurd retryAfter is neither obeyed for ever nor turned into a wait below zero")
    func absurdRetryAfter() {
        var generator = SplitMix64(seed: 14)
        for (asked, range) in [
            (Duration.seconds(Int64.max), Duration.seconds(86_400) ... .milliseconds(86_400_500)),
            (.seconds(-60), .zero ... .milliseconds(500)),
        ] {
            var backoff = ReconnectBackoff(Self.policy())
            let reason = DisconnectReason(.peerGoodbye, phase: .active, evidence: .init(retryAfter: asked))
            guard case .wait(let wait) = backoff.ended(reason, lasted: nil, using: &generator) else {
                Issue.record("gave up")
                return
            }
            #expect(range.contains(wait), "\(asked)")
        }
    }

    @Test("R14: the number of attempts can be limited, and a stable connection renews it")
    func maximumAttempts() {
        var generator = SplitMix64(seed: 14)
        var backoff = ReconnectBackoff(Self.policy { $0.maximumAttempts = 3 })
        for _ in 0..<3 { #expect(backoff.ended(Self.lost, lasted: nil, using: &generator) != .giveUp) }
        #expect(backoff.ended(Self.lost, lasted: nil, using: &generator) == .giveUp)
        #expect(backoff.ended(Self.lost, lasted: .seconds(10), using: &generator) != .giveUp)
    }

    @Test("R14: ten thousand failures in a row overflow nothing, with the smallest and the largest policy")
    func longOutage() {
        for (shortest, longest) in [
            (Duration.milliseconds(1), Duration.milliseconds(1)), (.milliseconds(1), .seconds(86_400)),
            (.seconds(3_600), .seconds(86_400)),
        ] {
            let policy = Self.policy {
                $0.shortestDelay = shortest
                $0.longestDelay = longest
            }
            let waits = Self.waits(policy, seed: 14, count: 10_000)
            #expect(waits.count == 10_000)
            #expect(waits.allSatisfy { $0 >= .zero && $0 <= longest })
            #expect(waits.suffix(5_000).max() ?? .zero > longest * 99 / 100)
        }
    }

    @Test("R14: every problem of a policy is reported at once")
    func validation() {
        #expect(throws: Never.self) { try ReconnectPolicy().validate() }
        let error = #expect(throws: ConfigurationError.self) {
            try Self.policy {
                $0.shortestDelay = .zero
                $0.longestDelay = .seconds(86_401)
                $0.stableAfter = .seconds(-1)
                $0.maximumAttempts = 0
            }.validate()
        }
        #expect(error?.problems.map(\.key) == ["shortestDelay", "longestDelay", "stableAfter", "maximumAttempts"])
        let order = #expect(throws: ConfigurationError.self) {
            try Self.policy { $0.longestDelay = .milliseconds(499) }.validate()
        }
        #expect(order?.problems.map(\.key) == ["longestDelay"])
        #expect(throws: Never.self) { try Self.policy { $0.longestDelay = .milliseconds(500) }.validate() }
        #expect(throws: Never.self) { try Self.policy { $0.stableAfter = .zero }.validate() }
    }
}
