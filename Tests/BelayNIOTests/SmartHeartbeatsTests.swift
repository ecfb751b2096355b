//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import NIOCore
import NIOEmbedded
import Testing

@testable import BelayNIO

/// A client that learns how rarely a heartbeat is enough, in virtual time.
@Suite struct SmartHeartbeatsTests {
    private let learned = Recorder<SmartInterval>()
    private let heartbeats: SmartHeartbeats
    private let fixture: ConnectionFixture

    init() throws {
        var configuration = SmartInterval.Configuration()
        configuration.probes = true
        let learned = self.learned
        self.heartbeats = SmartHeartbeats(network: "home", learned: try SmartInterval(configuration)) {
            learned.record($0)
        }
        self.fixture = try Self.connection(self.heartbeats)
    }

    private static func connection(_ heartbeats: SmartHeartbeats) throws -> ConnectionFixture {
        var policy = LivenessPolicy(interval: .seconds(200), replyWithin: .seconds(20))
        policy.pingsAtWholeIntervals = true
        let fixture = try ConnectionFixture(
            .lines,
            role: .client(hello: Hello(identity: "d-1")),
            policy: policy,
            smartHeartbeats: heartbeats
        )
        fixture.activate()
        return fixture
    }

    /// Plays a server that grants what is asked for and answers, for so long.
    private func serve(_ fixture: ConnectionFixture, for duration: Duration) -> [String] {
        var heard: [String] = []
        for _ in 0..<Int(duration / .seconds(1)) {
            for line in fixture.takeSent().split(separator: "\n") {
                let words = line.split(separator: " ")
                if words[0] == "hello" {
                    heard.append(String(line))
                    fixture.receive("welcome c-1 epoch=1 \(words[2]) \(words[3])\n")
                } else if words[0] == "ping" {
                    heard.append("ping")
                    fixture.receive("pong \(words[1])\n")
                }
            }
            fixture.advanceTime(by: .seconds(1))
        }
        return heard
    }

    @Test("longer intervals are tried one after the other, and each is asked for before it is used")
    func learning() throws {
        let heard = self.serve(self.fixture, for: .seconds(600))
        #expect(heard.first == "hello d-1 every=200s within=420s" || heard.first == "hello d-1 every=3m20s within=7m")
        // Three answers at 200 s, then the hello that asks for 210 s.
        #expect(heard.filter { $0 == "ping" }.count == 2)
        let next = self.serve(self.fixture, for: .seconds(205))
        #expect(next.first == "ping")
        #expect(next.last == "hello d-1 every=3m30s within=7m20s")
        #expect(self.fixture.handler.machine.timings.interval == .seconds(210))
        #expect(self.fixture.handler.machine.timings.bound == .seconds(230))
        _ = self.serve(self.fixture, for: .seconds(5 * 212))
        #expect(self.heartbeats.learned.inForce(on: "home") == .seconds(270))
        #expect(self.learned.elements.last == self.heartbeats.learned)
    }

    @Test("a longer interval that the server has not confirmed is not used")
    func unconfirmed() throws {
        _ = self.serve(self.fixture, for: .seconds(2 * 202))
        self.fixture.advanceTime(by: .seconds(202))
        let ping = self.fixture.takeSent()
        try #require(ping.hasPrefix("ping"))
        self.fixture.receive("pong \(ping.dropFirst(5))")
        #expect(self.heartbeats.inForce == .seconds(210))
        // The hello is out, and stays unanswered.
        #expect(self.fixture.takeSent().hasPrefix("hello d-1 every=3m30s"))
        #expect(self.fixture.handler.machine.timings.interval == .seconds(200))
        self.fixture.advanceTime(by: .seconds(205))
        #expect(self.fixture.takeSent().hasPrefix("ping"))
    }

    @Test("what the server grants is the most that is used, and nothing is learned from less")
    func granted() throws {
        #expect(self.fixture.takeSent().hasPrefix("hello"))
        self.fixture.receive("welcome c-1 epoch=1 every=60s within=2m\n")
        for _ in 0..<10 {
            self.fixture.advanceTime(by: .seconds(60.1))
            let sent = self.fixture.takeSent()
            try #require(sent.hasPrefix("ping"))
            self.fixture.receive("pong \(sent.dropFirst(5))")
        }
        #expect(self.heartbeats.inForce == .seconds(200))
        #expect(self.heartbeats.learned.learned(on: "home") == nil)
    }

    @Test("two connections that are lost at an interval show that it is too long")
    func tooLong() throws {
        _ = self.serve(self.fixture, for: .seconds(3 * 201 + 5 * 212))
        try #require(self.heartbeats.inForce == .seconds(270))
        // The path forgets: nothing comes back any more.
        self.fixture.advanceTime(by: .seconds(300))
        self.fixture.expectClosed(.peerSilent)
        let next = try Self.connection(self.heartbeats)
        // Three answers show that the network is up; then the same interval once more.
        _ = self.serve(next, for: .seconds(3 * 201 + 2))
        try #require(self.heartbeats.inForce == .seconds(270))
        next.advanceTime(by: .seconds(300))
        next.expectClosed(.peerSilent)
        #expect(self.heartbeats.learned.learned(on: "home") == .seconds(210))
    }

    @Test("the kernel's keepalive, which would keep the path open, is off")
    func keepalive() {
        #expect(self.fixture.handler.kernelTimeouts?.keepaliveIdleSeconds == nil)
    }

    @Test("what is missing for it is reported")
    func validation() throws {
        var configuration = BelayClient.Configuration(
            endpoint: .raw(host: "192.0.2.1", port: 7_400),
            liveness: LivenessPolicy(detectWithin: .seconds(30))
        )
        configuration.liveness.heartbeats = .answer
        configuration.smartHeartbeats = self.heartbeats
        let error = #expect(throws: ConfigurationError.self) { try configuration.validate() }
        #expect(error?.problems.map(\.key) == ["smartHeartbeats", "smartHeartbeats", "smartHeartbeats"])
        configuration = BelayClient.Configuration(
            endpoint: .lines(host: "192.0.2.1", port: 7_400),
            liveness: LivenessPolicy(interval: .seconds(200), replyWithin: .seconds(20)),
            identity: "d-1"
        )
        configuration.smartHeartbeats = self.heartbeats
        #expect(throws: Never.self) { try configuration.validate() }
    }
}
