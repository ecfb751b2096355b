//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The kernel's own timers and buffers for one connection, computed together from the bound (rule R11).
///
/// They are the second line: the heartbeat judges first, the kernel frees the socket even while the process hangs. They
/// must be computed together because TCP_USER_TIMEOUT overrides the keepalive count in both directions, and because it
/// kills a live peer whose window is closed (measured on Linux 6.18; `net/ipv4/tcp_timer.c`). Hence twice the bound, and
/// ``withoutUserTimeout`` from when on the window was full for the first time (see ``WindowWatch``).
public struct KernelTimeouts: Hashable, Sendable {
    /// TCP_NODELAY: heartbeats are not held back for the ACK of earlier data.
    public var noDelay: Bool = true
    /// TCP_KEEPIDLE in whole seconds, 1 to 32,767; nil leaves keepalive off.
    public var keepaliveIdleSeconds: Int32?
    /// TCP_KEEPINTVL in whole seconds.
    public var keepaliveIntervalSeconds: Int32
    /// TCP_KEEPCNT.
    public var keepaliveCount: Int32
    /// TCP_USER_TIMEOUT in milliseconds; 0 leaves the kernel's own.
    public var userTimeoutMilliseconds: Int32
    /// TCP_NOTSENT_LOWAT in bytes, so that a ping never sits behind our own backlog in the kernel.
    public var notSentLowWatermarkBytes: Int32 = 16_384
    /// TCP_RTO_MAX_MS in milliseconds (Linux 6.15 on), so that an outage does not become twice its length of silence.
    public var longestRetransmissionMilliseconds: Int32

    /// Which second line the kernel holds.
    public enum Mode: String, CaseIterable, Hashable, Sendable {
        /// The user timeout is max(2 bounds, the write deadline, 2 lost probes): a slow reader survives. There is none any more once
        /// the peer's window was full (see ``WindowWatch``). The default.
        case patient
        /// The user timeout is the bound: for listeners that carry nothing but heartbeats.
        case strict
    }

    /// The options for these timings.
    ///
    /// KEEPIDLE + KEEPINTVL x KEEPCNT is about the bound, in the whole seconds that the kernel takes, 2 s at least.
    public init(_ timings: LivenessTimings, mode: Mode = .patient) {
        let bound = timings.boundNanoseconds
        let seconds = max(2, (bound + 999_999_999) / 1_000_000_000)
        let probes: Int64 = seconds >= 4 ? 3 : 1
        let interval = max(1, seconds / (2 * probes))
        let idle = min(max(1, seconds - interval * probes), 32_767)
        self.keepaliveIdleSeconds = Int32(clamping: idle)
        // What the kernel's longest idle time leaves is made up for between the probes.
        self.keepaliveIntervalSeconds = Int32(clamping: max(1, (seconds - idle + probes - 1) / probes))
        self.keepaliveCount = Int32(probes)
        // It ends a connection that is idle when it has passed at a probe while one is unanswered, whatever their count. With a
        // bound below 2 s and a second between the probes that were one lost probe, and where thousands of connections are
        // probed at once, while their process is stopped, the queue of the loopback interface does lose some.
        let probing = (Int64(self.keepaliveIdleSeconds ?? 0) + 2 * Int64(self.keepaliveIntervalSeconds)) * 1_000_000_000
        let patient = max(2 * bound, timings.writeNanoseconds, probing)
        let userTimeout = mode == .strict ? bound : patient
        self.userTimeoutMilliseconds = Int32(clamping: max(1, userTimeout / 1_000_000))
        self.longestRetransmissionMilliseconds = Int32(clamping: min(max(bound / 3_000_000, 1_000), 120_000))
    }

    /// The same without a user timeout, for a connection whose peer's window was full (see ``WindowWatch``).
    ///
    /// What is not acknowledged is given up after the repetitions of `net.ipv4.tcp_retries2` then, and keepalive's count of
    /// probes comes into force; it becomes what the user timeout had room for, so that ``idleVerdict`` stays what it was, as far
    /// as 127 probes go, the most that the kernel takes. Where 15 repetitions, the kernel's default, end before the user timeout
    /// would have, as with bounds beyond 7 minutes or long write deadlines, they must not come into force: there it becomes the
    /// longest that the kernel takes, 24 days, and keepalive ends nobody before that.
    public var withoutUserTimeout: KernelTimeouts {
        var timeouts = self
        guard self.userTimeoutMilliseconds <= self.repetitionsMilliseconds else {
            timeouts.userTimeoutMilliseconds = .max
            return timeouts
        }
        timeouts.userTimeoutMilliseconds = 0
        timeouts.keepaliveCount = self.probesInForce
        return timeouts
    }

    /// How long 15 repetitions last at least, in milliseconds: the pause before the first is 200 ms, each is twice the one before,
    /// and the last is waited for as well (`tcp_model_timeout` in `net/ipv4/tcp_timer.c`).
    private var repetitionsMilliseconds: Int32 {
        let longest = Double(self.longestRetransmissionMilliseconds) / 1_000
        let model = BlackoutModel(probeTimeout: 0.2, retransmissionTimeout: 0.4, longestTimeout: longest)
        return Int32(model.retransmission(16) * 1_000)
    }
}
