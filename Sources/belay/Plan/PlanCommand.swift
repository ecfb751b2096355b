//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore

/// `belay plan`: the heartbeats that meet a bound, what they cost, and what is impossible.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Work out the heartbeats that detect within a bound and are seldom wrong.",
        discussion: """
            Nothing is measured and nothing is sent: say what the network is like. Ends with 0 when the requirements \
            can be met; with 1 when they cannot, and says what would help.
            """
    )

    @OptionGroup var options: PlanOptions

    @Flag(help: "One JSON object.")
    var json = false

    func run() throws {
        let plan: HeartbeatPlan
        do throws(ConfigurationError) {
            plan = try HeartbeatPlanner.plan(self.options.requirements)
        } catch {
            throw CommandFailure(message: error.forFlags, exitCode: .usage)
        }
        PlanReport(plan: plan).show(asJSON: self.json)
        guard plan.isFeasible else { throw ExitCode.badAnswer }
    }
}
