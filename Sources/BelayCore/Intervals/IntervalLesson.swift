//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What is known of one network, and what is being tried on it.
struct IntervalLesson: Hashable, Sendable {
    typealias Configuration = SmartInterval.Configuration

    enum Stage: Hashable, Sendable {
        /// So many heartbeats in a row were answered at the unlearned interval; `next` is tried afterwards.
        ///
        /// Can transition to: trying.
        case warmingUp(answered: Int, next: Duration)
        /// So many heartbeats were answered at the interval.
        ///
        /// Can transition to: trying the next one, warmingUp after a failure, learned.
        case trying(Duration, answered: Int)
        /// The interval is known; longer ones were tried last at the time.
        ///
        /// Can transition to: trying a longer one, warmingUp after failures.
        case learned(Duration, since: WallClock)
    }

    var stage: Stage
    /// How many heartbeats in a row were not answered at the interval that is tried or learned.
    var unanswered = 0

    init(_ configuration: Configuration) {
        self.stage = .warmingUp(answered: 0, next: configuration.shortest)
    }

    func inForce(_ configuration: Configuration) -> Duration {
        switch self.stage {
        case .warmingUp: configuration.unlearned
        case .trying(let interval, _): configuration.probes ? interval : configuration.unlearned
        case .learned(let interval, _): interval
        }
    }

    // MARK: Events

    mutating func answered(_ configuration: Configuration, at now: WallClock) {
        switch self.stage {
        case .warmingUp(let answered, let next):
            guard configuration.probes else { return }
            self.stage =
                answered + 1 < configuration.warmUps
                ? .warmingUp(answered: answered + 1, next: next) : .trying(next, answered: 0)
        case .trying(let interval, let answered):
            guard configuration.probes else { return }
            self.unanswered = 0
            if answered + 1 < configuration.successesPerStep {
                self.stage = .trying(interval, answered: answered + 1)
            } else if interval < configuration.longest {
                self.stage = .trying(min(interval + configuration.step, configuration.longest), answered: 0)
            } else {
                self.stage = .learned(configuration.longest - configuration.backOff, since: now)
            }
        case .learned(let interval, let since):
            self.unanswered = 0
            self.stage = self.afterLearned(interval, since: since, configuration, at: now)
        }
    }

    mutating func unanswered(_ configuration: Configuration, at now: WallClock) {
        switch self.stage {
        case .warmingUp(_, let next):
            self.stage = .warmingUp(answered: 0, next: next)
        case .trying(let interval, _):
            guard configuration.probes else { return }
            self.unanswered += 1
            // The connection is gone: the next one first shows that the network is up at all.
            self.stage = .warmingUp(answered: 0, next: interval)
            if self.unanswered >= configuration.failuresToConclude {
                self.unanswered = 0
                self.stage = .learned(Self.interval(failed: interval, configuration), since: now)
            }
        case .learned:
            self.unanswered += 1
            if self.unanswered >= configuration.failuresToConclude {
                self = IntervalLesson(configuration)
            }
        }
    }

    // MARK: Conclusions

    /// What is left when an interval turned out to be too long.
    ///
    /// The one before it held; where there is none, not even the shortest did, and only the unlearned one is left.
    private static func interval(failed: Duration, _ configuration: Configuration) -> Duration {
        guard failed > configuration.shortest else { return configuration.unlearned }
        return max(configuration.shortest, failed - configuration.step - configuration.backOff)
    }

    private func afterLearned(
        _ interval: Duration,
        since: WallClock,
        _ configuration: Configuration,
        at now: WallClock
    ) -> Stage {
        // The wall clock was set back: better late than never.
        let since = since.millisecondsSince1970 > now.millisecondsSince1970 ? now : since
        let (age, overflow) = now.millisecondsSince1970.subtractingReportingOverflow(since.millisecondsSince1970)
        let isDue = overflow || Duration.milliseconds(age) >= configuration.probeAgainAfter
        guard configuration.probes, isDue, interval < configuration.longest - configuration.backOff else {
            return .learned(interval, since: since)
        }
        let longer = interval < configuration.shortest ? configuration.shortest : interval + configuration.backOff
        return .trying(longer, answered: 0)
    }
}
