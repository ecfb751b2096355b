//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Report

/// A detector that was set to a mean time to detect, and what came of it.
struct ComparisonResult: Sendable {
    /// No setting has the mean time to detect that was wanted.
    struct Unreachable: Error, CustomStringConvertible {
        let contender: Contender
        let target: Duration

        var description: String { "\(self.contender.name) cannot be set to a mean time to detect of \(self.target)" }
    }

    /// How exactly the mean is met.
    private static let precision = 0.005
    private static let mostSteps = 20

    let contender: Contender
    /// The mean time to detect that was wanted; zero for those that cannot be set.
    let target: Duration
    let mistakes: Int
    let meanDetection: Duration
    let longestDetection: Duration
    private let setting: Double

    init(of contender: Contender, on path: ComparedPath, target: Duration, seed: UInt64) throws {
        func quality(_ setting: Double) throws -> (quality: DetectorQuality, mean: Duration) {
            let quality = path.quality(of: contender.detector(setting: setting, interval: path.interval), seed: seed)
            guard let mean = quality.meanDetection else { throw Unreachable(contender: contender, target: target) }
            return (quality, mean)
        }
        // The mean is linear in a margin and nearly so in phi: the secant meets it in a few steps.
        var (before, setting) = contender.firstGuesses(for: target)
        var last = try quality(setting)
        if contender.isAdjustable {
            var first = try quality(before)
            for _ in 0..<Self.mostSteps where abs(last.mean / target - 1) > Self.precision {
                let slope = (last.mean - first.mean) / .seconds(1) / (setting - before)
                guard slope > 0 else { throw Unreachable(contender: contender, target: target) }
                (before, first) = (setting, last)
                setting += (target - last.mean) / .seconds(1) / slope
                last = try quality(setting)
            }
            guard abs(last.mean / target - 1) <= Self.precision else {
                throw Unreachable(contender: contender, target: target)
            }
        }
        self.contender = contender
        self.target = target
        self.setting = setting
        self.mistakes = last.quality.mistakes
        self.meanDetection = last.mean
        self.longestDetection = last.quality.longestDetection ?? .zero
    }

    /// By how much the longest time to detect exceeds the mean.
    var excess: Duration { self.longestDetection - self.meanDetection }

    /// Mistakes and the longest time to detect.
    var cell: String {
        let longest = Figures.seconds(self.longestDetection / .seconds(1))
        return "\(Figures.count(self.mistakes)), at most \(longest)\(self.contender.note(setting: self.setting))"
    }
}
