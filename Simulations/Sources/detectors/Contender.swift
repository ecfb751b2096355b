//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Report

/// The detectors of the comparison.
enum Contender: CaseIterable, Sendable {
    case fixed
    case nfde
    case twoWindows
    case phi
    case bertier

    private static let window = 1_000
    private static let highestThreshold = 300.0

    var name: String {
        switch self {
        case .fixed: "fixed timeout"
        case .nfde: "NFD-E, n = 1,000"
        case .twoWindows: "two windows, 1 and 1,000"
        case .phi: "phi, normal, 1,000 (threshold)"
        case .bertier: "Bertier's detector"
        }
    }

    /// Whether there is anything to set.
    var isAdjustable: Bool { self != .bertier }

    /// Whether the time to detect counts from when the last heartbeat arrived, not from when it was due.
    var restartsTimer: Bool { self == .fixed || self == .twoWindows || self == .phi }

    /// Two settings to begin with, from which the one wanted is sought.
    func firstGuesses(for target: Duration) -> (Double, Double) {
        let seconds = target / .seconds(1)
        return self == .phi ? (3, 6) : (seconds / 2, seconds)
    }

    /// The detector with this setting: seconds of a timeout or margin, or about deviations for phi.
    func detector(setting: Double, interval: Duration) -> any FailureDetector {
        switch self {
        case .fixed:
            return FixedDeadline(interval: .seconds(max(setting, 1e-3)), multiplier: 1)
        case .nfde:
            return NFDE(interval: interval, margin: .fixed(.seconds(setting)), window: Self.window)
        case .twoWindows:
            return NFDE(interval: interval, margin: .fixed(.seconds(setting)), window: Self.window, stallWindow: 1)
        case .phi:
            var configuration = PhiAccrual.Configuration()
            (configuration.threshold, configuration.acceptablePause) = Self.phi(setting)
            configuration.window = Self.window
            return PhiAccrual(interval: interval, configuration: configuration)
        case .bertier:
            return BertierDetector(interval: interval, window: Self.window)
        }
    }

    /// What a reader of the table has to know of the setting.
    func note(setting: Double) -> String {
        guard self == .phi else { return "" }
        let (threshold, pause) = Self.phi(setting)
        let text = Figures.fixed(threshold, places: 1)
        return pause > .zero ? " (\(text) + \(Figures.seconds(pause / .seconds(1))))" : " (\(text))"
    }

    /// Phi grows with the square of the deviations; where its largest threshold is not enough, a pause is added.
    private static func phi(_ setting: Double) -> (threshold: Double, pause: Duration) {
        let most = Self.highestThreshold.squareRoot()
        guard setting > most else { return (max(setting, 0.4) * max(setting, 0.4), .zero) }
        return (Self.highestThreshold, .seconds((setting - most) / 10))
    }
}
