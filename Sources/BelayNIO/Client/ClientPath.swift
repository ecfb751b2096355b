//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket

/// What one connection of a client with ``SmartHeartbeats`` tries, and what it has agreed on with its server.
///
/// Bound to the event loop of its connection.
final class ClientPath {
    private let heartbeats: SmartHeartbeats
    private var trial = PathTrial()
    private var agreed: AgreedInterval

    init(_ heartbeats: SmartHeartbeats) {
        self.heartbeats = heartbeats
        // Until the server has confirmed more, what any network bears.
        self.agreed = AgreedInterval(
            min(heartbeats.inForce, heartbeats.learned.configuration.unlearned),
            for: .sending
        )
        self.agreed.propose(heartbeats.inForce)
    }

    /// The interval that both ends know.
    var inForce: Duration { self.agreed.inForce }

    /// The interval to ask for.
    var proposed: Duration { self.agreed.proposed }

    /// The server's welcome.
    func confirmed(every: Duration, bytes: UInt64, at now: Instant) {
        self.agreed.confirmed(every: every)
        self.trial.crossed(bytes: bytes, at: now)
    }

    func pinging(bytes: UInt64, at now: Instant) {
        self.trial.pinging(bytes: bytes, at: now)
    }

    /// The server answered.
    ///
    /// - Returns: whether another interval is to be asked for.
    func answered(bytes: UInt64, at now: Instant) -> Bool {
        if let idleFor = self.trial.answered(bytes: bytes, at: now) {
            self.heartbeats.answered(idleFor: idleFor, at: Host.wallClock)
        }
        let wanted = self.heartbeats.inForce
        guard wanted != self.agreed.proposed else { return false }
        self.agreed.propose(wanted)
        return true
    }

    /// How long the path was idle is not known any more.
    func stalled() { self.trial = PathTrial() }

    func ended(_ code: DisconnectReason.Code) {
        if let idleFor = self.trial.ended(code) {
            self.heartbeats.unanswered(idleFor: idleFor, at: Host.wallClock)
        }
    }
}

extension Hello {
    /// This hello with another interval, and a bound that one lost heartbeat does not break.
    func asking(every: Duration, replyWithin: Duration) -> Hello {
        Hello(identity: self.identity, token: self.token, every: every, within: every * 2 + replyWithin)
    }
}

@available(*, unavailable)
extension ClientPath: Sendable {}
