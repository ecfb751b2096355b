//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Foundation

/// What was played so far, in a line every ten seconds.
struct Progress {
    private(set) var failures = 0
    private(set) var scenarios = 0
    private var deliveries = 0
    private var simulated = Duration.zero
    private var ends: [String: Int] = [:]
    private let began = ContinuousClock.now
    private var shownAt = ContinuousClock.now

    mutating func add(_ scenario: Scenario, _ outcome: Scenario.Outcome) {
        self.scenarios += 1
        self.deliveries += outcome.deliveries
        self.simulated += scenario.length
        if !outcome.complaints.isEmpty { self.failures += 1 }
        for case .some(let close) in outcome.timeline.entries.map(\.close) {
            self.ends[close.reason.code.rawValue, default: 0] += 1
        }
        guard ContinuousClock.now - self.shownAt >= .seconds(10) else { return }
        self.shownAt = ContinuousClock.now
        self.show()
    }

    func finish() {
        self.show()
        for (code, count) in self.ends.sorted(by: { $0.value > $1.value }) { print("  \(code): \(count)") }
    }

    private func show() {
        let hours = Int(self.simulated / .seconds(3_600))
        let seconds = Int((ContinuousClock.now - self.began) / .seconds(1))
        print(
            "\(seconds) s: \(self.scenarios) scenarios, \(hours) simulated hours, \(self.deliveries) deliveries, "
                + "\(self.failures) broken promises"
        )
    }
}
