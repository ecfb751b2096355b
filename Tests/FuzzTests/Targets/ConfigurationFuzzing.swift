//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// Asks for policies, plans and limits of any numbers: each is refused with reasons, or can be used.
enum ConfigurationFuzzing {
    static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        var input = FuzzBytes(bytes)
        switch input.byte() % 4 {
        case 0: try Self.policy(&input)
        case 1: try Self.requirements(&input)
        case 2: try Self.limits(&input)
        default: try Self.learned(Array(input.rest))
        }
    }

    private static func policy(_ input: inout FuzzBytes) throws(FuzzFinding) {
        var policy = LivenessPolicy(
            detectWithin: input.optional { $0.duration() },
            attempts: input.optional { Int(truncatingIfNeeded: $0.number(bytes: 8)) >> ($0.byte() & 63) },
            interval: input.optional { $0.duration() },
            replyWithin: input.optional { $0.duration() }
        )
        policy.suspectAfter = input.optional { $0.duration() }
        policy.writeWithin = input.optional { $0.duration() }
        policy.handshakeWithin = input.optional { $0.duration() }
        policy.readPauseLimit = input.optional { $0.duration() }
        policy.idleLimit = input.optional { $0.duration() }
        policy.messageWithin = input.optional { $0.duration() }
        if input.byte() & 1 == 1 { policy.closeWithin = input.duration() }
        if input.byte() & 1 == 1 { policy.minimumPeerInterval = input.duration() }
        if input.byte() & 1 == 1 { policy.pingStrikes = Int(truncatingIfNeeded: input.number(bytes: 8)) }
        if input.byte() & 1 == 1 {
            let (one, two) = (input.duration(), input.duration())
            policy.peerBounds = min(one, two)...max(one, two)
        }
        let (every, within) = (input.optional { $0.duration() }, input.optional { $0.duration() })
        switch Result(catching: { () throws(ConfigurationError) in try policy.timings() }) {
        case .success(let timings):
            try Self.check(timings)
            try Self.check(timings.negotiated(every: every, within: within))
            try Self.check(timings.adopting(every: every ?? .zero, within: within ?? .zero))
            try Self.check(timings.pinging(atLeastEvery: every ?? .zero))
        case .failure(let error):
            try Self.check(error)
        }
    }

    private static func check(_ timings: LivenessTimings) throws(FuzzFinding) {
        let isInOrder = timings.interval > .zero && timings.interval <= timings.bound
        try mustHold(isInOrder && LivenessPolicy.allowedBounds.contains(timings.bound), "\(timings)")
        for mode in KernelTimeouts.Mode.allCases {
            let kernel = KernelTimeouts(timings, mode: mode)
            let isPositive = kernel.keepaliveIntervalSeconds > 0 && kernel.keepaliveCount > 0
            try mustHold(isPositive && kernel.userTimeoutMilliseconds > 0, "\(timings) give \(kernel)")
        }
    }

    private static func requirements(_ input: inout FuzzBytes) throws(FuzzFinding) {
        var requirements = QoSRequirements(detectWithin: input.duration())
        requirements.loss = input.byte() & 1 == 1 ? input.double() : Double(input.byte()) / 256
        requirements.delay = input.duration()
        requirements.deviation = input.duration()
        let distributions = DelayDistribution.allCases
        requirements.distribution = distributions[Int(input.byte()) % distributions.count]
        requirements.mistakesEvery = input.duration()
        requirements.toleratesDependence = input.byte() & 1 == 1
        requirements.mistakeLasts = input.optional { $0.duration() }
        if input.byte() & 1 == 1 { requirements.minimumHeartbeats = Int(input.byte()) }
        if input.byte() & 1 == 1 { requirements.minimumInterval = input.duration() }
        requirements.maximumBytesPerSecond = input.optional { $0.double() }
        switch Result(catching: { () throws(ConfigurationError) in try QoSPlanner.plan(requirements) }) {
        case .success(let plan):
            let isInTime = plan.figures.map { $0.detectWithin <= requirements.detectWithin }
            try mustHold(isInTime != false && !plan.why.isEmpty, "\(plan)")
            for line in plan.why { try mustBeHarmless(line) }
        case .failure(let error):
            try Self.check(error)
        }
    }

    private static func limits(_ input: inout FuzzBytes) throws(FuzzFinding) {
        var limits = ConnectionLimits()
        limits.connections = input.optional { Int(truncatingIfNeeded: $0.number(bytes: 8)) }
        limits.connectionsPerAddress = input.optional { Int(truncatingIfNeeded: $0.number(bytes: 8)) }
        limits.messageBytes = input.optional { Int(truncatingIfNeeded: $0.number(bytes: 8)) }
        limits.outboundBytes = Int(truncatingIfNeeded: input.number(bytes: 8))
        var policy = ReconnectPolicy()
        policy.shortestDelay = input.duration()
        policy.longestDelay = input.duration()
        policy.stableAfter = input.duration()
        policy.maximumAttempts = input.optional { Int(truncatingIfNeeded: $0.number(bytes: 8)) }
        if case .failure(let error) = Result(catching: { () throws(ConfigurationError) in try limits.validate() }) {
            try Self.check(error)
        }
        if case .failure(let error) = Result(catching: { () throws(ConfigurationError) in try policy.validate() }) {
            try Self.check(error)
        }
    }

    /// What a client has learned of its networks, from a file that anything may have happened to.
    private static func learned(_ json: [UInt8]) throws(FuzzFinding) {
        switch Result(catching: { () throws(ConfigurationError) in try SmartInterval(json: json) }) {
        case .success(let interval):
            let learned = interval.json
            let again = (try? SmartInterval(json: learned))?.json
            try mustHold(again == learned, "\(String(decoding: learned, as: UTF8.self)) comes back differently")
        case .failure(let error):
            try Self.check(error)
        }
    }

    private static func check(_ error: ConfigurationError) throws(FuzzFinding) {
        try mustHold(!error.problems.isEmpty, "no problem")
        for problem in error.problems {
            try mustHold(!problem.key.isEmpty && !problem.message.isEmpty, "\(problem)")
            try mustBeHarmless(problem.message)
        }
    }
}
