//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import RealModule
import Testing

@testable import BelayCore

@Suite struct PhiTailTests {
    struct Vectors: Decodable {
        struct Phi: Decodable {
            let scalar: [Scalar]
            let threshold_inverse: [Inverse]
            let akka_spec: Akka
        }
        struct Scalar: Decodable {
            let z: Double
            let phi_exact: Double
            let phi_akka_logistic: Double?
        }
        struct Inverse: Decodable {
            let threshold: Double
            let z_exact: Double
            let z_akka: Double
            let exact_phi_at_z_akka: Double
            let cassandra_mean_multiples: Double
        }
        struct Akka: Decodable {
            let cdf: [Distribution]
            let outliers: [Outlier]
            let realistic_mean1000_sd100: [Point]
        }
        struct Distribution: Decodable {
            let t: Double
            let mean: Double
            let sd: Double
            let cdf: Double
            let tol: Double
            let computed_cdf: Double
        }
        struct Outlier: Decodable {
            let t: Double
            let mean: Double
            let sd: Double
            let phi: Double
            let tol: Double
            let exact_normal: Double?
        }
        struct Point: Decodable {
            let t: Double
            let phi: Double
            let tol: Double
            let computed: Double?
            let exact_normal: Double
        }
        let phi: Phi
    }

    @Test("phi is exact far into both tails")
    func scalar() throws {
        for example in try DetectorVectors.decode(Vectors.self).phi.scalar {
            let exact = PhiTail.normal.phi(elapsed: example.z, mean: 0, deviation: 1)
            #expect(abs(exact - example.phi_exact) <= 1e-10 * example.phi_exact + 1e-300, "z \(example.z)")
            let logistic = PhiTail.logistic.phi(elapsed: example.z, mean: 0, deviation: 1)
            guard let akka = example.phi_akka_logistic else {
                // Akka's own is infinite here; ours is the number that it stands for.
                #expect(logistic.isFinite && logistic > 100)
                continue
            }
            // Beyond 300 Akka divides subnormal numbers, which have few digits left.
            #expect(abs(logistic - akka) <= (akka > 300 ? 1e-7 : 1e-9) * max(1, akka), "z \(example.z)")
        }
    }

    @Test("a threshold is reached where the tail says")
    func inverse() throws {
        for example in try DetectorVectors.decode(Vectors.self).phi.threshold_inverse {
            #expect(abs(PhiTail.normal.reach(ofPhi: example.threshold) - example.z_exact) < 1e-9)
            let akka = PhiTail.logistic.reach(ofPhi: example.threshold)
            #expect(abs(akka - example.z_akka) < 1e-9)
            let exact = PhiTail.normal.phi(elapsed: akka, mean: 0, deviation: 1)
            #expect(abs(exact - example.exact_phi_at_z_akka) < 1e-8)
            let multiple = PhiTail.exponential.reach(ofPhi: example.threshold)
            #expect(abs(multiple - example.cassandra_mean_multiples) < 1e-10)
        }
    }

    @Test("Akka's own tests hold for the logistic form")
    func akka() throws {
        let akka = try DetectorVectors.decode(Vectors.self).phi.akka_spec
        for example in akka.cdf {
            let phi = PhiTail.logistic.phi(elapsed: example.t, mean: example.mean, deviation: example.sd)
            let distribution = 1 - Double.exp(-phi * Double.log(10))
            #expect(abs(distribution - example.cdf) <= example.tol)
            #expect(abs(distribution - example.computed_cdf) <= 1e-12)
        }
        for example in akka.outliers {
            let phi = PhiTail.logistic.phi(elapsed: example.t, mean: example.mean, deviation: example.sd)
            #expect(abs(phi - example.phi) <= example.tol)
            guard let exact = example.exact_normal else { continue }
            let normal = PhiTail.normal.phi(elapsed: example.t, mean: example.mean, deviation: example.sd)
            #expect(abs(normal - exact) <= 1e-9 * exact)
        }
        for example in akka.realistic_mean1000_sd100 {
            let phi = PhiTail.logistic.phi(elapsed: example.t, mean: 1_000, deviation: 100)
            #expect(abs(phi - example.phi) <= example.tol + 1e-9)
            let normal = PhiTail.normal.phi(elapsed: example.t, mean: 1_000, deviation: 100)
            #expect(abs(normal - example.exact_normal) <= 1e-9 * max(1, example.exact_normal))
        }
    }

    @Test("phi is a number whatever it is asked", arguments: PhiTail.allCases)
    func total(tail: PhiTail) {
        let values: [Double] = [0, -0.0, 1, -1, 1e-300, 1e18, -1e18, 1e300, .infinity, -.infinity, .nan]
        for elapsed in values {
            for mean in values {
                for deviation in values {
                    let phi = tail.phi(elapsed: elapsed, mean: mean, deviation: deviation)
                    #expect(phi.isFinite && phi >= 0, "\(elapsed) \(mean) \(deviation)")
                }
            }
            #expect(tail.reach(ofPhi: elapsed).isFinite)
        }
    }

    @Test("phi never falls while the silence lasts", arguments: PhiTail.allCases)
    func monotonic(tail: PhiTail) {
        var before = 0.0
        for step in 0..<20_000 {
            let phi = tail.phi(elapsed: Double(step) * 0.005, mean: 40, deviation: 1.3)
            #expect(phi >= before, "at \(step)")
            before = phi
        }
    }
}
