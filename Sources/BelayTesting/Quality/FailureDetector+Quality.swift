//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

extension FailureDetector {
    /// How well this detector, which knows nothing yet, does on a workload.
    ///
    /// - Parameters:
    ///   - heartbeats: the workload, a finite one.
    ///   - warmUp: so many heartbeats are not judged.
    /// - Returns: its mistakes and times to detect.
    public func quality(on heartbeats: some Sequence<Heartbeat>, warmUp: Int = 0) -> DetectorQuality {
        var trial = DetectorTrial(self, warmUp: warmUp)
        for heartbeat in heartbeats { trial.observe(heartbeat) }
        return trial.finish()
    }
}
