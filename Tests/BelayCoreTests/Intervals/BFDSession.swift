//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// The timers of a BFD session (RFC 5880 sections 6.8.3, 6.8.4, 6.8.7): how often we send, and when silence is death.
///
/// Belay speaks no BFD: the session shows that ``AgreedInterval`` follows its rules.
///
/// Each end says how often it would like to send, how often it can bear to receive, and how many of its packets may be
/// missed. The slower of wish and tolerance counts, in each direction by itself. A change that the other end could take
/// for silence waits until that end has confirmed it (``AgreedInterval``).
struct BFDSession: Hashable, Sendable {
    /// What one end says of itself in each of its packets.
    struct Terms: Hashable, Sendable {
        /// How often it would like to send: DesiredMinTxInterval, 1 us to 2^32 - 1 us.
        let desiredTransmit: Duration
        /// How often it can bear to receive: RequiredMinRxInterval, 0 to 2^32 - 1 us; 0 asks for no periodic packets.
        let requiredReceive: Duration
        /// How many intervals without a packet of it are its death: DetectMult, 1 to 255.
        let multiplier: Int

        /// Terms of these values, each brought into the range that a packet can carry.
        init(desiredTransmit: Duration, requiredReceive: Duration, multiplier: Int) {
            self.desiredTransmit = min(max(desiredTransmit, .microseconds(1)), Self.longest)
            self.requiredReceive = min(max(requiredReceive, .zero), Self.longest)
            self.multiplier = min(max(multiplier, 1), 255)
        }

        private static let longest = Duration.microseconds(Int64(UInt32.max))
    }

    /// The shortest interval at which a session sends that is not up.
    private static let shortestWhileDown = Duration.seconds(1)

    /// What we say of ourselves.
    private(set) var local: Terms
    /// What the other end said last; nil before its first packet.
    private(set) var remote: Terms?
    /// Whether the session is up.
    private(set) var isUp = false
    /// Whether our packets ask for confirmation (the P bit): from a change of our intervals until it is confirmed.
    private(set) var isPolling = false

    private var transmit: AgreedInterval
    private var receive: AgreedInterval
    /// Whether our intervals changed during the poll, so that its end confirms nothing of what is in force now.
    private var mustPollAgain = false

    /// A session that is down and has heard nothing.
    init(_ local: Terms) {
        self.local = local
        self.transmit = AgreedInterval(max(local.desiredTransmit, Self.shortestWhileDown), for: .sending)
        self.receive = AgreedInterval(local.requiredReceive, for: .expecting)
    }

    // MARK: Events

    /// We want other terms.
    mutating func propose(_ terms: Terms) {
        self.local = terms
        self.adopt()
    }

    /// A packet of the other end came; its terms hold at once.
    mutating func received(_ terms: Terms) {
        self.remote = terms
    }

    /// A packet with the F bit came: the other end has seen what our poll told.
    mutating func finalReceived() {
        guard self.isPolling else { return }
        guard !self.mustPollAgain else {
            self.mustPollAgain = false
            return
        }
        self.isPolling = false
        self.confirm()
    }

    /// The session came up, or went down.
    mutating func changed(isUp: Bool) {
        guard isUp != self.isUp else { return }
        self.isUp = isUp
        self.adopt()
    }

    private mutating func adopt() {
        let wanted = self.isUp ? self.local.desiredTransmit : max(self.local.desiredTransmit, Self.shortestWhileDown)
        if wanted != self.transmit.proposed || self.local.requiredReceive != self.receive.proposed {
            self.mustPollAgain = self.isPolling
            self.isPolling = true
            self.transmit.propose(wanted)
            self.receive.propose(self.local.requiredReceive)
        }
        if !self.isUp {
            // Nobody is timed out by a session that is down: there is nothing to wait for.
            self.confirm()
        }
    }

    private mutating func confirm() {
        self.transmit.confirmed(every: self.transmit.proposed)
        self.receive.confirmed(every: self.receive.proposed)
    }

    // MARK: What is in force

    /// Whether we send periodic packets at all: not once the other end has said that it can bear none.
    var sendsPeriodically: Bool { self.remoteRequiredReceive > .zero }

    /// The interval at which we send, before jitter.
    var transmitInterval: Duration { max(self.transmit.inForce, self.remoteRequiredReceive) }

    /// From what each single interval is drawn: 75 to 100 % of ``transmitInterval``, where one missed packet is death
    /// 75 to 90 %.
    var jitteredInterval: ClosedRange<Duration> {
        let interval = self.transmitInterval
        return interval * 3 / 4...(self.local.multiplier == 1 ? interval * 9 / 10 : interval)
    }

    /// Silence of this length is the other end's death; nil while it has said nothing.
    var detectionTime: Duration? {
        self.remote.map { max(self.receive.inForce, $0.desiredTransmit) * $0.multiplier }
    }

    /// The same in demand mode, where nothing is sent periodically: how long a poll of ours may stay unanswered.
    var demandDetectionTime: Duration { self.transmitInterval * self.local.multiplier }

    /// RemoteMinRxInterval, which is 1 us before the first packet.
    private var remoteRequiredReceive: Duration { self.remote?.requiredReceive ?? .microseconds(1) }
}
