//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import RealModule
import Testing

@testable import BelayCore

@Suite("our own health stretches suspicion")
struct LocalHealthTests {
    /// `lifeguard` of `detector-vectors.json`.
    private struct Vectors: Decodable {
        struct Awareness: Decodable {
            struct Step: Decodable {
                let delta: Int
                let score: Int
                let scaledSeconds: Int

                enum CodingKeys: String, CodingKey {
                    case delta, score
                    case scaledSeconds = "scaled_timeout_of_1s"
                }
            }

            let max: Int
            let cases: [Step]
        }

        struct Suspicion: Decodable {
            struct Remaining: Decodable {
                let n, k: Int
                let elapsed, min, max, remaining: Double
            }

            struct Fire: Decodable {
                let confirmations: Int
                let seconds: Double
            }

            let cases: [Remaining]
            let fires: [Fire]

            enum CodingKeys: String, CodingKey {
                case cases
                case fires = "fire_after_k3_min0_5_max2"
            }
        }

        let awareness: Awareness
        let suspicion: Suspicion
    }

    private static func vectors() throws -> Vectors {
        struct File: Decodable { let lifeguard: Vectors }
        return try DetectorVectors.decode(File.self).lifeguard
    }

    @Test("each step of memberlist's awareness gives its score and its timeout")
    func awareness() throws {
        let awareness = try Self.vectors().awareness
        #expect(awareness.cases.count == 14)
        var health = LocalHealth()
        for step in awareness.cases {
            health.apply(delta: step.delta)
            #expect(health.score == step.score)
            #expect(health.scaled(.seconds(1)) == .seconds(step.scaledSeconds))
            #expect(health.multiplier <= awareness.max)
        }
    }

    @Test("a late tick raises the multiplier by one, one on time lowers it by one, from 1 to 8")
    func ticks() {
        var health = LocalHealth()
        health.tick(isLate: false)
        #expect(health.multiplier == 1)
        for multiplier in 2...8 {
            health.tick(isLate: true)
            #expect(health.multiplier == multiplier)
        }
        health.tick(isLate: true)
        #expect(health.multiplier == 8)
        for multiplier in (1...7).reversed() {
            health.tick(isLate: false)
            #expect(health.multiplier == multiplier)
        }
        #expect(health == LocalHealth())
    }

    @Test("no step and no duration overflows")
    func saturates() {
        var health = LocalHealth()
        health.apply(delta: .min)
        #expect(health.score == 0)
        health.apply(delta: .max)
        #expect(health.score == 7)
        health.apply(delta: .max)
        #expect(health.score == 7)
        let longest = Duration(attoseconds: .max)
        #expect(health.scaled(longest) == longest)
        #expect(health.scaled(.seconds(Int64.max)) > .seconds(Int64.max))
        #expect(health.scaled(Duration(attoseconds: .min)) == Duration(attoseconds: .min))
        #expect(health.scaled(.zero) == .zero)
    }

    // MARK: - The suspicion of Lifeguard

    /// Until when a member is suspected that `confirmations` others suspect too: LHA-Suspicion, in seconds.
    ///
    /// Belay has no other members to ask, so nothing of it needs this; it is kept to check the vectors themselves.
    private static func suspicion(confirmations: Int, expected: Int, shortest: Double, longest: Double) -> Double {
        let share = Double.log(Double(confirmations) + 1) / Double.log(Double(expected) + 1)
        let milliseconds = ((longest - (longest - shortest) * share) * 1_000).rounded(.down)
        return max(shortest, milliseconds / 1_000)
    }

    @Test("the vectors of Lifeguard's suspicion follow from its formula")
    func suspicion() throws {
        let suspicion = try Self.vectors().suspicion
        #expect(suspicion.cases.count == 6)
        for one in suspicion.cases {
            let timeout = Self.suspicion(confirmations: one.n, expected: one.k, shortest: one.min, longest: one.max)
            #expect(abs(timeout - one.elapsed - one.remaining) < 1e-9, "\(one)")
        }
        #expect(suspicion.fires.count == 4)
        for one in suspicion.fires {
            let timeout = Self.suspicion(confirmations: one.confirmations, expected: 3, shortest: 0.5, longest: 2)
            // memberlist gives these to hundredths of a second.
            #expect(abs(timeout - one.seconds) < 0.005, "\(one)")
        }
    }
}
