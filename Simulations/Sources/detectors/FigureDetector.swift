//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting

/// The detectors of the figure.
enum FigureDetector: UInt64, CaseIterable, Sendable {
    /// Ours, with the paper's window.
    case nfde
    /// The best there can be.
    case nfds
    /// A timeout that throws away what took longer than 160 ms.
    case cutoff160
    /// A timeout that throws away what took longer than 80 ms.
    case cutoff80

    private static let window = 32

    var name: String {
        switch self {
        case .nfde: "NFD-E, n = 32"
        case .nfds: "NFD-S"
        case .cutoff160: "SFD-L, cutoff 0.16 s"
        case .cutoff80: "SFD-S, cutoff 0.08 s"
        }
    }

    private var cutoff: Duration { self == .cutoff160 ? .milliseconds(160) : .milliseconds(80) }

    /// What theory says of this detector; nil when it makes none in 292 years.
    func expectedRecurrence(bound: Duration, on heartbeats: IndependentHeartbeats) -> Duration? {
        switch self {
        case .nfde:
            return heartbeats.expectedRecurrence(detectWithin: bound, window: Self.window)
        case .nfds:
            return heartbeats.expectedRecurrence(detectWithin: bound)
        case .cutoff160, .cutoff80:
            return heartbeats.expectedRecurrence(timeout: bound - self.cutoff, cutoff: self.cutoff)
        }
    }

    func quality(bound: Duration, mistakes: Int, on heartbeats: IndependentHeartbeats) -> DetectorQuality {
        let interval = heartbeats.interval
        switch self {
        case .nfde:
            let margin = bound - interval - heartbeats.meanDelay
            return heartbeats.quality(
                of: NFDE(interval: interval, margin: .fixed(margin), window: Self.window),
                mistakes: mistakes,
                tolerance: DetectorTolerance(patience: margin, memory: Self.window)
            )
        case .nfds:
            let shift = bound - interval
            return heartbeats.quality(
                of: NFDS(interval: interval, shift: shift),
                mistakes: mistakes,
                tolerance: DetectorTolerance(patience: shift, memory: 1)
            )
        case .cutoff160, .cutoff80:
            let timeout = bound - self.cutoff
            return heartbeats.quality(
                of: CutoffTimeout(timeout: timeout, cutoff: self.cutoff),
                mistakes: mistakes,
                tolerance: DetectorTolerance(patience: timeout - interval, cutoff: self.cutoff, memory: 1)
            )
        }
    }
}
