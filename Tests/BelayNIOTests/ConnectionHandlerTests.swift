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

/// What a connection of Belay's own protocols does with what it receives.
@Suite struct ConnectionHandlerTests {
    // MARK: - Greeting

    @Test("a hello is answered with the welcome that names connection, epoch, interval and bound")
    func welcome() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.receive("hello device-42\n")
        #expect(fixture.takeSent() == "welcome \(fixture.handler.id) epoch=1 every=1s within=3s\n")
        #expect(fixture.handler.peer == "device-42")
        #expect(fixture.handler.epoch == 1)
        #expect(fixture.connection.summary.peer == "device-42")
    }

    @Test("what a hello asks for is in force, within the policy's range")
    func negotiation() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.receive("hello device-42 every=200ms within=600ms\n")
        #expect(fixture.takeSent().hasSuffix(" every=200ms within=600ms\n"))
        fixture.advanceTime(by: .milliseconds(600))
        fixture.expectClosed(.peerSilent)
        #expect(fixture.events.elements.last?.closed?.summary.bound == .milliseconds(600))
    }

    @Test("a hello cannot switch detection off")
    func clamping() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.receive("hello device-42 every=1h within=24h\n")
        #expect(fixture.takeSent().hasSuffix(" every=1.5s within=3s\n"))
        fixture.advanceTime(by: .seconds(3))
        fixture.expectClosed(.peerSilent)
    }

    @Test("a welcome puts its bound in force at once at a client that does not ping")
    func welcomed() throws {
        let hello = Hello(identity: "device-42", every: .seconds(1), within: .seconds(3))
        var policy = LivenessPolicy(detectWithin: .seconds(60))
        policy.heartbeats = .answer
        let fixture = try ConnectionFixture(.lines, role: .client(hello: hello), policy: policy)
        fixture.activate()
        #expect(fixture.takeSent() == "hello device-42 every=1s within=3s\n")
        fixture.receive("a message\n")
        fixture.receive("welcome c-1 epoch=3 every=1s within=3s\n")
        #expect(fixture.handler.epoch == 3)
        fixture.advanceTime(by: .seconds(3))
        fixture.expectClosed(.peerSilent)
    }

    @Test("a client that pings keeps its own bound, whatever the welcome says")
    func keepsItsBound() throws {
        let hello = Hello(identity: "device-42")
        let fixture = try ConnectionFixture(.lines, role: .client(hello: hello))
        fixture.activate()
        fixture.receive("welcome c-1 epoch=1 every=10s within=30s\n")
        fixture.advanceTime(by: .seconds(3))
        fixture.expectClosed(.peerSilent)
    }

    @Test("a second hello, a hello to a client and a welcome to a server break the protocol")
    func greetingOutOfOrder() throws {
        let twice = try ConnectionFixture(.lines)
        twice.activate()
        twice.receive("hello a\nhello a\n")
        twice.expectEnded(.protocolViolation)

        let other = try ConnectionFixture(.lines)
        other.activate()
        other.receive("hello a\nhello b every=1s\n")
        other.expectEnded(.protocolViolation)

        let client = try ConnectionFixture(.lines, role: .client(hello: nil))
        client.activate()
        client.receive("hello a\n")
        client.expectEnded(.protocolViolation)

        let server = try ConnectionFixture(.lines)
        server.activate()
        server.receive("welcome c-1 epoch=1 every=1s within=3s\n")
        server.expectEnded(.protocolViolation)
    }

    @Test("a second hello of the same peer agrees on other times, within the same epoch")
    func secondHello() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.receive("hello a every=1s within=3s\n")
        let first = fixture.takeSent()
        try #require(first.hasPrefix("welcome ") && first.hasSuffix("epoch=1 every=1s within=3s\n"))
        fixture.receive("hello a every=500ms within=2s\n")
        #expect(fixture.takeSent() == first.replacing("every=1s within=3s", with: "every=500ms within=2s"))
        #expect(fixture.connection.epoch == 1)
        fixture.advanceTime(by: .milliseconds(2_000))
        fixture.expectClosed(.peerSilent)
    }

    @Test("a message before the hello that is required breaks the protocol")
    func messageBeforeHello() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.requiresHello = true
        let fixture = try ConnectionFixture(.lines, policy: policy)
        fixture.activate()
        fixture.receive("ping 1\n")
        fixture.receive("a message\n")
        fixture.expectEnded(.protocolViolation)
        #expect(fixture.delegate.messages == [])
        #expect(fixture.takeSent() == "pong 1\nbye policy.protocol-violation\n")
    }

    @Test("the epoch of a peer grows with each of its connections")
    func epochs() throws {
        let first = try ConnectionFixture(.lines)
        let second = try ConnectionFixture(.lines, node: first.handler.environment.node)
        for fixture in [first, second] {
            fixture.activate()
            fixture.receive("hello device-42\n")
        }
        #expect(first.handler.epoch == 1)
        #expect(second.handler.epoch == 2)
    }

    @Test("hello and welcome in frames")
    func framesGreeting() throws {
        let fixture = try ConnectionFixture(.frames)
        fixture.activate()
        fixture.receive(bytes: Self.frame(3, Array(#"{"id":"device-42"}"#.utf8)))
        let welcome = fixture.takeSentBytes()
        #expect(welcome.dropFirst(4).first == 4)
        #expect(String(decoding: welcome.dropFirst(5), as: UTF8.self).contains(#""within":"3s""#))
    }

    // MARK: - Heartbeats

    @Test("of several pings with tokens in one batch the latest is answered")
    func coalescedPongs() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.receive("ping a\nping b\nping c\n")
        #expect(fixture.takeSent() == "pong c\n")
    }

    @Test("of several pings in frames the latest is answered")
    func coalescedFramePongs() throws {
        let fixture = try ConnectionFixture(.frames)
        fixture.activate()
        let tokens: [[UInt8]] = [[1, 1, 1, 1, 1, 1, 1, 1], [2, 2, 2, 2, 2, 2, 2, 2]]
        fixture.receive(bytes: tokens.flatMap { Self.frame(1, $0) })
        #expect(fixture.takeSentBytes() == Self.frame(2, tokens[1]))
    }

    @Test("each ping on raw is answered by one pong, however the tokens are split and joined")
    func rawPongs() throws {
        let fixture = try ConnectionFixture(.raw)
        fixture.activate()
        for part in ["pi", "ngpo", "ngpingpin", "g"] { fixture.receive(part) }
        #expect(fixture.takeSent() == "pongpongpong")
        #expect(fixture.delegate.messages == [])
    }

    @Test("raw bytes that are no heartbeats are a message, and none of them is lost")
    func rawMessages() throws {
        let fixture = try ConnectionFixture(.raw)
        fixture.activate()
        fixture.receive("pi")
        fixture.receive("zza")
        #expect(fixture.delegate.messages == ["pizza"])
    }

    @Test("the beginning of a token that never becomes one is delivered when the stream ends")
    func rawRemainder() throws {
        let fixture = try ConnectionFixture(.raw)
        fixture.activate()
        fixture.receive("pi")
        #expect(fixture.delegate.messages == [])
        fixture.receiveEndOfStream()
        #expect(fixture.calls == [.opened, .received("pi"), .closed(.peerClosed)])
    }

    @Test("a pong with our token gives a round trip time")
    func roundTrip() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.advanceTime(by: .seconds(1))
        let ping = fixture.takeSent()
        try #require(ping.hasPrefix("ping "))
        let before = fixture.connection.summary.figures
        #expect(before.pingsSent == 1 && before.pongsReceived == 0 && before.roundTrip == nil)
        fixture.advanceTime(by: .milliseconds(30))
        fixture.receive("pong " + ping.dropFirst(5))
        let figures = fixture.connection.summary.figures
        #expect(figures.pongsReceived == 1)
        #expect(try #require(figures.roundTrip) >= .milliseconds(30))
        #expect(fixture.handler.environment.node.roundTrips.summary?.count == 1)
        #expect(figures.bytesOut == UInt64(ping.utf8.count) && figures.bytesIn == UInt64(ping.utf8.count))
    }

    @Test("heartbeats do not reach the program, messages do")
    func messages() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.receive("one\nping\n\\ping\npong\ntwo\r\n\n")
        #expect(fixture.delegate.messages == ["one", "ping", "two", ""])
    }

    @Test("a message that comes byte by byte is one message")
    func splitMessage() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        for byte in "a message\nping 1\n".utf8 { fixture.receive(bytes: [byte]) }
        #expect(fixture.delegate.messages == ["a message"])
        #expect(fixture.takeSent() == "pong 1\n")
    }

    @Test("a frame that comes byte by byte is one message")
    func splitFrame() throws {
        let fixture = try ConnectionFixture(.frames)
        fixture.activate()
        for byte in Self.frame(0, Array("hello".utf8)) { fixture.receive(bytes: [byte]) }
        #expect(fixture.delegate.messages == ["hello"])
    }

    @Test("messages that were kept stay what they were while more is received")
    func keptMessages() throws {
        let kept = Recorder<ByteBuffer>()
        let delegate = RecordingDelegate(onReceived: { message, _ in kept.record(message) })
        let fixture = try ConnectionFixture(.lines, delegate: delegate)
        fixture.activate()
        for number in 0..<100 {
            fixture.receive("message \(number)\nbegin")
            fixture.receive("ning of \(number)\n")
        }
        let expected = (0..<100).flatMap { ["message \($0)", "beginning of \($0)"] }
        #expect(kept.elements.map { String(buffer: $0) } == expected)
    }

    // MARK: - Sending

    @Test("a message that looks like a control line is escaped")
    func sending() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        try fixture.connection.send(ByteBuffer(string: "ping"))
        #expect(fixture.takeSent() == "\\ping\n")
    }

    @Test("a message that the protocol cannot carry is refused and the connection goes on")
    func notRepresentable() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        #expect(throws: SendError.self) { try fixture.connection.send(ByteBuffer(string: "two\nlines")) }
        #expect(throws: SendError.self) {
            try fixture.connection.send(ByteBuffer(repeating: UInt8(ascii: "a"), count: 70_000))
        }
        #expect(fixture.channel.isActive)
        #expect(fixture.takeSent() == "")
    }

    @Test("nothing can be sent after the end, and the error says why")
    func sendingAfterTheEnd() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.connection.close()
        #expect(throws: SendError.closed(fixture.handler.reason)) {
            try fixture.connection.send(ByteBuffer(string: "news"))
        }
        #expect(fixture.handler.reason?.code == .localClosed)
    }

    @Test("answers to the messages of one batch leave together, pongs first or last")
    func flushesOnce() throws {
        let delegate = RecordingDelegate(onReceived: { message, connection in try? connection.send(message) })
        let fixture = try ConnectionFixture(.lines, delegate: delegate)
        fixture.activate()
        fixture.receive("one\nping 1\ntwo\n")
        #expect(fixture.takeSent() == "one\ntwo\npong 1\n")
    }

    static func frame(_ type: UInt8, _ payload: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt32(payload.count + 1).bigEndian, Array.init) + [type] + payload
    }
}
