//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the codes of reasons")
struct DisconnectReasonTests {
    /// DESIGN section 4, first and second column.
    private static let initiators: [(code: String, initiator: DisconnectReason.Initiator)] = [
        ("peer.closed", .peer), ("peer.goodbye", .peer), ("peer.reset", .peer), ("peer.frozen", .peer),
        ("peer.not-reading", .peer), ("peer.silent", .peer),
        ("path.lost", .path), ("path.unreachable", .path), ("path.timed-out", .path),
        ("policy.handshake-timeout", .local), ("policy.idle", .local), ("policy.protocol-violation", .local),
        ("policy.message-too-large", .local), ("policy.ping-flood", .local), ("policy.slow-consumer", .local),
        ("policy.unauthorized", .local), ("policy.too-many-connections", .local), ("policy.flapping", .local),
        ("local.closed", .local), ("local.kicked", .local), ("local.replaced", .local), ("local.shutdown", .local),
        ("local.cannot-send", .local), ("local.failed", .local), ("node.lost", .local),
    ]

    @Test("every code of the contract exists with its initiator, and there is no other")
    func codes() throws {
        #expect(Self.initiators.map(\.code) == DisconnectReason.Code.allCases.map(\.rawValue))
        for (text, initiator) in Self.initiators {
            let code = try #require(DisconnectReason.Code(rawValue: text))
            #expect(code.initiator == initiator, "\(text)")
            #expect(DisconnectReason(code, phase: .active).initiator == initiator, "\(text)")
        }
    }

    @Test("phases and initiators are spelled as in events")
    func spelling() {
        #expect(DisconnectReason.Phase.allCases.map(\.rawValue) == ["handshake", "active", "draining"])
        #expect(DisconnectReason.Initiator.allCases.map(\.rawValue) == ["peer", "path", "local"])
    }

    @Test("connecting again is advised against exactly where the next attempt would end the same way")
    func mayReconnect() {
        let never = DisconnectReason.Code.allCases.filter { !$0.mayReconnect }
        #expect(
            never == [
                .protocolViolation, .messageTooLarge, .pingFlood, .unauthorized, .localKicked, .localReplaced,
            ]
        )
    }

    @Test("the advice follows from the code unless it is given")
    func advice() {
        #expect(DisconnectReason(.localKicked, phase: .active).mayReconnect == false)
        #expect(DisconnectReason(.localKicked, phase: .active, mayReconnect: true).mayReconnect)
        #expect(DisconnectReason(.peerClosed, phase: .active, mayReconnect: false).mayReconnect == false)
    }

    @Test("every code can be a code of a goodbye", arguments: DisconnectReason.Code.allCases)
    func goodbyeCodes(code: DisconnectReason.Code) {
        #expect(Goodbye.isCode(code.rawValue))
        #expect(Goodbye(code: code.rawValue).code == code.rawValue)
    }

    @Test("a reason reads as one line: code, errno, meaning", arguments: DisconnectReason.Code.allCases)
    func description(code: DisconnectReason.Code) {
        let plain = DisconnectReason(code, phase: .active)
        #expect(plain.description == "\(code.rawValue): \(code.explanation)")
        let evidence = DisconnectReason.Evidence(errno: .connectionReset, detail: "secret", goodbyeCode: "secret")
        let full = DisconnectReason(code, phase: .active, evidence: evidence)
        #expect(full.description == "\(code.rawValue) (ECONNRESET): \(code.explanation)")
        #expect(code.explanation.isEmpty == false)
    }
}
