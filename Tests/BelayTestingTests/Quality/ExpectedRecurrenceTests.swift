//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

@Suite("what theory says about the workload of Chen, Toueg and Aguilera")
struct ExpectedRecurrenceTests {
    struct Vectors: Decodable {
        struct Chen: Decodable {
            struct Point: Decodable {
                let TD_U: Double
                let ETMR: Double
            }
            struct Plateaus: Decodable {
                struct Plateau: Decodable {
                    let c: Double
                    let k: Int
                    let ETMR: Double
                }
                let cases: [Plateau]
            }
            let points: [Point]
            let plateaus: Plateaus

            enum CodingKeys: String, CodingKey {
                case points = "nfds_qos_eta1_pL0.01_exp0.02"
                case plateaus = "sfd_closed_form"
            }
        }
        let chen: Chen
    }

    private let heartbeats = IndependentHeartbeats(seed: 0)

    @Test("the mean time between mistakes of NFD-S is the one that was computed")
    func synchronized() throws {
        let points = try DetectorVectors.decode(Vectors.self).chen.points
        #expect(points.count == 8)
        for point in points {
            let recurrence = try #require(heartbeats.expectedRecurrence(detectWithin: .seconds(point.TD_U)))
            #expect(abs(recurrence / .seconds(point.ETMR) - 1) < 1e-9, "\(point.TD_U)")
        }
    }

    @Test("halfway between two intervals a timeout with a cutoff is on the plateau that losses alone make")
    func plateaus() throws {
        let plateaus = try DetectorVectors.decode(Vectors.self).chen.plateaus.cases
        #expect(plateaus.count == 6)
        for plateau in plateaus {
            let recurrence = try #require(
                heartbeats.expectedRecurrence(timeout: .seconds(Double(plateau.k) + 0.5), cutoff: .seconds(plateau.c))
            )
            #expect(abs(recurrence / .seconds(plateau.ETMR) - 1) < 1e-6, "\(plateau)")
        }
    }

    @Test("an expectation over many heartbeats is as good as a shared clock")
    func manyHeartbeats() throws {
        for bound in [1.1, 1.5, 2.04, 3.2] {
            let exact = try #require(heartbeats.expectedRecurrence(detectWithin: .seconds(bound)))
            let estimated = heartbeats.expectedRecurrence(detectWithin: .seconds(bound), window: 100_000)
            #expect(abs(try #require(estimated) / exact - 1) < 1e-4, "\(bound)")
        }
    }

    @Test("without losses there are no mistakes that would be worth a number")
    func never() {
        let lossless = IndependentHeartbeats(loss: 0, seed: 0)
        #expect(lossless.expectedRecurrence(detectWithin: .seconds(3.5)) == nil)
    }
}
