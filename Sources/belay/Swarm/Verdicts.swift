//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// How a server judged a swarm.
struct Verdicts: Equatable {
    /// Those on one kind of fault.
    struct Verdict: Equatable {
        /// With a reason that fits.
        var right = 0
        /// Not reported at all.
        var missed = 0
        /// Reported with a reason that does not fit.
        var wrong = 0
        /// The swarm was over before the bound was.
        var undecided = 0
        /// The reasons that were given.
        var reasons: [String: Int] = [:]
        /// From the fault to the verdict, in milliseconds.
        var latencies: [Double] = []
        /// Of silences, from the end of the bound to the verdict, in milliseconds; negative when it came before.
        var latenesses: [Double] = []
    }

    private(set) var faults: [SwarmFault.Kind: Verdict] = [:]
    /// On the connections that the swarm closed in order at its end.
    var endings = Verdict()
    /// Connections that were declared over while nothing was wrong with them, by the reason given.
    var `false`: [String: Int] = [:]
    /// Connections that were declared over more than once.
    var repeated = 0
    /// How many of the swarm's connections the events speak of.
    var known = 0
    /// A few of those that are wrong, in words.
    private(set) var examples: [String] = []

    mutating func of(_ kind: SwarmFault.Kind, _ change: (inout Verdict) -> Void) {
        change(&self.faults[kind, default: Verdict()])
    }

    mutating func note(_ example: String, _ most: Int) {
        if self.examples.count < most { self.examples.append(example) }
    }

    var right: Int { self.sum(\.right) }
    var missed: Int { self.sum(\.missed) }
    var wrong: Int { self.sum(\.wrong) }
    var undecided: Int { self.sum(\.undecided) }
    var falseCount: Int { self.false.values.reduce(0, +) }

    /// Whether nothing speaks against the server.
    var isGood: Bool { self.missed == 0 && self.wrong == 0 && self.falseCount == 0 && self.repeated == 0 }

    private func sum(_ count: KeyPath<Verdict, Int>) -> Int {
        self.faults.values.reduce(self.endings[keyPath: count]) { $0 + $1[keyPath: count] }
    }
}
