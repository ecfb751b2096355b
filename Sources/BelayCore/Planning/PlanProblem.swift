//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Requirements as a search: the intervals that are allowed, in whole microseconds, and what one of them must reach.
struct PlanProblem {
    /// Why an interval cannot be longer.
    enum Ceiling {
        case heartbeats
        case mistakeDuration
        case answer
    }

    /// Why an interval cannot be shorter.
    enum Floor {
        case minimumInterval
        case traffic
    }

    let requirements: QoSRequirements
    let configurator: ChenConfigurator
    let ceiling: (microseconds: Int64, cause: Ceiling)
    let floor: (microseconds: Int64, cause: Floor)

    init(_ requirements: QoSRequirements) {
        let delay = HeartbeatDelay(requirements)
        let configurator = ChenConfigurator(delay: delay, bound: requirements.detectWithin.inSeconds)
        self.requirements = requirements
        self.configurator = configurator
        self.ceiling = Self.ceiling(requirements, configurator)
        self.floor = Self.floor(requirements)
    }

    var quality: ChenQuality { self.configurator.quality }

    /// What a mean delay leaves of the bound; heartbeats are spread over it, whatever the distribution.
    var window: Duration { self.requirements.detectWithin - self.requirements.delay }

    /// How long a mistake may last.
    var mistakeLasts: Duration { self.requirements.mistakeLasts ?? self.requirements.detectWithin }

    private static func ceiling(
        _ requirements: QoSRequirements,
        _ configurator: ChenConfigurator
    ) -> (microseconds: Int64, cause: Ceiling) {
        let window = requirements.detectWithin - requirements.delay
        let lasts = (requirements.mistakeLasts ?? requirements.detectWithin).inSeconds
        // A policy leaves at least 5 ms for the answer to the last ping (LivenessPolicy.validate).
        let answer = requirements.detectWithin - .milliseconds(5)
        var ceiling = ((window / max(requirements.minimumHeartbeats, 1)).wholeMicroseconds, Ceiling.heartbeats)
        let duration = Int64(min(max(configurator.longestInterval(mistakeLasts: lasts) * 1e6, 0), 1e12))
        if duration < ceiling.0 { ceiling = (duration, .mistakeDuration) }
        if answer.wholeMicroseconds < ceiling.0 { ceiling = (answer.wholeMicroseconds, .answer) }
        return ceiling
    }

    private static func floor(_ requirements: QoSRequirements) -> (microseconds: Int64, cause: Floor) {
        let interval = requirements.minimumInterval.roundedUpMicroseconds
        guard let limit = requirements.maximumBytesPerSecond else { return (interval, .minimumInterval) }
        let traffic = Int64(min((HeartbeatTraffic.exchangeBytes / limit * 1e6).rounded(.up), 1e15))
        return traffic > interval ? (traffic, .traffic) : (interval, .minimumInterval)
    }

    /// The allowed intervals in seconds; nil where there are none.
    var range: ClosedRange<Double>? {
        guard self.floor.microseconds <= self.ceiling.microseconds else { return nil }
        return Self.seconds(self.floor.microseconds)...Self.seconds(self.ceiling.microseconds)
    }

    static func seconds(_ microseconds: Int64) -> Double { Double(microseconds) / 1e6 }

    private func allows(_ microseconds: Int64) -> Bool {
        microseconds >= self.floor.microseconds && microseconds <= self.ceiling.microseconds
    }

    /// Whether this interval meets every requirement, by the certificate itself.
    func isMet(by microseconds: Int64) -> Bool {
        guard self.allows(microseconds) else { return false }
        return ChenQuality.recurrence(log: self.logRecurrence(microseconds))
            >= self.requirements.mistakesEvery.inSeconds
    }

    /// The recurrence that is asked for: with any delays, or with independent ones.
    private func logRecurrence(_ microseconds: Int64) -> Double {
        let interval = Self.seconds(microseconds)
        return self.requirements.toleratesDependence
            ? self.quality.logRecurrenceOfOne(interval: interval) : self.quality.logRecurrence(interval: interval)
    }

    private func longestInterval(in range: ClosedRange<Double>) -> Double? {
        let mistakesEvery = self.requirements.mistakesEvery.inSeconds
        return self.requirements.toleratesDependence
            ? self.configurator.longestIntervalOfOne(in: range, mistakesEvery: mistakesEvery)
            : self.configurator.longestInterval(in: range, mistakesEvery: mistakesEvery)
    }

    private func bestInterval(in range: ClosedRange<Double>) -> Double {
        self.requirements.toleratesDependence
            ? self.configurator.bestIntervalOfOne(in: range) : self.configurator.bestInterval(in: range)
    }

    /// The longest interval that meets every requirement, in whole microseconds.
    ///
    /// Rounding down leaves the peak of the sawtooth only where that peak is narrower than a microsecond; the search
    /// then goes on below it, a few times at most.
    ///
    /// - Returns: nil where no interval does.
    func solution() -> Int64? {
        var upper = self.ceiling.microseconds
        for _ in 0..<4 {
            guard self.floor.microseconds <= upper else { return nil }
            let range = Self.seconds(self.floor.microseconds)...Self.seconds(upper)
            guard let found = self.longestInterval(in: range) else { return nil }
            let rounded = Int64(found * 1e6)
            // A whole number of microseconds may lie just below itself as a double.
            for candidate in [rounded + 1, rounded] where candidate <= upper && self.isMet(by: candidate) {
                return candidate
            }
            upper = rounded - 1
        }
        return nil
    }

    /// The recurrence that the best of the allowed intervals certifies, in seconds, and that interval.
    func rarestMistakes() -> (interval: Duration, seconds: Double)? {
        guard let range = self.range else { return nil }
        let best = Int64(self.bestInterval(in: range) * 1e6)
        let candidates = [best, best + 1, self.floor.microseconds, self.ceiling.microseconds].filter {
            self.allows($0)
        }
        let judged = candidates.map { (interval: $0, log: self.logRecurrence($0)) }
        guard let rarest = judged.max(by: { $0.log < $1.log }) else { return nil }
        return (.microseconds(rarest.interval), ChenQuality.recurrence(log: rarest.log))
    }
}

extension Duration {
    /// This duration in whole microseconds, rounded down and saturating.
    var wholeMicroseconds: Int64 {
        let (quotient, remainder) = self.attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000)
        return Int64(clamping: remainder < 0 ? quotient - 1 : quotient)
    }

    /// This duration in whole microseconds, rounded up and saturating.
    var roundedUpMicroseconds: Int64 {
        let (quotient, remainder) = self.attoseconds.quotientAndRemainder(dividingBy: 1_000_000_000_000)
        return Int64(clamping: remainder > 0 ? quotient + 1 : quotient)
    }
}
