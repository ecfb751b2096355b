//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import BelayNIO

/// `belay plan`: the heartbeats that meet a bound, what they cost, and what is impossible.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Work out the heartbeats that detect within a bound and are seldom wrong.",
        discussion: """
            Say what the network is like, or let it be measured with real heartbeats. Ends with 0 when the requirements \
            can be met; with 1 when they cannot, and says what would help.
            """
    )

    @OptionGroup var options: PlanOptions

    @Option(help: "Measure the round trip to this server first: lines://, frames:// or raw://HOST:PORT.")
    var measure: String?

    @Option(name: .customLong("for"), help: "How long to measure, 1s to 1h. Default: 30s.", transform: Duration.flag)
    var measureFor: Duration?

    @Flag(help: "One JSON object.")
    var json = false

    private static let allowedMeasurements: ClosedRange<Duration> = .seconds(1) ... .seconds(3_600)

    func validate() throws {
        if self.measure == nil, self.measureFor != nil { throw ValidationError("--for needs --measure") }
        if let measureFor, !Self.allowedMeasurements.contains(measureFor) {
            throw ValidationError("--for is \(measureFor.text), allowed are 1s to 1h")
        }
        if self.measure != nil, self.options.describesDelay {
            throw ValidationError("--measure finds --delay, --jitter and --distribution out: leave them out")
        }
    }

    func run() async throws {
        var requirements = self.options.requirements
        var measured: MeasuredPath?
        // What is wrong with the flags is told before anything is measured.
        var plan = try Self.plan(requirements)
        if let measure {
            let endpoint = try Endpoint(flag: "--measure", url: measure)
            guard endpoint.port != 0 else {
                throw CommandFailure(message: "--measure has port 0, allowed are 1 to 65535", exitCode: .usage)
            }
            let path = try await PathMeasurement(endpoint: endpoint, duration: self.measureFor ?? .seconds(30)).run()
            requirements.delay = path.roundTrips.mean
            requirements.deviation = path.roundTrips.deviation
            measured = path
            plan = try self.options.detectWithin == nil ? Self.shortestPlan(requirements) : Self.plan(requirements)
        }
        PlanReport(plan: plan, measured: measured).show(asJSON: self.json)
        guard plan.isFeasible else { throw ExitCode.badAnswer }
    }

    /// The plan with the shortest bound that is possible, from 1 s on: below, the scheduler decides more than the network.
    ///
    /// What was measured was TCP, whose delays come together.
    private static func shortestPlan(_ requirements: QoSRequirements) throws -> QoSPlan {
        var requirements = requirements
        requirements.toleratesDependence = true
        requirements.detectWithin = .seconds(1)
        let plan = try Self.plan(requirements)
        for case .detectWithin(let bound) in plan.remedies {
            requirements.detectWithin = bound
            return try Self.plan(requirements)
        }
        return plan
    }

    private static func plan(_ requirements: QoSRequirements) throws -> QoSPlan {
        do throws(ConfigurationError) {
            return try QoSPlanner.plan(requirements)
        } catch {
            throw CommandFailure(message: error.forFlags, exitCode: .usage)
        }
    }
}
