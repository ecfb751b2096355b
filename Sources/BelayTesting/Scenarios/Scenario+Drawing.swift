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
        // On `raw` nobody can say hello.
        if format != .raw { Self.negotiate(bound: bound, &server, &client, &draw) }
        Self.limit(bound: bound, &server, &client, &draw)
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
        let pauseEnd = draw.chance(0.03) ? self.pauseForLong(bound: bound, &draw) : .zero
        let patience = max(bound, server.policy.writeWithin ?? bound, client.policy.writeWithin ?? bound)
        let last = max(self.steps.map(\.at).max() ?? .zero, pauseEnd)
        self.length = max(last, bound * 6) + patience * 4 + .seconds(6)
    }

    private static let bounds: [Duration] = [
        .milliseconds(20), .milliseconds(100), .milliseconds(300), .seconds(1), .seconds(3), .seconds(10), .seconds(30),
    ]

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
