//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Foundation

/// The published and computed results that detectors and simulations are checked against.
enum DetectorVectors {
    /// The parts of the file that `type` names.
    static func decode<Part: Decodable>(_ type: Part.Type) throws -> Part {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Fixtures/detector-vectors.json")
        return try JSONDecoder().decode(type, from: Data(contentsOf: file))
    }
}

extension Instant {
    /// An instant so many seconds after the origin, to the nearest nanosecond.
    static func at(_ seconds: Double) -> Instant {
        Instant(nanoseconds: Int64((seconds * 1e9).rounded()))
    }
}
