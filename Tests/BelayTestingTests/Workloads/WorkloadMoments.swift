//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting

/// Mean, deviation and losses of the delays of a workload.
struct WorkloadMoments {
    private(set) var count = 0
    private(set) var lost = 0
    private(set) var lossBursts = 0
    private(set) var overtaken = 0
    private var sum = 0.0
    private var squares = 0.0
    private(set) var shortest = Double.infinity
    private(set) var longest = 0.0

    init(_ heartbeats: some Sequence<Heartbeat>) {
        var wasLost = false
        var newest = Instant(nanoseconds: .min)
        for heartbeat in heartbeats {
            self.count += 1
            defer { wasLost = heartbeat.arrivedAt == nil }
            guard let arrivedAt = heartbeat.arrivedAt else {
                self.lost += 1
                if !wasLost { self.lossBursts += 1 }
                continue
            }
            let delay = heartbeat.sentAt.duration(to: arrivedAt) / .seconds(1)
            if arrivedAt < newest { self.overtaken += 1 }
            newest = max(newest, arrivedAt)
            self.sum += delay
            self.squares += delay * delay
            self.shortest = min(self.shortest, delay)
            self.longest = max(self.longest, delay)
        }
    }

    var mean: Double { self.sum / Double(self.count - self.lost) }
    var deviation: Double { (self.squares / Double(self.count - self.lost) - self.mean * self.mean).squareRoot() }
    var loss: Double { Double(self.lost) / Double(self.count) }
    var meanBurst: Double { Double(self.lost) / Double(self.lossBursts) }
}
