//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

@Suite struct ReferenceDetectorTests {
    struct Vectors: Decodable {
        struct Bertier: Decodable {
            struct Step: Decodable {
                let seq: Int
                let t: Double
                let tau_next: Double
            }
            let eta: Double
            let n: Int
            let steps: [Step]
        }
        let bertier: Bertier
    }

    @Test("Bertier's detector suspects when it was computed to")
    func bertier() throws {
        let trace = try DetectorVectors.decode(Vectors.self).bertier
        #expect(trace.steps.count == 9)
        var detector = BertierDetector(interval: .seconds(trace.eta), window: trace.n)
        #expect(detector.suspicionAt == .distantFuture)
        for step in trace.steps {
            detector.arrived(sentAt: .at(Double(step.seq) * trace.eta), at: .at(step.t))
            let error = Instant.at(step.tau_next).duration(to: detector.suspicionAt)
            #expect((.nanoseconds(-5) ... .nanoseconds(5)).contains(error), "heartbeat \(step.seq): \(error)")
        }
        let before = detector.suspicionAt
        detector.arrived(sentAt: .at(7), at: .at(13.2))
        #expect(detector.suspicionAt == before)
    }

    @Test("with a shared clock a heartbeat is fresh from when it was sent, however late it comes")
    func synchronized() {
        var detector = NFDS(interval: .seconds(1), shift: .seconds(0.5))
        #expect(detector.suspicionAt == .distantFuture)
        detector.arrived(sentAt: .at(3), at: .at(3.25))
        #expect(detector.suspicionAt == .at(4.5))
        detector.arrived(sentAt: .at(2), at: .at(4))
        #expect(detector.suspicionAt == .at(4.5))
        detector.heard(at: .at(4.25))
        #expect(detector.suspicionAt == .at(5.75))
    }

    @Test("a timeout with a cutoff starts with each heartbeat that did not take too long")
    func cutoff() {
        var detector = CutoffTimeout(timeout: .seconds(2), cutoff: .seconds(0.25))
        #expect(detector.suspicionAt == .distantFuture)
        detector.arrived(sentAt: .at(1), at: .at(1.25))
        #expect(detector.suspicionAt == .at(3.25))
        detector.arrived(sentAt: .at(2), at: .at(2.3))
        #expect(detector.suspicionAt == .at(3.25))
        detector.arrived(sentAt: .at(3), at: .at(3.1))
        #expect(detector.suspicionAt == .at(5.1))
        detector.heard(at: .at(4))
        #expect(detector.suspicionAt == .at(6))
    }
}
