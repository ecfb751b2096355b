//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelaySocket
import Testing

@testable import belay

@Suite("what belay probe looks at")
struct ProbeTargetTests {
    @Test("the three forms are told apart")
    func forms() throws {
        #expect(try ProbeTarget(text: "tcp://db.example:5432") == .service(host: "db.example", port: 5_432))
        #expect(try ProbeTarget(text: "tcp://[::1]:80") == .service(host: "::1", port: 80))
        #expect(try ProbeTarget(text: "pid:4711/fd:12") == .descriptor(pid: 4_711, descriptor: 12))
        let local = try TransportAddress(text: "192.0.2.1:7400")
        let remote = try TransportAddress(text: "[2001:db8::1]:1")
        #expect(try ProbeTarget(text: "192.0.2.1:7400,[2001:db8::1]:1") == .pair(local, remote))
    }

    @Test(
        "anything else is refused in one line that says what is wrong",
        arguments: [
            "", "x", ",", "a,b", "1.2.3.4:1,", "tcp://", "tcp://x", "tcp://:80", "tcp://x:0", "tcp://x:65536",
            "tcp://x:-1",
            "tcp://::1:80", "tcp://a b:80", "tcp://x:80/path", "udp://x:80", "pid:0/fd:1", "pid:1/fd:", "pid:x/fd:1",
            "pid:99999999999/fd:1", "pid:1/fd:99999999999", "pid:1/fd:1/", "1.2.3.4:1,5.6.7.8:2,9.9.9.9:3", "a\nb,c",
            "1.2.3.4,5.6.7.8:1", "2001:db8::1:80,1.2.3.4:1",
        ]
    )
    func refused(text: String) {
        let error = #expect(throws: ProbeTarget.ParseError.self) { try ProbeTarget(text: text) }
        #expect(error?.description.isEmpty == false)
    }
}
