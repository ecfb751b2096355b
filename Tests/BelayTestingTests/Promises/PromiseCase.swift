//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting

/// A policy and a path on which its promises are kept.
struct PromiseCase: Sendable, CustomStringConvertible {
    let description: String
    let policy: LivenessPolicy
    let timings: LivenessTimings
    let link: LinkConditions
    /// Losses that the path may have; a retransmission takes 200 ms, which is too long for the short bounds.
    let loss: Double

    init(_ name: String, _ policy: LivenessPolicy, latency: Duration, loss: Double = 0.05) {
        self.description = name
        self.policy = policy
        // A policy that is not valid is a mistake in this file.
        self.timings = try! policy.timings()
        self.link = LinkConditions(latency: latency, jitter: latency)
        self.loss = loss
    }

    var bound: Duration { self.timings.bound }
    /// The longest way there and back.
    var roundTrip: Duration { (self.link.latency + self.link.jitter) * 2 }

    static let all: [PromiseCase] = {
        var patientWriter = LivenessPolicy(detectWithin: .seconds(12), attempts: 1)
        patientWriter.writeWithin = .seconds(18)
        var alwaysPinging = LivenessPolicy(detectWithin: .seconds(10))
        alwaysPinging.pingAlways = true
        var expecting = LivenessPolicy(detectWithin: .seconds(10))
        expecting.detector = .nfde()
        var accruing = LivenessPolicy(detectWithin: .seconds(10))
        accruing.detector = .phi()
        return [
            PromiseCase("3 s", .lan, latency: .milliseconds(10)),
            PromiseCase("30 s", .wan, latency: .milliseconds(50)),
            PromiseCase(
                "a ping every 5 s, an answer within 3 s",
                LivenessPolicy(interval: .seconds(5), replyWithin: .seconds(3)),
                latency: .milliseconds(50)
            ),
            PromiseCase("12 s, one attempt, write deadline 18 s", patientWriter, latency: .milliseconds(50)),
            PromiseCase("10 s, pings under traffic", alwaysPinging, latency: .milliseconds(50)),
            PromiseCase("10 s, NFD-E", expecting, latency: .milliseconds(50)),
            PromiseCase("10 s, phi accrual", accruing, latency: .milliseconds(50)),
            PromiseCase("300 ms", .localTesting, latency: .microseconds(500), loss: 0),
            PromiseCase("20 ms", LivenessPolicy(detectWithin: .milliseconds(20)), latency: .microseconds(50), loss: 0),
        ]
    }()
}

/// Who sends heartbeats.
enum HeartbeatDirection: CaseIterable {
    /// Both ends ping and answer.
    case both
    /// The server pings, the client answers.
    case serverPings
    /// The client pings, the server answers.
    case clientPings
    /// Nobody pings; the client talks four times in each bound.
    case clientTalks
    /// The server pings, the client answers without a token.
    case withoutTokens

    func server(_ policy: LivenessPolicy) -> SimulatedPeer.Configuration {
        var policy = policy
        policy.heartbeats =
            switch self {
            case .both, .withoutTokens: .both
            case .serverPings: .ping
            case .clientPings: .answer
            case .clientTalks: .listen
            }
        return SimulatedPeer.Configuration(policy.learningFromPings)
    }

    /// The client; `patience` is how many bounds of the server it tolerates silence, at the same ping interval.
    func client(_ promise: PromiseCase, patience: Int) -> SimulatedPeer.Configuration {
        var policy = promise.policy
        if patience > 1 {
            policy = LivenessPolicy(interval: promise.timings.interval, detectWithin: promise.bound * patience)
        }
        switch self {
        case .both: policy.heartbeats = .both
        case .serverPings: policy.heartbeats = .answer
        case .clientPings: policy.heartbeats = .ping
        case .clientTalks: return .mute
        case .withoutTokens: return .answering(echoesTokens: false)
        }
        return SimulatedPeer.Configuration(policy.learningFromPings)
    }

    /// How much earlier than its arrival a sign of life may count (rule R15).
    func staleness(_ promise: PromiseCase) -> Duration {
        switch self {
        case .both, .serverPings, .clientPings: promise.roundTrip
        case .clientTalks, .withoutTokens: .zero
        }
    }

    /// The longest time between two signs of life of the client, without what the path adds.
    func beat(_ promise: PromiseCase) -> Duration {
        self == .clientTalks ? promise.bound / 4 : promise.timings.interval
    }
}

extension LivenessPolicy {
    /// The policy without a detector where there are no pings to learn from.
    fileprivate var learningFromPings: LivenessPolicy {
        var policy = self
        if self.heartbeats == .answer || self.heartbeats == .listen { policy.detector = .fixed }
        return policy
    }
}

/// One run of a promise: a seed, who sends heartbeats, and the randomness of the script.
struct PromiseRun {
    static let seeds: ClosedRange<UInt64> = 1...200

    let promise: PromiseCase
    let direction: HeartbeatDirection
    let seed: UInt64
    /// Whether the kernels of both ends tell what they know.
    var showsEvidence = false
    var random: SplitMix64
    var link: LinkConditions

    init(_ promise: PromiseCase, seed: UInt64) {
        let directions = HeartbeatDirection.allCases
        self.promise = promise
        self.direction = directions[Int(seed % UInt64(directions.count))]
        self.seed = seed
        self.random = SplitMix64(seed: seed)
        self.link = promise.link
    }

    /// So many bounds, drawn from a range.
    mutating func bounds(_ range: ClosedRange<Double>) -> Duration {
        self.promise.bound * Double.random(in: range, using: &self.random)
    }

    func simulation(patience: Int = 1) throws -> Simulation {
        var server = self.direction.server(self.promise.policy)
        var client = self.direction.client(self.promise, patience: patience)
        server.showsEvidence = self.showsEvidence
        client.showsEvidence = self.showsEvidence
        let simulation = try Simulation(server: server, client: client, over: self.link, seed: self.seed)
        if self.direction == .clientTalks {
            simulation.schedule(.talk(every: self.promise.bound / 4, bytes: 100), by: .client, at: .zero)
        }
        return simulation
    }

    /// What to print when this run breaks a promise.
    func context(_ simulation: Simulation) -> String {
        "seed \(self.seed), \(self.direction), \(self.showsEvidence ? "with" : "without") evidence\n\(simulation.beginning)"
    }
}

extension Simulation {
    /// The first 100 lines of the timeline.
    var beginning: String { self.timeline.entries.prefix(100).map { "\($0)" }.joined(separator: "\n") }

    /// Whether a machine asked to be called at a time that had passed.
    var hasSpun: Bool { self.timeline.entries.contains { $0.event == .spun } }

    /// Whether nobody closed and nobody would have spun.
    var isCalm: Bool { !self.hasSpun && !self.timeline.entries.contains { $0.close != nil } }

    /// The codes of all closes of an end.
    func codes(of end: LinkEnd) -> [DisconnectReason.Code] {
        self.timeline.closes(of: end).compactMap { $0.close?.reason.code }
    }
}

extension Timeline.Entry {
    /// How long, in true time, after the last sign of life of its peer the machine closed.
    var sinceLastSignOfLife: Duration? {
        if case .closed(_, let duration) = self.event { duration } else { nil }
    }
}
