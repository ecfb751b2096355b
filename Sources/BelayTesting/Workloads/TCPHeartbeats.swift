//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import RealModule

/// Heartbeats through a TCP connection: nothing is lost or out of order, but losses and outages become delays.
///
/// The path is the one of ``SimulatedLink``: a loss is repeated at Linux's pace, first one round trip and 200 ms after it,
/// then in growing pauses, or one round trip after a later heartbeat got through (RACK, RFC 8985); what waits behind it
/// arrives with it. In an outage nothing gets through either way. Because the pauses double, one of t seconds becomes a
/// silence of up to 2 t, and then the whole backlog arrives at once.
///
/// Outages begin after a time that is exponentially distributed from the end of the last one; how long they are is log-normal.
/// The sequence ends after 292 years, with the time; take a `prefix` of it.
public struct TCPHeartbeats: Sequence, IteratorProtocol, Sendable {
    /// How often outages are, and how long.
    public struct Outages: Hashable, Sendable {
        /// The mean time from the end of one to the beginning of the next.
        ///
        /// Default: 600 s.
        public var meanTimeBetween: Duration = .seconds(600)
        /// Half of them are shorter than this.
        ///
        /// Default: 0.8 s.
        public var medianLength: Duration = .milliseconds(800)
        /// The deviation of the natural logarithm of their length.
        ///
        /// Default: 0.8, with which one in a hundred is longer than six times the median.
        public var spread = 0.8

        /// The defaults.
        public init() {}
    }

    /// The time between two heartbeats.
    public let interval: Duration

    private let intervalNanoseconds: Int64
    private let outages: Outages
    private var path: SimulatedPath
    private var generator: SplitMix64
    private var number = 0
    private var sentCount = 0
    /// Arrivals of heartbeats that were not asked for yet, in order.
    private var arrivals: [Int64] = []

    /// Heartbeats through a connection over such a path; by default with a round trip of 40 ms and a loss of 1 %.
    ///
    /// - Parameters:
    ///   - interval: the time between two heartbeats, at least 1 ns; default 0.25 s.
    ///   - conditions: what each direction of the path is like; its limit of the queue does not count.
    ///   - outages: how often nothing gets through.
    ///   - seed: decides everything that is random.
    public init(
        interval: Duration = .milliseconds(250),
        conditions: LinkConditions = LinkConditions(latency: .milliseconds(20), loss: 0.01),
        outages: Outages = Outages(),
        seed: UInt64
    ) {
        self.intervalNanoseconds = Swift.max(1, interval.wholeNanoseconds)
        self.interval = .nanoseconds(self.intervalNanoseconds)
        self.outages = outages
        var conditions = conditions
        conditions.queueLimitBytes = .max / 2
        var seeds = SplitMix64(seed: seed)
        self.path = SimulatedPath(conditions, returning: conditions, seed: seeds.next())
        self.generator = SplitMix64(seed: seeds.next())
        self.planOutages(at: 0)
    }

    /// The next heartbeat; nil at the end of time.
    public mutating func next() -> Heartbeat? {
        while self.arrivals.isEmpty {
            guard self.step() else { return nil }
        }
        guard let sentAt = Int64(sendingOf: self.number, every: self.intervalNanoseconds) else { return nil }
        defer { self.number += 1 }
        return Heartbeat(
            number: self.number,
            sentAt: Instant(nanoseconds: sentAt),
            arrivedAt: Instant(nanoseconds: self.arrivals.removeFirst())
        )
    }

    /// Goes on to whatever happens next; false at the end of time.
    private mutating func step() -> Bool {
        guard let sending = Int64(sendingOf: self.sentCount, every: self.intervalNanoseconds) else { return false }
        let time = Swift.min(self.path.nextEvent, sending)
        self.planOutages(at: time)
        let delivered = self.path.advance(to: time)
        self.arrivals += repeatElement(time, count: delivered)
        self.path.read(bytes: delivered)
        // One byte each: without a limit of the bandwidth their size does not matter.
        if time == sending, self.path.write(bytes: 1) { self.sentCount += 1 }
        return true
    }

    /// Forgets outages that are over; two are always known, since what is sent in one may arrive in the next.
    private mutating func planOutages(at now: Int64) {
        var planned = self.path.outages
        planned.removeAll { $0.upperBound <= now }
        guard planned.count < 2 else { return }
        while planned.count < 2 {
            let pause = self.generator.exponential(mean: self.outages.meanTimeBetween.seconds)
            let length = self.outages.medianLength.seconds * .exp(self.outages.spread * self.generator.normal())
            let start = (planned.last?.upperBound ?? now) + Int64(nanosecondsOfSeconds: pause)
            planned.append(start..<start + Int64(nanosecondsOfSeconds: length))
        }
        self.path.outages = planned
        self.path.returnOutages = planned
    }
}
