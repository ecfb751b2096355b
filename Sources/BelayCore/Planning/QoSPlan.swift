//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// How to send heartbeats so that requirements are met, what that achieves and costs, or what would make it possible.
public struct QoSPlan: Hashable, Sendable {
    /// What was asked for.
    public let requirements: QoSRequirements

    /// What meets it; nil where nothing does.
    public let figures: Figures?

    /// Single changes that make it possible where it is not, each tried out; empty where it is, or where no single
    /// change helps.
    public let remedies: [PlanRemedy]

    /// The reasoning in plain English, never empty.
    ///
    /// One line each for interval, margin, both recurrences, mistake duration, blackout, traffic and kernel options, in
    /// this order; or what stands in the way, and a line for each remedy.
    public let why: [String]

    /// Whether the requirements can be met.
    public var isFeasible: Bool { self.figures != nil }

    /// What a plan comes to.
    public struct Figures: Hashable, Sendable {
        /// The time between heartbeats, in whole microseconds (eta in the paper).
        public let interval: Duration
        /// How long after it was sent a heartbeat may be answered: the bound less the interval (delta).
        public let replyWithin: Duration
        /// How much later than on average that is; never negative (alpha).
        public let margin: Duration
        /// The bound that was asked for.
        public let detectWithin: Duration
        /// How many heartbeats fall into what a mean delay leaves of the bound; a mistake takes as many that fail.
        public let heartbeatsPerWindow: Int
        /// How long it is on average from mistake to mistake, in seconds, at most 1e300.
        public let mistakeRecurrence: Recurrence
        /// How long a mistake lasts on average, at most.
        public let mistakeDuration: Duration
        /// The longest blackout of the path that is no mistake, with ``kernel`` in force; 0 where any may be one.
        ///
        /// For one that begins as a heartbeat is sent, over TCP on Linux, by a model of its retransmissions. Rounded
        /// down to the microsecond.
        public let toleratedBlackout: Duration
        /// What heartbeats of an idle connection cost on the wire, both directions together; see ``HeartbeatTraffic``.
        public let bytesPerSecond: Double
        /// The kernel's own timers that belong to ``policy``.
        public let kernel: KernelTimeouts

        /// The policy that heartbeats as planned.
        public var policy: LivenessPolicy {
            LivenessPolicy(interval: self.interval, detectWithin: self.detectWithin)
        }
    }

    /// How long it is on average from mistake to mistake, in seconds, from 0 to 1e300.
    public struct Recurrence: Hashable, Sendable {
        /// With delays that are independent of each other.
        ///
        /// Exact where the distribution is known (Theorem 5 of the paper; with more than 256 heartbeats in the bound a
        /// little less), else at least this (Theorem 7).
        public let independentSeconds: Double
        /// At least this however the delays depend on each other, as they do over TCP.
        ///
        /// By the one heartbeat that each deadline is about: eta / Pr(it is late).
        public let dependenceFreeSeconds: Double
    }
}
