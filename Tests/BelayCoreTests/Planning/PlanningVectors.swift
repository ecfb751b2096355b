//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation

@testable import BelayCore

/// The cases of `detector-vectors.json` that belong to the planner, computed with forty digits.
struct PlanningVectors: Decodable, Sendable {
    let chen: Chen
    let plannerTable: Table
    let linuxTcp: LinuxTCP

    static let shared: PlanningVectors = {
        let url = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Fixtures/detector-vectors.json")
        do {
            return try JSONDecoder().decode(PlanningVectors.self, from: Data(contentsOf: url))
        } catch {
            fatalError("\(url.path): \(error)")
        }
    }()

    struct Chen: Decodable, Sendable {
        let momentCases: [MomentCase]
        let exactCases: [ExactCase]
        let dependenceFree: DependenceFree
        let qualityCases: [QualityCase]
        let simpleDetector: SimpleDetector

        enum CodingKeys: String, CodingKey {
            case momentCases = "configurator_moments_thm8"
            case exactCases = "configurator_exact_thm6"
            case dependenceFree = "configurator_dependence_free_derived"
            case qualityCases = "nfds_qos_eta1_pL0.01_exp0.02"
            case simpleDetector = "sfd_closed_form"
        }
    }

    struct Input: Decodable, Sendable {
        let TD_U: Double
        let TMR_L: Double
        let TM_U: Double
        let pL: Double
        let E: Double
        let V: Double

        func configurator(_ distribution: DelayDistribution = .unknown) -> ChenConfigurator {
            let delay = HeartbeatDelay(
                loss: self.pL,
                mean: self.E,
                deviation: self.V.squareRoot(),
                distribution: distribution
            )
            return ChenConfigurator(delay: delay, bound: self.TD_U)
        }
    }

    struct MomentCase: Decodable, Sendable, CustomStringConvertible {
        let name: String
        let input: Input
        let gamma: Double
        let eta_max: Double
        let eta: Double
        let delta: Double
        let alpha: Double
        let f_at_eta: Double
        let bound_ETMR_lower: Double
        let bound_ETM_upper: Double
        let bound_PA_lower: Double
        var description: String { self.name }
    }

    struct ExactCase: Decodable, Sendable, CustomStringConvertible {
        let name: String
        let input: Input
        let q0: Double
        let eta_max: Double
        let eta: Double
        let delta: Double
        let f_at_eta: Double
        let ETMR: Double
        let ETM: Double
        let one_minus_PA: Double
        var description: String { self.name }
    }

    struct DependenceFree: Decodable, Sendable {
        let cases_from_independent_table: [DependenceFreeCase]
        let cases: [DependenceFreeCase]
    }

    struct DependenceFreeCase: Decodable, Sendable {
        struct Result: Decodable, Sendable {
            let eta: Double
            let alpha: Double
        }

        let input: Input
        let result: Result?
        let best_eta: Double?
        let best_certifiable_TMR: Double?
    }

    struct QualityCase: Decodable, Sendable {
        let delta: Double
        let TD_U: Double
        let ps: Double
        let ETMR: Double
        let ETM: Double
        let one_minus_PA: Double
    }

    struct SimpleDetector: Decodable, Sendable {
        struct Case: Decodable, Sendable {
            let c: Double
            let p: Double
            let k: Int
            let ETMR: Double
        }

        let cases: [Case]
    }

    struct Table: Decodable, Sendable {
        let rows: [Row]
    }

    struct Row: Decodable, Sendable, CustomStringConvertible {
        struct Result: Decodable, Sendable {
            let eta: Double
            let alpha: Double
            let heartbeatsPerWindow: Int
            let bytesPerSec_oneWay_74B: Double
        }

        let env: String
        let E: Double
        let sd: Double
        let pL: Double
        let TD_U: Double
        let TMR: String
        let TM_U: Double
        let result: Result
        var description: String { "\(self.env) \(self.TD_U) s, \(self.TMR)" }
    }

    struct LinuxTCP: Decodable, Sendable {
        let tolerated_blackout: Blackouts
        let retransmit_schedule: Schedule
        let tcp_model_timeout_s: [GiveUp]
        let keepalive: Keepalive
    }

    struct Blackouts: Decodable, Sendable {
        let cases: [Blackout]
    }

    struct Blackout: Decodable, Sendable {
        let pto: Double
        let rto: Double
        let rtoMax: Double
        let budget: Double
        let attempts: [Double]
        let L_tol: Double
    }

    struct Schedule: Decodable, Sendable {
        let measured_s: [Double]
    }

    struct GiveUp: Decodable, Sendable {
        let retries: Int
        let rto_min: Double
        let rto_max: Double
        let seconds: Double
    }

    struct Keepalive: Decodable, Sendable {
        struct Case: Decodable, Sendable {
            let idle: Int32
            let intvl: Int32
            let cnt: Int32
            let ut: Double
            let formula: Int
            let measured: Double
        }

        let cases: [Case]
    }
}

/// How far a value is from the expected one, as a part of it.
func relativeError(_ value: Double, _ expected: Double) -> Double {
    value == expected ? 0 : abs(value - expected) / max(abs(expected), .leastNormalMagnitude)
}
