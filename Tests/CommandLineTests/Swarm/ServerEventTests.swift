//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import belay

@Suite struct ServerEventTests {
    private static func event(reason: String) -> ServerEvent? {
        let line = """
            {"type":"dev.belay.connection.closed","time":"2026-01-01T00:00:01.000Z","data":{"connection":"c-1",\
            "remote":"127.0.0.1:5","openedAt":"2026-01-01T00:00:00.000Z","reason":"\(reason)","boundMs":3000}}
            """
        return ServerEvent(line: Array(line.utf8).span.bytes)
    }

    @Test("an end is read with its reason, times and bound")
    func closed() throws {
        let event = try #require(Self.event(reason: "peer.not-reading"))
        #expect(event.kind == .closed(reason: "peer.not-reading"))
        #expect(event.time - event.openedAt == 1_000)
        #expect(event.boundMilliseconds == 3_000)
    }

    @Test("a reason that is no code is not understood", arguments: ["\\u001b[2J", "a\\nb", "", "Peer", "peer silent"])
    func hostileReason(reason: String) {
        #expect(Self.event(reason: reason) == nil)
    }
}
