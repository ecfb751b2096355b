//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension PlanProblem {
    /// Why the figures are what they are, one line each.
    func reasons(for figures: QoSPlan.Figures) -> [String] {
        [
            self.reasonForInterval(figures),
            self.reasonForMargin(figures),
            self.reasonForIndependent(figures),
            self.reasonForDependenceFree(figures),
            self.reasonForDuration(figures),
            self.reasonForBlackout(figures),
            self.reasonForTraffic(figures),
            Self.reasonForKernel(figures.kernel),
        ]
    }

    private func reasonForInterval(_ figures: QoSPlan.Figures) -> String {
        let every = "A ping every \(PlanText.duration(figures.interval)): the longest interval"
        guard figures.interval == .microseconds(self.ceiling.microseconds) else {
            return "\(every) with which mistakes are \(self.mistakesEvery) apart."
        }
        switch self.ceiling.cause {
        case .heartbeats:
            return "\(every) that fits \(Self.heartbeats(self.requirements.minimumHeartbeats)) into the "
                + "\(PlanText.duration(self.window)) that a mean delay leaves of the bound."
        case .mistakeDuration:
            return "\(every) with which a mistake is over within \(PlanText.duration(self.mistakeLasts)) on average."
        case .answer:
            return "\(every) that leaves 5ms of the bound for an answer."
        }
    }

    private func reasonForMargin(_ figures: QoSPlan.Figures) -> String {
        let count = figures.heartbeatsPerWindow
        return "A ping may be answered \(PlanText.duration(figures.margin)) later than on average; "
            + "\(Self.heartbeats(count)) fit\(count == 1 ? "s" : "") into the bound, and "
            + (count == 1 ? "a mistake takes no more than that one to fail." : "a mistake takes all of them to fail.")
    }

    private func reasonForIndependent(_ figures: QoSPlan.Figures) -> String {
        let apart = PlanText.span(seconds: figures.mistakeRecurrence.independentSeconds)
        let known = self.requirements.distribution != .unknown
        return "Mistakes are \(known ? "" : "at least ")\(apart) apart if delays are independent of each other "
            + (known
                ? "and \(self.requirements.distribution.rawValue) (Theorem 5)."
                : "(Theorem 7: of the delay only mean and deviation are used).")
    }

    private func reasonForDependenceFree(_ figures: QoSPlan.Figures) -> String {
        let seconds = figures.mistakeRecurrence.dependenceFreeSeconds
        let line =
            "Mistakes are at least \(PlanText.span(seconds: seconds)) apart even if delays come together, as over TCP, "
            + "where a lost segment delays all behind it"
        guard seconds < self.requirements.mistakesEvery.inSeconds else { return line + "." }
        return "\(line): less than the \(self.mistakesEvery) asked for\(self.certifiableWithoutIndependence)."
    }

    /// What would certify the recurrence without independence: an interval within the bound, or a longer bound.
    private var certifiableWithoutIndependence: String {
        let delay = self.quality.delay
        guard !delay.isKnown, delay.loss == 0 else { return "" }
        let wanted = self.requirements.mistakesEvery.inSeconds
        if let range = self.range,
            let interval = self.configurator.longestIntervalOfOne(in: range, mistakesEvery: wanted)
        {
            return "; a ping every \(PlanText.duration(.seconds(interval))) would certify that"
        }
        let window = ChenConfigurator.shortestWindowOfOne(mistakesEvery: wanted, variance: delay.variance)
        let bound = Duration.seconds(min(window, 1e12)) + self.requirements.delay
        guard bound <= LivenessPolicy.allowedBounds.upperBound else { return "" }
        return "; that takes a bound of \(PlanText.duration(bound)) and a ping every third of it"
    }

    private func reasonForDuration(_ figures: QoSPlan.Figures) -> String {
        "A mistake lasts \(self.requirements.distribution == .unknown ? "at most " : "")"
            + "\(PlanText.duration(figures.mistakeDuration)) on average, until a heartbeat is in time again."
    }

    private func reasonForBlackout(_ figures: QoSPlan.Figures) -> String {
        let milliseconds = figures.kernel.longestRetransmissionMilliseconds
        let budget = figures.margin.inSeconds
        let last = self.blackouts(longestMilliseconds: milliseconds).lastRetransmission(within: budget)
        let older = self.blackouts(longestMilliseconds: nil).lastRetransmission(within: budget).time
        guard last.count > 0 else {
            return
                "No blackout of the path is certain to be survived: "
                + "the kernel's first retransmission comes after the margin."
        }
        let line =
            "A blackout of \(PlanText.duration(figures.toleratedBlackout)) is survived: "
            + "retransmission \(last.count) of the kernel is then still in time"
        guard older < last.time else { return line + "." }
        return "\(line), with TCP_RTO_MAX_MS; before Linux 6.15, \(PlanText.span(seconds: older))."
    }

    private func reasonForTraffic(_ figures: QoSPlan.Figures) -> String {
        let bytes = PlanText.number(HeartbeatTraffic.exchangeBytes)
        return
            "\(PlanText.number(figures.bytesPerSecond)) bytes a second while idle: \(bytes) bytes for ping, pong and "
            + "acknowledgement, with the headers of Ethernet, IPv4 and TCP."
    }

    private static func reasonForKernel(_ kernel: KernelTimeouts) -> String {
        let idle = kernel.keepaliveIdleSeconds ?? 0
        return
            "Where the program hangs, the kernel ends the connection: "
            + "TCP_USER_TIMEOUT \(kernel.userTimeoutMilliseconds), two bounds, since one would end live peers that do not "
            + "read; keepalive after \(idle) s, then every \(kernel.keepaliveIntervalSeconds) s; "
            + "TCP_RTO_MAX_MS \(kernel.longestRetransmissionMilliseconds). "
            + "An idle one ends after \(PlanText.duration(kernel.idleVerdict ?? .zero))."
    }

    private static func heartbeats(_ count: Int) -> String {
        count == 1 ? "1 heartbeat" : "\(PlanText.number(Double(count))) heartbeats"
    }

    private var mistakesEvery: String { PlanText.span(seconds: self.requirements.mistakesEvery.inSeconds) }
}

extension PlanProblem {
    /// What stands in the way of a problem without a solution.
    ///
    /// - Parameter rarest: what ``rarestMistakes()`` answers.
    /// - Returns: lines for people.
    func obstacles(rarest: (interval: Duration, seconds: Double)?) -> [String] {
        guard self.window > .zero else {
            return [
                "The bound \(self.requirements.detectWithin.text) is not longer than the mean delay "
                    + "\(self.requirements.delay.text): on average no answer comes in time."
            ]
        }
        guard let rarest else {
            return ["\(self.obstacleFromAbove), but \(self.obstacleFromBelow)."]
        }
        let apart = PlanText.span(seconds: rarest.seconds)
        return [
            "Mistakes cannot be certified to be \(self.mistakesEvery) apart: \(apart) is the most within this "
                + "bound, with a ping every \(PlanText.duration(rarest.interval))."
        ]
    }

    private var obstacleFromAbove: String {
        let most = PlanText.duration(.microseconds(max(self.ceiling.microseconds, 0)))
        switch self.ceiling.cause {
        case .heartbeats:
            return
                "\(Self.heartbeats(self.requirements.minimumHeartbeats)) in the \(PlanText.duration(self.window)) that "
                + "a mean delay leaves of the bound need an interval of at most \(most)"
        case .mistakeDuration:
            return
                "Mistakes that are over within \(PlanText.duration(self.mistakeLasts)) on average need an interval of "
                + "at most \(most)"
        case .answer:
            return "5ms for an answer leave an interval of at most \(most)"
        }
    }

    private var obstacleFromBelow: String {
        let least = PlanText.duration(.microseconds(self.floor.microseconds))
        switch self.floor.cause {
        case .minimumInterval:
            return "the shortest that is allowed is \(least)"
        case .traffic:
            let limit = self.requirements.maximumBytesPerSecond ?? 0
            return "with \(PlanText.number(limit)) bytes a second it is at least \(least)"
        }
    }
}
