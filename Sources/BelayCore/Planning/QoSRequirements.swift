//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What heartbeats are to achieve on which network: the input of ``QoSPlanner``.
///
/// A detector of failures is judged by how soon it knows, how often it is wrong and for how long (Chen, Toueg,
/// Aguilera, "On the quality of service of failure detectors", IEEE Transactions on Computers 51(5), 2002).
public struct QoSRequirements: Hashable, Sendable {
    /// The bound: a dead peer is known this long after it last proved alive.
    ///
    /// 20 ms to 24 h.
    public var detectWithin: Duration

    /// The probability that a heartbeat is never answered, 0 up to but not including 1.
    ///
    /// Default: 0, which is right for TCP: a lost segment is sent again, so loss becomes delay.
    public var loss: Double = 0

    /// The mean time from sending a heartbeat to its answer.
    ///
    /// 0 to 24 h. Default: 50 ms.
    public var delay: Duration = .milliseconds(50)

    /// The standard deviation of that time, over TCP with the retransmissions in it.
    ///
    /// 0 to 24 h. Calculations take at least 1 us. Not used where the
    /// distribution is exponential, whose deviation is its mean. Default: 50 ms.
    public var deviation: Duration = .milliseconds(50)

    /// What is known of the delay beyond its mean and deviation.
    ///
    /// Default: nothing.
    public var distribution: DelayDistribution = .unknown

    /// How long it must be on average from one mistake, a live peer suspected, to the next.
    ///
    /// 0 to 10,000,000 h. Default: 30 days. T_MR^L in the paper.
    public var mistakesEvery: Duration = .seconds(30 * 86_400)

    /// Whether ``mistakesEvery`` must hold however delays depend on each other, as they do over TCP.
    ///
    /// Default: false; then it must hold for delays that are independent, as in the literature.
    public var toleratesDependence = false

    /// How long a mistake may last on average.
    ///
    /// 0 to 10,000,000 h. Default: nil, the bound. T_M^U in the paper.
    public var mistakeLasts: Duration?

    /// How many heartbeats must fall into the time that a mean delay leaves of the bound, 1 to 100.
    ///
    /// Default: 3, so that a mistake takes three that fail. 1 gives the optimum of the literature, which where delays
    /// are short rests on a single heartbeat.
    public var minimumHeartbeats = 3

    /// The shortest interval that is acceptable.
    ///
    /// 5 ms to 24 h. Default: 5 ms.
    public var minimumInterval: Duration = .milliseconds(5)

    /// How many bytes a second an idle connection may cost on the wire, both directions together; above 0.
    ///
    /// Default: nil, no limit. See ``HeartbeatTraffic`` for what counts.
    public var maximumBytesPerSecond: Double?

    /// Requirements that are the defaults but for the bound.
    public init(detectWithin: Duration) {
        self.detectWithin = detectWithin
    }

    /// Checks the requirements by themselves, not whether they can be met.
    ///
    /// - Throws: ``ConfigurationError`` with every problem at once, each with its key and the allowed range.
    public func validate() throws(ConfigurationError) {
        var problems = ProblemCollector()
        problems.check("detectWithin", self.detectWithin, in: LivenessPolicy.allowedBounds)
        if !(self.loss >= 0 && self.loss < 1) {
            problems.report("loss", "is \(self.loss), allowed are 0 up to but not including 1")
        }
        problems.check("delay", self.delay, in: Self.allowedDelays)
        problems.check("deviation", self.deviation, in: Self.allowedDelays)
        problems.check("mistakesEvery", self.mistakesEvery, in: Self.allowedMistakes)
        problems.check("mistakeLasts", self.mistakeLasts, in: Self.allowedMistakes)
        problems.check("minimumHeartbeats", self.minimumHeartbeats, in: 1...100)
        problems.check("minimumInterval", self.minimumInterval, in: .milliseconds(5) ... .seconds(86_400))
        if let limit = self.maximumBytesPerSecond, !(limit > 0 && limit.isFinite) {
            problems.report("maximumBytesPerSecond", "is \(limit), it must be above 0")
        }
        try problems.throwIfAny()
    }

    private static let allowedDelays: ClosedRange<Duration> = .zero ... .seconds(86_400)
    static let allowedMistakes: ClosedRange<Duration> = .zero ... .seconds(10_000_000 * 3_600)
}
