//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore
import Synchronization

/// How a client behind an address translator learns how rarely a heartbeat is enough.
///
/// ```swift
/// var configuration = BelayClient.Configuration(
///     endpoint: .lines(host: "gateway.example", port: 7400),
///     liveness: LivenessPolicy(interval: .seconds(200), replyWithin: .seconds(20)),
///     identity: "device-42"
/// )
/// var learning = SmartInterval.Configuration()
/// learning.probes = true
/// let learned = try SmartInterval(learning, json: saved)
/// configuration.smartHeartbeats = SmartHeartbeats(network: "home", learned: learned) { save($0.json) }
/// ```
///
/// The interval is that of ``SmartInterval`` for the network, the bound the interval and ``LivenessPolicy/replyWithin``. The
/// server is told with the `every=` of a hello, again on the same connection when it changes, and a longer interval is in
/// force only once its welcome has confirmed it. The server must allow such bounds, and leave the heartbeats to the client
/// (`belay serve --detect-within 30m --heartbeats answer`): where it pings too, the path is never idle.
///
/// The kernel's keepalive is off on such a connection, as its probes would keep the path open as well.
public final class SmartHeartbeats: Sendable {
    private struct State {
        var network: String
        var learned: SmartInterval
    }

    private let state: Mutex<State>
    private let onChange: @Sendable (SmartInterval) -> Void

    /// Heartbeats on a network.
    ///
    /// - Parameters:
    ///   - network: whatever tells networks apart; 1 to 128 bytes.
    ///   - learned: what is known already.
    ///   - onChange: called with each change, on an event loop: keep it short.
    public init(
        network: String,
        learned: SmartInterval,
        onChange: @escaping @Sendable (SmartInterval) -> Void = { _ in }
    ) {
        self.state = Mutex(State(network: network, learned: learned))
        self.onChange = onChange
    }

    /// The label of the network in use; the device may move to another one.
    public var network: String {
        get { self.state.withLock { $0.network } }
        set { self.state.withLock { $0.network = newValue } }
    }

    /// What is known.
    public var learned: SmartInterval { self.state.withLock { $0.learned } }

    /// The interval to ask for now.
    var inForce: Duration { self.state.withLock { $0.learned.inForce(on: $0.network) } }

    func answered(idleFor: Duration, at now: WallClock) {
        self.update { $0.learned.answered(on: $0.network, idleFor: idleFor, at: now) }
    }

    func unanswered(idleFor: Duration, at now: WallClock) {
        self.update { $0.learned.unanswered(on: $0.network, idleFor: idleFor, at: now) }
    }

    private func update(_ body: (inout State) -> Void) {
        let changed = self.state.withLock { state -> SmartInterval? in
            let before = state.learned
            body(&state)
            return state.learned == before ? nil : state.learned
        }
        if let changed { self.onChange(changed) }
    }
}
