//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension LivenessPolicy {
    /// The bounds that can be asked for.
    public static let allowedBounds: ClosedRange<Duration> = .milliseconds(20) ... .seconds(86_400)

    private static let allowedIntervals: ClosedRange<Duration> = .milliseconds(5) ... .seconds(86_400)

    /// Checks the policy.
    ///
    /// - Throws: ``ConfigurationError`` with every problem at once, each with its key and the allowed range.
    public func validate() throws(ConfigurationError) {
        _ = try self.timings()
    }

    /// The policy as exact times.
    ///
    /// - Throws: ``ConfigurationError`` with every problem at once.
    public func timings() throws(ConfigurationError) -> LivenessTimings {
        var problems = ProblemCollector()
        self.checkSchedule(&problems)
        self.checkDeadlines(&problems)
        let bound = self.resolvedBound
        if self.detectWithin == nil, let bound {
            problems.check("interval + replyWithin", bound, in: Self.allowedBounds)
        }
        if let suspectAfter, let bound, suspectAfter >= bound, suspectAfter <= Self.allowedBounds.upperBound {
            problems.report("suspectAfter", "is \(suspectAfter.text), it must be shorter than the bound \(bound.text)")
        }
        try problems.throwIfAny()
        guard let bound else { preconditionFailure("a schedule without problems has a bound") }
        return LivenessTimings(self, bound: bound, interval: self.interval ?? bound / ((self.attempts ?? 2) + 1))
    }

    private func checkSchedule(_ problems: inout ProblemCollector) {
        problems.check("detectWithin", self.detectWithin, in: Self.allowedBounds)
        problems.check("attempts", self.attempts, in: 1...100)
        problems.check("interval", self.interval, in: Self.allowedIntervals)
        problems.check("replyWithin", self.replyWithin, in: Self.allowedIntervals)
        switch (self.detectWithin, self.interval, self.replyWithin) {
        case (nil, nil, nil):
            problems.report("detectWithin", "is missing: give it, or interval and replyWithin")
        case (nil, .some, nil):
            problems.report("interval", "alone gives no bound: add detectWithin or replyWithin")
        case (_, nil, .some):
            problems.report("replyWithin", "needs an interval: the bound is interval + replyWithin")
        case (.some(let bound), .some(let interval), .some(let reply)) where interval + reply != bound:
            problems.report(
                "detectWithin",
                "is \(bound.text), but interval + replyWithin is \((interval + reply).text): leave one of the three out"
            )
        case (.some(let bound), .some(let interval), nil)
        where interval > bound - Self.allowedIntervals.lowerBound:
            problems.report(
                "interval",
                "is \(interval.text), it must be at least \(Self.allowedIntervals.lowerBound.text) shorter than "
                    + "detectWithin \(bound.text): a peer needs time to answer"
            )
        default:
            break
        }
        if self.attempts != nil, self.interval != nil {
            problems.report("attempts", "and interval contradict each other: give one of them")
        }
        if let bound = self.detectWithin, let attempts = self.attempts, self.interval == nil,
            (1...100).contains(attempts),
            Self.allowedBounds.contains(bound), bound / (attempts + 1) < Self.allowedIntervals.lowerBound
        {
            problems.report(
                "attempts",
                "is \(attempts), which gives an interval below \(Self.allowedIntervals.lowerBound.text) in \(bound.text)"
            )
        }
    }

    private func checkDeadlines(_ problems: inout ProblemCollector) {
        self.detector.validate(&problems, heartbeats: self.heartbeats)
        problems.check("suspectAfter", self.suspectAfter, in: .milliseconds(1) ... .seconds(86_400))
        problems.check("writeWithin", self.writeWithin, in: Self.allowedBounds)
        problems.check("handshakeWithin", self.handshakeWithin, in: Self.allowedBounds)
        problems.check("closeWithin", self.closeWithin, in: .milliseconds(1) ... .seconds(86_400))
        problems.check("messageWithin", self.messageWithin, in: Self.allowedBounds)
        problems.check("idleLimit", self.idleLimit, in: Self.allowedBounds)
        problems.check("readPauseLimit", self.readPauseLimit, in: Self.allowedBounds)
        problems.check("minimumPeerInterval", self.minimumPeerInterval, in: .microseconds(100) ... .seconds(3_600))
        problems.check("pingStrikes", self.pingStrikes, in: 0...1_000)
        problems.check("peerBounds", self.peerBounds?.lowerBound, in: Self.allowedBounds)
        problems.check("peerBounds", self.peerBounds?.upperBound, in: Self.allowedBounds)
    }

    /// The bound, where what it follows from is given and allowed.
    private var resolvedBound: Duration? {
        if let detectWithin { return Self.allowedBounds.contains(detectWithin) ? detectWithin : nil }
        guard let interval, let replyWithin, Self.allowedIntervals.contains(interval),
            Self.allowedIntervals.contains(replyWithin)
        else { return nil }
        return interval + replyWithin
    }
}
