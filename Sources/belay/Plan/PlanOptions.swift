//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore

/// The flags that say what heartbeats are to achieve on which network.
struct PlanOptions: ParsableArguments {
    @Option(
        help: """
            A silent peer is declared dead within this time, 20ms to 24h. Default: 30s; with --measure the shortest that \
            is possible with --correlated, at least 1s.
            """,
        transform: Duration.flag
    )
    var detectWithin: Duration?

    @Option(
        help: """
            How many heartbeats are never answered: 0 up to but not including 1, as in 0.02 or 2%. Default: 0, as over \
            TCP, where loss is delay.
            """,
        transform: Self.probability
    )
    var loss: Double = 0

    @Option(help: "The mean round trip time, 0s to 24h. Default: 50ms.", transform: Duration.flag)
    var delay: Duration?

    @Option(
        help: "The standard deviation of the round trip time, 0s to 24h. Default: as much as --delay.",
        transform: Duration.flag
    )
    var jitter: Duration?

    @Option(help: "What is known of the round trip time beyond the two: none or exponential.")
    var distribution: Distribution = .unknown

    @Option(help: "A live peer may be suspected once in this time on average. Default: 30d.", transform: Duration.flag)
    var mistakesEvery: Duration = .seconds(30 * 86_400)

    @Flag(
        help: "Mistakes must be as rare even if delays come together, as over TCP, where a loss delays all behind it."
    )
    var correlated = false

    @Option(help: "Such a mistake may last this long on average. Default: the bound.", transform: Duration.flag)
    var mistakeLasts: Duration?

    @Option(help: "So many heartbeats must fit into the bound, 1 to 100.")
    var minHeartbeats = 3

    @Option(help: "Never ping more often than this, 5ms to 24h. Default: 5ms.", transform: Duration.flag)
    var minInterval: Duration = .milliseconds(5)

    @Option(help: "What heartbeats of an idle connection may cost, both directions together. Default: no limit.")
    var maxBytesPerSecond: Double?

    /// The values of `--distribution`.
    enum Distribution: String, CaseIterable, ExpressibleByArgument {
        case unknown = "none"
        case exponential

        var value: DelayDistribution {
            switch self {
            case .unknown: .unknown
            case .exponential: .exponential
            }
        }
    }

    private static let usualDelay = Duration.milliseconds(50)

    /// Whether anything was said of the round trip time.
    var describesDelay: Bool { self.delay != nil || self.jitter != nil || self.distribution != .unknown }

    func validate() throws {
        if self.distribution == .exponential, let jitter, jitter != self.delay ?? Self.usualDelay {
            throw ValidationError(
                "--jitter is \(jitter.text), but an exponential --delay deviates by its mean: leave it out"
            )
        }
    }

    /// The requirements that the flags describe; some may be out of range, which their validation reports.
    var requirements: QoSRequirements {
        var requirements = QoSRequirements(detectWithin: self.detectWithin ?? .seconds(30))
        requirements.loss = self.loss
        requirements.delay = self.delay ?? Self.usualDelay
        requirements.deviation = self.jitter ?? requirements.delay
        requirements.distribution = self.distribution.value
        requirements.mistakesEvery = self.mistakesEvery
        requirements.toleratesDependence = self.correlated
        requirements.mistakeLasts = self.mistakeLasts
        requirements.minimumHeartbeats = self.minHeartbeats
        requirements.minimumInterval = self.minInterval
        requirements.maximumBytesPerSecond = self.maxBytesPerSecond
        return requirements
    }

    /// Reads `0.02` or `2%`.
    static func probability(_ text: String) throws -> Double {
        let isPercentage = text.hasSuffix("%")
        guard let number = Double(isPercentage ? String(text.dropLast()) : text), number.isFinite else {
            throw ValidationError("write a probability such as 0.02 or 2%")
        }
        return isPercentage ? number / 100 : number
    }
}
