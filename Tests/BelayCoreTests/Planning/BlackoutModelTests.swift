//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Testing

@testable import BelayCore

@Suite("the blackout that is survived")
struct BlackoutModelTests {
    @Test("retransmissions and the tolerated blackout are those of the vectors")
    func vectors() {
        let cases = PlanningVectors.shared.linuxTcp.tolerated_blackout.cases
        #expect(cases.count == 10)
        for vector in cases {
            let model = BlackoutModel(
                probeTimeout: vector.pto,
                retransmissionTimeout: vector.rto,
                longestTimeout: vector.rtoMax
            )
            let last = model.lastRetransmission(within: vector.budget)
            #expect(relativeError(last.time, vector.L_tol) < 1e-9, "\(vector)")
            #expect(last.count == vector.attempts.count - 1, "\(vector)")
            for (count, time) in vector.attempts.enumerated() {
                #expect(abs(model.retransmission(count) - time) < 1e-9, "\(vector)")
            }
        }
    }

    @Test("a kernel retransmits within 2 % after the model")
    func measured() {
        let model = BlackoutModel(probeTimeout: 0.205, retransmissionTimeout: 0.204, longestTimeout: 120)
        for (index, time) in PlanningVectors.shared.linuxTcp.retransmit_schedule.measured_s.enumerated() {
            let expected = model.retransmission(index + 1)
            #expect(time >= expected && time <= expected * 1.02)
        }
    }

    @Test("the pauses add up to the time after which the kernel gives up")
    func givingUp() {
        for vector in PlanningVectors.shared.linuxTcp.tcp_model_timeout_s {
            let model = BlackoutModel(
                probeTimeout: 0,
                retransmissionTimeout: vector.rto_min,
                longestTimeout: vector.rto_max
            )
            #expect(relativeError(model.retransmission(vector.retries + 2), vector.seconds) < 1e-9, "\(vector)")
        }
    }

    @Test("the timeouts follow from the round trip as in RFC 6298, with Linux's 200 ms")
    func timeouts() {
        let near = BlackoutModel(roundTrip: 0.004, deviation: 0.001, longestTimeout: 120)
        #expect(abs(near.retransmissionTimeout - 0.204) < 1e-12 && abs(near.probeTimeout - 0.204) < 1e-12)
        let far = BlackoutModel(roundTrip: 0.1, deviation: 0.1, longestTimeout: 120)
        #expect(abs(far.retransmissionTimeout - 0.5) < 1e-12 && abs(far.probeTimeout - 0.4) < 1e-12)
        let slow = BlackoutModel(roundTrip: 3, deviation: 3, longestTimeout: 1)
        #expect(slow.retransmissionTimeout == 1 && slow.probeTimeout == 1)
    }

    @Test("nothing is survived before the first retransmission, and a day of pauses is counted at once")
    func ends() {
        let model = BlackoutModel(probeTimeout: 0.2, retransmissionTimeout: 0.2, longestTimeout: 1)
        #expect(model.lastRetransmission(within: 0.19) == (0, 0))
        #expect(model.lastRetransmission(within: -1) == (0, 0))
        let day = model.lastRetransmission(within: 86_400)
        #expect(day.time > 86_399 && day.time <= 86_400)
        #expect(abs(model.retransmission(day.count) - day.time) < 1e-6)
    }

    @Test("the kernel's keepalive ends an idle connection when the vectors say, and soon after when measured")
    func idleVerdict() throws {
        let timings = try LivenessPolicy(detectWithin: .seconds(30)).timings()
        for vector in PlanningVectors.shared.linuxTcp.keepalive.cases {
            var kernel = KernelTimeouts(timings)
            kernel.keepaliveIdleSeconds = vector.idle
            kernel.keepaliveIntervalSeconds = vector.intvl
            kernel.keepaliveCount = vector.cnt
            kernel.userTimeoutMilliseconds = Int32(vector.ut * 1_000)
            #expect(kernel.idleVerdict == .seconds(vector.formula))
            #expect((0...0.13).contains(vector.measured - Double(vector.formula)))
            kernel.keepaliveIdleSeconds = nil
            #expect(kernel.idleVerdict == nil)
        }
    }
}
