//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import NIOCore
import Testing

@testable import BelayNIO

@Suite(.timeLimit(.minutes(1))) struct AdmissionTests {
    private let address = SocketAddress.testing
    private let other = try! SocketAddress(ipAddress: "192.0.2.8", port: 51_234)

    private func code(_ cause: DisconnectCause?) -> DisconnectReason.Code? { cause?.reason(in: .handshake).code }

    @Test("connections up to the limit are admitted, those beyond it are refused and counted")
    func limit() {
        let admission = Admission(limit: 2, limitPerAddress: nil)
        #expect(admission.opened(self.address) == nil)
        #expect(admission.opened(self.other) == nil)
        #expect(self.code(admission.opened(self.address)) == .tooManyConnections)
        #expect(admission.count == 3)
        admission.released(self.address)
        #expect(self.code(admission.opened(self.address)) == .tooManyConnections)
        admission.released(self.address)
        admission.released(self.address)
        #expect(admission.opened(self.address) == nil)
    }

    @Test("the limit per address holds for each address, whatever the port")
    func limitPerAddress() throws {
        let admission = Admission(limit: 100, limitPerAddress: 1)
        #expect(admission.opened(self.address) == nil)
        let samePeer = try SocketAddress(ipAddress: "192.0.2.7", port: 1)
        let refusal = admission.opened(samePeer)
        #expect(self.code(refusal) == .tooManyConnections)
        #expect(refusal?.reason(in: .handshake).evidence.detail == "the limit of 1 connections per address is reached")
        #expect(admission.opened(self.other) == nil)
        admission.released(samePeer)
        admission.released(self.address)
        #expect(admission.opened(self.address) == nil)
    }

    @Test("a connection without an address is counted in all")
    func noAddress() {
        let admission = Admission(limit: 1, limitPerAddress: 1)
        #expect(admission.opened(nil) == nil)
        #expect(self.code(admission.opened(nil)) == .tooManyConnections)
        admission.released(nil)
        admission.released(nil)
        #expect(admission.count == 0)
    }

    @Test("waiting for the last connection ends with it, at once where there is none")
    func waitUntilEmpty() async {
        let admission = Admission(limit: 10, limitPerAddress: nil)
        await admission.waitUntilEmpty()
        _ = admission.opened(self.address)
        _ = admission.opened(self.address)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await admission.waitUntilEmpty() }
            group.addTask { await admission.waitUntilEmpty(inAnyCase: true) }
            admission.released(self.address)
            admission.released(self.address)
        }
        #expect(admission.count == 0)
    }

    @Test("waiting for the last connection ends when the task is cancelled")
    func cancelledWait() async {
        let admission = Admission(limit: 10, limitPerAddress: nil)
        _ = admission.opened(self.address)
        let waiting = Task { await admission.waitUntilEmpty() }
        waiting.cancel()
        await waiting.value
        #expect(admission.count == 1)
    }
}
