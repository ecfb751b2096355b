//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension SmartInterval {
    /// Which intervals are tried, how, and when one of them counts as known.
    ///
    /// The defaults are those of Tencent Mars (`mars/stn/config.h`), except for ``unlearned`` and ``probes``.
    public struct Configuration: Hashable, Sendable {
        /// Whether longer intervals are tried at all.
        ///
        /// Each network is learned at the price of about two lost connections, so this is right only where a lost one
        /// is cheap: where nobody waits for a message, and the client connects again by itself.
        ///
        /// Default: false.
        public var probes = false

        /// The interval on a network that is not learned.
        ///
        /// Default: 200 s, less than the 239 s that the most impatient of the home routers measured by Hätönen and others
        /// (IMC 2010) waits, and than what the load balancers of the large clouds wait by default. 1 s to ``shortest``.
        public var unlearned: Duration = .seconds(200)

        /// The interval that is tried first.
        ///
        /// Default: 210 s. 1 s to 24 h.
        public var shortest: Duration = .seconds(210)

        /// The longest interval that is tried.
        ///
        /// Default: 600 s. At least ``shortest`` and ``backOff`` together, at most 24 h.
        public var longest: Duration = .seconds(600)

        /// By how much the next interval to try is longer.
        ///
        /// Default: 60 s. 1 s to 24 h.
        public var step: Duration = .seconds(60)

        /// How far the learned interval stays below what held, and by how much more a learned one is tried later.
        ///
        /// A heartbeat that is late by no more than this still counts as sent at its interval.
        ///
        /// Default: 20 s. 1 ms to 24 h.
        public var backOff: Duration = .seconds(20)

        /// How many heartbeats must be answered at an interval before the next one is tried.
        ///
        /// Default: 5. 1 to 100.
        public var successesPerStep = 5

        /// How many heartbeats must be answered at ``unlearned`` before an interval is tried, also after each failure.
        ///
        /// Default: 3. 1 to 100.
        public var warmUps = 3

        /// How many heartbeats in a row must stay unanswered at an interval to conclude that it is too long.
        ///
        /// Default: 2. 1 to 100.
        public var failuresToConclude = 2

        /// After which time a longer interval than the learned one is tried, in case that the network has changed.
        ///
        /// Default: 7 days. 1 h to 366 days.
        public var probeAgainAfter: Duration = .seconds(7 * 86_400)

        /// How many networks are remembered.
        ///
        /// Default: 32. 1 to 1,000.
        public var maximumNetworks = 32

        static let networkCounts = 1...1_000

        /// The default configuration.
        public init() {}

        /// Checks the configuration.
        ///
        /// - Throws: ``ConfigurationError`` with every problem at once, each with its key and the allowed range.
        public func validate() throws(ConfigurationError) {
            var problems = ProblemCollector()
            let intervals: ClosedRange<Duration> = .seconds(1) ... .seconds(86_400)
            problems.check("unlearned", self.unlearned, in: intervals)
            problems.check("shortest", self.shortest, in: intervals)
            problems.check("longest", self.longest, in: intervals)
            problems.check("step", self.step, in: intervals)
            problems.check("backOff", self.backOff, in: .milliseconds(1) ... .seconds(86_400))
            problems.check("successesPerStep", self.successesPerStep, in: 1...100)
            problems.check("warmUps", self.warmUps, in: 1...100)
            problems.check("failuresToConclude", self.failuresToConclude, in: 1...100)
            problems.check("probeAgainAfter", self.probeAgainAfter, in: .seconds(3_600) ... .seconds(366 * 86_400))
            problems.check("maximumNetworks", self.maximumNetworks, in: Self.networkCounts)
            if intervals.contains(self.unlearned), self.unlearned > self.shortest {
                problems.report(
                    "unlearned",
                    "is \(self.unlearned.text), it must be at most shortest \(self.shortest.text)"
                )
            }
            // What is out of its own range is reported already, and a sum of it may not exist.
            if intervals.contains(self.longest), intervals.contains(self.shortest),
                self.backOff <= intervals.upperBound, self.longest < self.shortest + self.backOff
            {
                let least = (self.shortest + self.backOff).text
                problems.report("longest", "is \(self.longest.text), it must be at least shortest + backOff \(least)")
            }
            try problems.throwIfAny()
        }
    }
}
