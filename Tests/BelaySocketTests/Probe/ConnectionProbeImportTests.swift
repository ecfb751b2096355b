//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

// Nothing else of Belay is imported: this is how somebody writes who wants the probe alone.
import BelaySocket
import Testing

@Suite struct ConnectionProbeImportTests {
    private func told(_ descriptor: Int32) throws -> String {
        switch try ConnectionProbe.state(of: descriptor) {
        case .open: "fine"
        case .closedByPeer: "the peer has closed"
        case .failed(let errno): "broken: \(errno)"
        case let other: "\(other)"
        }
    }

    @Test("one import and one call tell what became of a connection")
    func alone() throws {
        let sockets = try TestSockets()
        #expect(try self.told(sockets.ours) == "fine")
        try sockets.finishAndWait()
        #expect(try self.told(sockets.ours) == "the peer has closed")
    }

    @Test("a number that is no open descriptor is an error of one clear line, by either way of asking")
    func notOpen() throws {
        let expected = ConnectionProbe.Failure.notOpen(Descriptor(rawValue: -1))
        #expect(throws: expected) { try ConnectionProbe.state(of: -1) }
        #expect(throws: expected) { try ConnectionProbe.state(of: Descriptor(rawValue: -1)) }
        #expect("\(expected)" == "-1 is no open descriptor (EBADF)")
    }
}
