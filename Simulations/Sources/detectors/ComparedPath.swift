//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting

/// The paths of the comparison; the names are those of the blocks of the document.
enum ComparedPath: String, CaseIterable, Sendable {
    case wideArea = "wide area"
    case tcp

    /// Heartbeats that are not judged: as many as the largest window remembers.
    private static let warmUp = 1_000

    var interval: Duration {
        switch self {
        case .wideArea: WideAreaHeartbeats.interval
        case .tcp: .milliseconds(250)
        }
    }

    /// The mean times to detect that detectors are set to.
    var meanDetections: [Duration] {
        switch self {
        case .wideArea: [.milliseconds(300), .milliseconds(400), .seconds(1), .seconds(2)]
        case .tcp: [.milliseconds(600), .seconds(1), .seconds(3), .seconds(5)]
        }
    }

    func quality(of detector: some FailureDetector, seed: UInt64) -> DetectorQuality {
        switch self {
        case .wideArea:
            detector.quality(on: WideAreaHeartbeats(seed: seed).prefix(2_000_000), warmUp: Self.warmUp)
        case .tcp:
            detector.quality(
                on: TCPHeartbeats(interval: self.interval, seed: seed).prefix(400_000),
                warmUp: Self.warmUp
            )
        }
    }
}
