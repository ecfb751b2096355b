//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// A detector that learns from the round trips of one connection.
protocol LearningDetector: FailureDetector {
    /// Answers to pings of until now waited for us, because nothing was read.
    mutating func discard(until now: Instant)

    /// The pings go out at another interval from now on.
    mutating func intervalChanged(to interval: Duration)

    /// What it thinks.
    func state(at now: Instant, localHealth: Int) -> DetectorState
}

extension NFDE: LearningDetector {
    func state(at now: Instant, localHealth: Int) -> DetectorState {
        DetectorState(name: "nfde", margin: self.currentMargin, localHealth: localHealth)
    }
}

extension PhiAccrual: LearningDetector {
    func state(at now: Instant, localHealth: Int) -> DetectorState {
        DetectorState(name: "phi", phi: self.phi(at: now), localHealth: localHealth)
    }
}

/// The detector of one connection, where its policy asks for one that learns.
///
/// Apart, because most connections have none, and those that have one keep up to a thousand samples in it.
final class AdaptiveDetector {
    var learning: any LearningDetector
    /// Nobody is suspected by this detector before: a peer whose answers are late now and then shall not flap.
    var quietUntil: Instant = .distantPast

    /// From when on the peer is suspected.
    var suspicionAt: Instant { max(self.learning.suspicionAt, self.quietUntil) }

    /// The detector of a connection with these timings; nil where nothing is learned.
    init?(_ timings: LivenessTimings) {
        switch timings.detector {
        case .fixed:
            return nil
        case .nfde(let margin, let window, let stallWindow):
            self.learning = NFDE(
                interval: timings.interval,
                margin: margin,
                window: window,
                stallWindow: stallWindow
            )
        case .phi(var configuration):
            configuration.longestSample = configuration.longestSample ?? timings.bound
            self.learning = PhiAccrual(interval: timings.interval, configuration: configuration)
        }
    }
}
