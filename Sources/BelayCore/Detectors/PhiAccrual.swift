//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Suspects a peer when the silence has become too improbable: the accrual detector of Hayashibara and others.
///
/// The suspicion is a number, phi: the negative decimal logarithm of the probability that a living peer would take
/// longer than it already has. One is a chance of 1 in 10 to be wrong, two is 1 in 100, if times were distributed as the
/// tail says. (N. Hayashibara, X. Défago, R. Yared, T. Katayama, "The phi accrual failure detector", SRDS 2004.)
///
/// What is learned are round trips with pings of our own, and intervals between arrivals else. Outages are not learned, as
/// they would blind the detector for a whole window: neither a time that ended a suspicion (as Akka), up to three in a row,
/// nor one longer than ``Configuration/longestSample`` (as Cassandra).
public struct PhiAccrual: FailureDetector {
    /// How a detector learns and when it suspects.
    public struct Configuration: Hashable, Sendable {
        /// From which phi on a peer is suspected, 0.1 to 300.
        ///
        /// Default: 8, which is a chance of 1 in 100,000,000 under a normal distribution.
        public var threshold: Double = 8
        /// How improbable a time is.
        ///
        /// Default: the exact normal tail.
        public var tail: PhiTail = .normal
        /// Over how many times mean and deviation are taken, 1 to 1,000.
        ///
        /// Default: 1,000.
        public var window = 1_000
        /// The smallest deviation that is assumed, because phi is boundless for times that never varied.
        ///
        /// Default: a tenth of the interval, at least 10 ms.
        public var smallestDeviation: Duration?
        /// A pause that is no reason for suspicion; added to the mean.
        ///
        /// Default: none.
        public var acceptablePause: Duration = .zero
        /// A first guess of the time, with a quarter of it as deviation, before anything was measured (as Akka).
        ///
        /// Default: nil; then nothing is said before ten times were measured.
        public var firstEstimate: Duration?
        /// Longer times are not learned.
        ///
        /// Default: nil, no limit.
        public var longestSample: Duration?

        /// The defaults.
        public init() {}

        func validate(_ problems: inout ProblemCollector) {
            if !PhiTail.allowedPhi.contains(self.threshold) {
                problems.report("detector.threshold", "is \(self.threshold), allowed are 0.1 to 300")
            }
            problems.check("detector.window", self.window, in: 1...1_000)
            let times: ClosedRange<Duration> = .milliseconds(1) ... .seconds(86_400)
            problems.check("detector.smallestDeviation", self.smallestDeviation, in: times)
            problems.check("detector.acceptablePause", self.acceptablePause, in: .zero ... .seconds(86_400))
            problems.check("detector.firstEstimate", self.firstEstimate, in: times)
            problems.check("detector.longestSample", self.longestSample, in: times)
        }
    }

    /// Samples that are needed before anything is said, where there is no first estimate.
    private static let fewestSamples = 10
    /// So many times in a row that ended a suspicion are outages, and not learned.
    private static let mostOutages = 3

    private var schedule: HeartbeatSchedule
    private let configuration: Configuration
    /// How many deviations past the mean the threshold is; of means, with an exponential tail.
    private let reach: Double
    private var samples: SampleWindow
    private var lastArrival: Instant?
    /// How many heartbeats in a row ended a suspicion.
    private var outages = 0

    /// A detector that knows nothing yet.
    ///
    /// - Parameters:
    ///   - interval: the longest time between two heartbeats, at least 1 ns.
    ///   - configuration: how it learns; what is out of range is clamped.
    public init(interval: Duration, configuration: Configuration = Configuration()) {
        self.schedule = HeartbeatSchedule(interval: interval)
        self.configuration = configuration
        self.samples = SampleWindow(capacity: configuration.window)
        self.reach = configuration.tail.reach(ofPhi: configuration.threshold)
    }

    /// A ping was sent; phi counts from the first unanswered one.
    public mutating func asked(at now: Instant) { self.schedule.asked(at: now) }

    /// A heartbeat arrived; the time that it ended is a sample, unless it was an outage.
    public mutating func arrived(sentAt: Instant, at now: Instant) {
        // Judged before the schedule forgets what was awaited.
        let endsSuspicion = self.verdict(at: now) != .alive
        let startedAt = self.schedule.isAsking ? sentAt : self.lastArrival
        guard self.schedule.arrived(sentAt: sentAt) else { return }
        self.lastArrival = now
        if self.samples.count == 0 { self.guess() }
        guard let startedAt else { return }
        self.outages = endsSuspicion ? min(self.outages + 1, Self.mostOutages + 1) : 0
        // More of them in a row are no outage any more: the path has become slower.
        if self.outages == 0 || self.outages > Self.mostOutages { self.learn(now.nanoseconds(since: startedAt)) }
    }

    /// Something else proved the peer alive: phi begins anew, and nothing is learned.
    public mutating func heard(at now: Instant) {
        self.schedule.fresh(from: now)
        self.lastArrival = now
    }

    /// How suspicious the silence is; 0 while nothing is awaited or too little is known.
    ///
    /// Never NaN or infinite.
    public func phi(at now: Instant) -> Double {
        guard self.isReady, let start = self.awaitedSince, start <= now else { return 0 }
        let pause = self.configuration.acceptablePause.wholeNanoseconds
        let elapsed = Double(now.nanoseconds(since: start)) - Double(pause)
        return self.configuration.tail.phi(
            elapsed: elapsed,
            mean: Double(self.samples.meanNanoseconds),
            deviation: self.deviationNanoseconds
        )
    }

    /// When phi reaches the threshold.
    public var suspicionAt: Instant {
        guard self.isReady, let start = self.awaitedSince else { return .distantFuture }
        let mean = Double(self.samples.meanNanoseconds)
        let late =
            self.configuration.tail == .exponential ? self.reach * mean : mean + self.reach * self.deviationNanoseconds
        let pause = Double(self.configuration.acceptablePause.wholeNanoseconds)
        return start.advanced(byNanoseconds: Int64(min(max(late + pause, 0), 9e18).rounded(.up)))
    }

    /// Answers to what was asked until now tell nothing: they waited for us.
    mutating func discard(until now: Instant) {
        self.schedule.discard(until: now)
        self.lastArrival = now
    }

    /// The heartbeats come at another interval from now on.
    mutating func intervalChanged(to interval: Duration) {
        self.schedule.intervalNanoseconds = max(1, interval.wholeNanoseconds)
    }

    private var isReady: Bool {
        self.samples.count >= (self.configuration.firstEstimate == nil ? Self.fewestSamples : 1)
    }

    /// With pings of our own, from when the awaited answer takes its time; else from the last arrival.
    private var awaitedSince: Instant? { self.schedule.isAsking ? self.schedule.awaitedSince : self.lastArrival }

    private var deviationNanoseconds: Double {
        let smallest =
            self.configuration.smallestDeviation?.wholeNanoseconds
            ?? max(self.schedule.intervalNanoseconds / 10, 10_000_000)
        return max(self.samples.deviationNanoseconds, Double(max(1, smallest)))
    }

    private mutating func learn(_ nanoseconds: Int64) {
        if let longest = self.configuration.longestSample, nanoseconds > longest.wholeNanoseconds { return }
        self.samples.add(nanoseconds)
    }

    private mutating func guess() {
        guard let firstEstimate = self.configuration.firstEstimate else { return }
        let guess = min(max(firstEstimate.wholeNanoseconds, 0), SampleWindow.largest)
        self.samples.add(guess - guess / 4)
        self.samples.add(guess + guess / 4)
    }
}
