//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

extension Scenario {
    /// A scenario drawn from a seed.
    public init(seed: UInt64) {
        var draw = Draw(SplitMix64(seed: seed))
        let bound = draw.one(of: Self.bounds)
        let policy = Self.policy(bound: bound, &draw)
        let path = Self.path(for: policy, &draw)
        let toClient = draw.chance(0.3) ? Self.path(for: policy, &draw) : path
        var (server, client) = Self.peers(policy, &draw)
        let format = draw.one(of: [nil, .raw, .lines, .frames] as [WireFormat?])
        server.format = format
        client.format = format
        let showsEvidence = draw.chance(0.6)
        server.showsEvidence = showsEvidence
        client.showsEvidence = showsEvidence
        if draw.chance(0.1) {
            // A host that is short of processor time.
            server.wakeUpLateness = min(.milliseconds(20), bound / 20)
        }
        self.init(
            seed: seed,
            server: server,
            client: client,
            toServer: path,
            toClient: toClient,
            steps: Self.steps(bound: bound, format: format, client: client, &draw),
            length: .zero
        )
        let patience = max(bound, server.policy.writeWithin ?? bound, client.policy.writeWithin ?? bound)
        let last = self.steps.map(\.at).max() ?? .zero
        self.length = max(last, bound * 6) + patience * 4 + .seconds(6)
    }

    private static let bounds: [Duration] = [
        .milliseconds(20), .milliseconds(100), .milliseconds(300), .seconds(1), .seconds(3), .seconds(10), .seconds(30),
    ]

    // MARK: - Who

    private static func policy(bound: Duration, _ draw: inout Draw) -> LivenessPolicy {
        var policy = LivenessPolicy(
            detectWithin: bound,
            attempts: draw.one(of: bound < .milliseconds(50) ? [1, 2] : [1, 2, 2, 3, 5])
        )
        if bound >= .milliseconds(100), draw.chance(0.2) {
            let interval = bound * draw.real(0.2...0.7)
            policy = LivenessPolicy(interval: interval, replyWithin: bound - interval)
        }
        policy.pingAlways = draw.chance(0.2)
        if draw.chance(0.3) { policy.writeWithin = bound * draw.real(1...2) }
        if draw.chance(0.2) { policy.suspectAfter = bound * draw.real(0.4...0.9) }
        policy.detector = draw.one(of: [.fixed, .fixed, .nfde(), .nfde(margin: .fixed(bound / 10), window: 8), .phi()])
        return policy
    }

    /// Who sends heartbeats: both, one, or nobody while the client talks.
    private static func peers(
        _ policy: LivenessPolicy,
        _ draw: inout Draw
    ) -> (server: SimulatedPeer.Configuration, client: SimulatedPeer.Configuration) {
        var (serverPolicy, clientPolicy) = (policy, policy)
        var client: SimulatedPeer.Configuration?
        switch draw.below(6) {
        case 0:
            serverPolicy.heartbeats = .ping
            clientPolicy.heartbeats = .answer
        case 1:
            serverPolicy.heartbeats = .answer
            clientPolicy.heartbeats = .ping
        case 2:
            serverPolicy.heartbeats = .listen
            client = .mute
        case 3:
            client = .answering(echoesTokens: draw.chance(0.5))
        default:
            break
        }
        // Only who pings learns from answers.
        if [.answer, .listen].contains(serverPolicy.heartbeats) { serverPolicy.detector = .fixed }
        if clientPolicy.heartbeats == .answer { clientPolicy.detector = .fixed }
        var peer = client ?? SimulatedPeer.Configuration(clientPolicy)
        if client == nil, clientPolicy.heartbeats == .both, draw.chance(0.2) {
            peer.asksFor = (policy.detectWithin ?? .seconds(1)) * draw.real(0.3...1)
        }
        return (SimulatedPeer.Configuration(serverPolicy), peer)
    }

    // MARK: - Where

    private static func path(for policy: LivenessPolicy, _ draw: inout Draw) -> LinkConditions {
        // What a path must be for any promise: there and back within a quarter of the time to answer.
        let reply = (try? policy.timings().replyWithin) ?? .seconds(1)
        let longest = min(reply / 8, .milliseconds(400))
        var conditions = LinkConditions()
        conditions.latency = longest * draw.real(0.02...0.5)
        conditions.jitter = (longest - conditions.latency) * draw.real(0...1)
        conditions.jitterShape = draw.one(of: JitterShape.allCases)
        if reply >= .seconds(2), draw.chance(0.4) { conditions.loss = draw.real(0...0.05) }
        if draw.chance(0.2) {
            conditions.bytesPerSecond = Int(draw.real(5...8) * 40_000 / max(reply / .seconds(1), 0.05))
        }
        if draw.chance(0.4) {
            conditions.sendBufferBytes = draw.one(of: [8_192, 16_384])
            conditions.receiveBufferBytes = draw.one(of: [8_192, 32_768])
        }
        if draw.chance(0.5) { conditions.longestRetransmission = max(.seconds(1), reply) }
        return conditions
    }

    // MARK: - What happens

    private static func steps(
        bound: Duration,
        format: WireFormat?,
        client: SimulatedPeer.Configuration,
        _ draw: inout Draw
    ) -> [Step] {
        var steps: [Step] = []
        let isMute = client.policy.heartbeats == .listen
        if isMute { steps.append(Step(at: .zero, .action(.talk(every: bound / 4, bytes: 100), by: .client))) }
        // On `raw` a ping that is read together with the end of a message is part of it: there who pings says nothing else.
        if format != .raw { steps += Self.traffic(bound: bound, &draw) }
        for _ in 0..<draw.one(of: [0, 1, 1, 1, 2, 3, 5]) {
            steps += Self.fault(at: bound * draw.real(0.0...6), bound: bound, &draw)
        }
        return steps
    }

    private static func traffic(bound: Duration, _ draw: inout Draw) -> [Step] {
        guard draw.chance(0.4) else { return [] }
        var steps: [Step] = []
        for end in LinkEnd.allCases where draw.chance(0.6) {
            switch draw.below(3) {
            case 0:
                let every = bound * draw.real(0.1...1)
                steps.append(
                    Step(
                        at: bound * draw.real(0...2),
                        .action(.talk(every: every, bytes: draw.one(of: [1, 100, 5_000])), by: end)
                    )
                )
            case 1:
                steps.append(
                    Step(at: bound * draw.real(0...4), .action(.send(bytes: draw.one(of: [10_000, 160_000])), by: end))
                )
            default:
                // As fast as the path, or so slow that one message takes longer than the bound.
                let rate = draw.chance(0.7) ? 40_000 * draw.real(1...5) : 4_096 / draw.real(1.1...2)
                let bytesPerSecond = max(1, Int(rate / (bound / .seconds(1))))
                steps.append(Step(at: .zero, .action(.readSlowly(bytesPerSecond: bytesPerSecond), by: end)))
                let bytes = rate < 40_000 ? 20_480 : 100_000
                steps.append(Step(at: bound * draw.real(0...2), .action(.send(bytes: bytes), by: end.other)))
            }
        }
        return steps
    }

    private static func fault(at time: Duration, bound: Duration, _ draw: inout Draw) -> [Step] {
        let end = draw.one(of: LinkEnd.allCases)
        let length = bound * draw.real(0.05...3)
        let mayBeForEver = draw.chance(0.4) ? nil : length
        func one(_ action: SimulatedAction) -> [Step] { [Step(at: time, .action(action, by: end))] }
        switch draw.below(14) {
        case 0, 1: return one(.freeze(for: mayBeForEver))
        case 2: return [Step(at: time, .outage(to: nil, for: mayBeForEver))]
        case 3: return [Step(at: time, .outage(to: end, for: mayBeForEver))]
        case 4: return one(.suspend(for: length))
        case 5: return one(.crash(cutOffFor: mayBeForEver))
        case 6:
            // Once, or again and again.
            let gap = bound * draw.real(0.01...0.5)
            return (0..<draw.one(of: [1, 1, 8])).map { index in
                Step(at: time + (length + gap) * Double(index), .action(.pauseReading(for: length), by: end))
            }
        case 7: return one(.exit)
        case 8: return one(.reset)
        case 9: return one(.close)
        case 10: return one(.setWallClock(ahead: .seconds(draw.one(of: [-7_200, -3_600, 3_600, 36_000]))))
        case 11:
            // A starved core: it runs a little now and then.
            let slice = bound * draw.real(0.01...0.4)
            return (0..<draw.one(of: [3, 10])).map { index in
                Step(at: time + slice * 1.1 * Double(index), .action(.freeze(for: slice), by: end))
            }
        case 12:
            // Both at once.
            return LinkEnd.allCases.map { Step(at: time, .action(.freeze(for: length), by: $0)) }
        default:
            // A program that does not read while the other one sends.
            return [
                Step(at: time, .action(.freeze(for: nil), by: end)),
                Step(at: time, .action(.send(bytes: 200_000), by: end.other)),
            ]
        }
    }
}

/// Draws from a generator.
struct Draw {
    private var generator: SplitMix64

    init(_ generator: SplitMix64) { self.generator = generator }

    mutating func chance(_ probability: Double) -> Bool {
        Double.random(in: 0..<1, using: &self.generator) < probability
    }

    mutating func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &self.generator) }

    mutating func real(_ range: ClosedRange<Double>) -> Double { Double.random(in: range, using: &self.generator) }

    mutating func one<Value>(of values: [Value]) -> Value { values[self.below(values.count)] }
}
