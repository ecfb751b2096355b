//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Suspects a peer when the next heartbeat is late against when it was expected: NFD-E of Chen, Toueg and Aguilera.
///
/// The expected arrival of the next heartbeat is estimated from the last ones: the mean of how long they took, counted
/// from when the next one was sent. When it is late by more than the margin, the peer is suspected. Unlike detectors
/// that restart a timer with each arrival, one that comes late does not put the next suspicion off: the time to detect
/// has a bound whatever the path does. (W. Chen, S. Toueg, M. K. Aguilera, "On the quality of service of failure
/// detectors", IEEE Transactions on Computers 51(5), 2002, section 6.3.)
///
/// With pings of our own the expectation is that of the first unanswered one; while none is unanswered, that of the next,
/// which is sent after one interval at the latest.
public struct NFDE: FailureDetector {
    /// How much later than expected a heartbeat may be.
    public enum Margin: Hashable, Sendable {
        /// This long; a negative one suspects before the heartbeat is even expected.
        case fixed(Duration)
        /// So long that a live peer is suspected at most this rarely, see ``QoSPlanner``, if the path goes on as it was in the
        /// last thousand heartbeats. Holds for any distribution, and however much heartbeats depend on each other.
        case mistakesAtMostEvery(Duration)
    }

    /// Samples that an adaptive margin needs before anything is said: enough for rare lateness to be among them.
    private static let fewestSamples = 50

    /// 146 years in nanoseconds: more than any difference between clocks that mean something.
    private static let largestDelay = Int128(1) << 62

    private var schedule: HeartbeatSchedule
    private let margin: Margin
    private var samples: SampleWindow
    private var newest: SampleWindow?
    private var errors = PredictionError()
    /// What is taken off each sample: between clocks of different origins they may be as large as the clock itself.
    private var origin: Int64?

    /// A detector that knows nothing yet.
    ///
    /// - Parameters:
    ///   - interval: the longest time between two heartbeats, at least 1 ns.
    ///   - margin: how late one may be.
    ///   - window: over how many heartbeats the expectation is the mean, 1 to 1,000; others are clamped to that. 32 is the
    ///     paper's.
    ///   - stallWindow: a second, shorter window; the later of the two expectations counts, so that a path that has
    ///     become slow is not suspected for it (Tomsic and others, IPDPS 2015, with 1 and 1,000). Default: nil, none.
    public init(interval: Duration, margin: Margin, window: Int = 32, stallWindow: Int? = nil) {
        self.schedule = HeartbeatSchedule(interval: interval)
        self.margin = margin
        self.samples = SampleWindow(capacity: window)
        self.newest = stallWindow.map { SampleWindow(capacity: $0) }
    }

    /// A ping was sent; the first unanswered one is what is awaited.
    public mutating func asked(at now: Instant) { self.schedule.asked(at: now) }

    /// A heartbeat arrived; how long it took is a sample.
    public mutating func arrived(sentAt: Instant, at now: Instant) {
        guard self.schedule.arrived(sentAt: sentAt) else { return }
        let sample = now.nanoseconds(since: sentAt)
        let origin = self.origin ?? (self.schedule.isAsking ? 0 : sample)
        self.origin = origin
        let (difference, overflow) = sample.subtractingReportingOverflow(origin)
        guard !overflow else { return }
        if self.samples.count > 0 { self.errors.add(nanoseconds: sample, expected: self.delayNanoseconds) }
        self.samples.add(difference)
        self.newest?.add(difference)
    }

    /// Something else proved the peer alive: as good as a heartbeat that arrives now, but no sample.
    public mutating func heard(at now: Instant) {
        // By the sender's clock, a heartbeat that arrives now would have been sent this long ago.
        let age = self.schedule.isAsking ? 0 : self.delayNanoseconds
        self.schedule.fresh(from: now.advanced(byNanoseconds: -age))
    }

    /// When the awaited heartbeat is expected to arrive; nil before the first has.
    public var expectedArrival: Instant? {
        guard self.samples.count > 0 else { return nil }
        return self.schedule.awaitedSince?.advanced(byNanoseconds: self.delayNanoseconds)
    }

    /// The expected arrival of the awaited heartbeat and the margin: the freshness point of the paper.
    public var suspicionAt: Instant {
        guard let expectedArrival, let margin = self.marginNanoseconds else { return .distantFuture }
        return expectedArrival.advanced(byNanoseconds: margin)
    }

    /// How late a heartbeat may be now; nil while an adaptive margin has too few samples.
    public var currentMargin: Duration? { self.marginNanoseconds.map { .nanoseconds($0) } }

    /// The mean of how long heartbeats took.
    private var delayNanoseconds: Int64 {
        let mean = max(self.samples.meanNanoseconds, self.newest?.meanNanoseconds ?? .min)
        let delay = Int128(mean) + Int128(self.origin ?? 0)
        // Can be negated, and is added to instants.
        return Int64(clamping: min(max(delay, -Self.largestDelay), Self.largestDelay))
    }

    /// Answers to what was asked until now tell nothing: they waited for us.
    mutating func discard(until now: Instant) {
        self.schedule.discard(until: now)
    }

    /// The heartbeats come at another interval from now on.
    mutating func intervalChanged(to interval: Duration) {
        self.schedule.intervalNanoseconds = max(1, interval.wholeNanoseconds)
    }

    private var marginNanoseconds: Int64? {
        switch self.margin {
        case .fixed(let margin):
            return margin.wholeNanoseconds
        case .mistakesAtMostEvery(let recurrence):
            guard self.errors.count >= Self.fewestSamples else { return nil }
            let interval = self.schedule.intervalNanoseconds
            let margin = QoSPlanner.margin(
                interval: .nanoseconds(interval),
                deviation: .nanoseconds(Int64(min(self.errors.deviationNanoseconds, 9e18))),
                mistakesEvery: recurrence
            )
            return max(Self.smallestMarginNanoseconds(interval), margin.wholeNanoseconds)
        }
    }

    /// A tenth of the interval, at least 10 ms: on a path that never varied the first late packet would else be suspicious.
    private static func smallestMarginNanoseconds(_ interval: Int64) -> Int64 { max(interval / 10, 10_000_000) }
}
