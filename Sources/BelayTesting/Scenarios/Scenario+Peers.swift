//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

// Who the two ends of a scenario are.
extension Scenario {
    static func policy(bound: Duration, _ draw: inout Draw) -> LivenessPolicy {
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
    static func peers(
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
        return (SimulatedPeer.Configuration(serverPolicy), client ?? SimulatedPeer.Configuration(clientPolicy))
    }

    /// A client that asks for a bound, a server that wants to hear a hello: not always the same.
    static func negotiate(
        bound: Duration,
        _ server: inout SimulatedPeer.Configuration,
        _ client: inout SimulatedPeer.Configuration,
        _ draw: inout Draw
    ) {
        let shortest = LivenessPolicy.allowedBounds.lowerBound
        // A client that says nothing by itself but what its script says cannot say it more often.
        let saysHello = client.policy.heartbeats != .listen && draw.chance(0.25)
        if saysHello {
            // Not less than what the path was drawn for.
            client.asksFor = max(bound * draw.real(0.3...1.5), shortest)
            if draw.chance(0.6) {
                let lowest = max(bound * draw.real(0.3...0.8), shortest)
                server.policy.peerBounds = lowest...max(lowest, bound * draw.real(0.8...1.5))
            }
        }
        if draw.chance(saysHello ? 0.3 : 0.03) {
            server.policy.requiresHello = true
            if draw.chance(0.5) { server.policy.handshakeWithin = max(bound * draw.real(0.3...2), shortest) }
        }
    }

    /// Limits that a connection which is well keeps to, or not.
    static func limit(
        bound: Duration,
        _ server: inout SimulatedPeer.Configuration,
        _ client: inout SimulatedPeer.Configuration,
        _ draw: inout Draw
    ) {
        if draw.chance(0.05) {
            server.policy.idleLimit = max(bound * draw.real(1...5), LivenessPolicy.allowedBounds.lowerBound)
        }
        if draw.chance(0.05) { server.policy.readPauseLimit = max(bound * draw.real(1...4), .milliseconds(20)) }
        if draw.chance(0.2) {
            // Each end may ping twice as often as it does, or more.
            let interval = min(Promise(server.policy).interval, Promise(client.policy).interval)
            let part = client.asksFor.map { min(1, max($0 / bound, 0.3)) } ?? 1
            let spacing = max(Duration.nanoseconds(interval) * part * draw.real(0.1...0.4), .microseconds(100))
            server.policy.minimumPeerInterval = spacing
            client.policy.minimumPeerInterval = spacing
        }
    }
}
