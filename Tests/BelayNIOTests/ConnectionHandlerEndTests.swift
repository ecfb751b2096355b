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

/// How a connection of Belay's own protocols ends, and what is reported then.
@Suite struct ConnectionHandlerEndTests {
    // MARK: - The peer ends it

    @Test("what was received before the FIN is delivered before the end")
    func endOfStream() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.receive("one\ntwo\n")
        fixture.receiveEndOfStream()
        #expect(fixture.calls == [.opened, .received("one"), .received("two"), .closed(.peerClosed)])
        fixture.expectClosed(.peerClosed)
    }

    @Test("a line without its end is no message when the stream ends", arguments: [WireFormat.lines, .frames])
    func endInMidMessage(format: WireFormat) throws {
        let fixture = try ConnectionFixture(format)
        fixture.activate()
        fixture.receive(bytes: [0, 0, 0, 9, 0, 1])
        fixture.receiveEndOfStream()
        #expect(fixture.delegate.messages == [])
        fixture.expectClosed(.peerClosed)
    }

    @Test("what is queued is flushed before a connection is closed that the peer has closed")
    func flushesAfterEndOfStream() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.link.isBlocked = true
        try fixture.connection.send(ByteBuffer(string: "news"))
        fixture.receiveEndOfStream()
        fixture.expectEnded(.peerClosed)
        #expect(fixture.channel.isActive)
        fixture.link.isBlocked = false
        fixture.channel.flush()
        #expect(fixture.takeSent() == "news\n")
        fixture.expectClosed(.peerClosed)
    }

    @Test("a peer that closed its half and takes nothing is reset when the time to close is over")
    func blockedAfterEndOfStream() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.link.isBlocked = true
        try fixture.connection.send(ByteBuffer(string: "news"))
        fixture.receiveEndOfStream()
        fixture.advanceTime(by: .seconds(5))
        fixture.expectClosed(.peerClosed)
    }

    @Test("a goodbye keeps the peer's code", arguments: [("bye\n", nil), ("bye local.shutdown\n", "local.shutdown")])
    func goodbye(text: String, code: String?) throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.receive(text)
        fixture.expectEnded(.peerGoodbye)
        #expect(fixture.handler.reason?.evidence.goodbyeCode == code)
        fixture.receiveEndOfStream()
        fixture.expectClosed(.peerGoodbye)
        #expect(fixture.takeSent() == "")
    }

    @Test("the server's advice when to come back is kept")
    func retryAfter() throws {
        let fixture = try ConnectionFixture(.frames, role: .client(hello: nil))
        fixture.activate()
        let payload = Array(#"{"code":"local.kicked","retryAfter":"5s"}"#.utf8)
        fixture.receive(bytes: ConnectionHandlerTests.frame(5, payload))
        fixture.expectEnded(.peerGoodbye)
        #expect(fixture.handler.reason?.evidence.retryAfter == .seconds(5))
        #expect(fixture.handler.reason?.mayReconnect == false)
    }

    @Test("a reset is reported once, with its errno")
    func reset() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.receive("begin")
        fixture.receive(IOError(errnoCode: 104, reason: "read"))
        fixture.channel.close(promise: nil)
        fixture.expectClosed(.peerReset)
        #expect(fixture.handler.reason?.evidence.errno == .connectionReset)
        #expect(fixture.link.closes.allSatisfy { $0 == .all })
    }

    // MARK: - The peer breaks a rule

    @Test(
        "bytes that break the protocol give a goodbye, a FIN and one event",
        arguments: [
            (WireFormat.lines, [0x61, 0x00, 0x0A]), (.lines, [0xFF, 0x0A]), (.frames, [0, 0, 0, 1, 99]),
            (.frames, [0, 0, 0, 0]),
        ] as [(WireFormat, [UInt8])]
    )
    func violation(format: WireFormat, bytes: [UInt8]) throws {
        let fixture = try ConnectionFixture(format)
        fixture.activate()
        fixture.receive(bytes: bytes)
        fixture.expectEnded(.protocolViolation)
        #expect(fixture.handler.reason?.evidence.detail != nil)
        #expect(fixture.takeSent().contains("policy.protocol-violation"))
        #expect(fixture.link.closes == [.output])
        fixture.receive(bytes: bytes)
        fixture.receiveEndOfStream()
        fixture.expectClosed(.protocolViolation)
    }

    @Test(
        "a message over the limit ends the connection before it has come",
        arguments: [
            (WireFormat.lines, Array(repeating: UInt8(ascii: "a"), count: 65)), (.frames, [0xFF, 0xFF, 0xFF, 0xFF]),
        ]
    )
    func tooLarge(format: WireFormat, bytes: [UInt8]) throws {
        var limits = ConnectionLimits()
        limits.messageBytes = 64
        let fixture = try ConnectionFixture(format, limits: limits)
        fixture.activate()
        fixture.receive(bytes: bytes)
        fixture.expectEnded(.messageTooLarge)
        #expect(fixture.takeSent().contains("policy.message-too-large"))
    }

    @Test("a message that never ends is a violation although each byte proves life")
    func slowLoris() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.messageWithin = .seconds(10)
        let fixture = try ConnectionFixture(.lines, policy: policy)
        fixture.activate()
        fixture.receive("hello device-42\n")
        for _ in 0..<10 {
            #expect(fixture.handler.reason == nil)
            fixture.receive("a")
            fixture.advanceTime(by: .seconds(1))
        }
        fixture.expectEnded(.protocolViolation)
    }

    @Test("pings without end are a flood, and are not answered without end", arguments: WireFormat.allCases)
    func flood(format: WireFormat) throws {
        let fixture = try ConnectionFixture(format, policy: .localTesting)
        fixture.activate()
        let ping: [UInt8] =
            switch format {
            case .raw: Array("ping".utf8)
            case .lines: Array("ping\n".utf8)
            case .frames: ConnectionHandlerTests.frame(1, [0, 0, 0, 0, 0, 0, 0, 0])
            }
        fixture.receive(bytes: Array(repeatElement(ping, count: 2_000).joined()))
        fixture.expectClosed(.pingFlood)
        #expect(fixture.takeSentBytes().isEmpty)
    }

    @Test("a queue over its limit is a slow consumer's")
    func slowConsumer() throws {
        var limits = ConnectionLimits()
        limits.outboundBytes = 4_096
        let fixture = try ConnectionFixture(.lines, limits: limits)
        fixture.activate()
        fixture.link.isBlocked = true
        for _ in 0..<4 { try fixture.connection.send(ByteBuffer(repeating: UInt8(ascii: "a"), count: 1_000)) }
        #expect(fixture.handler.reason == nil)
        try fixture.connection.send(ByteBuffer(repeating: UInt8(ascii: "a"), count: 1_000))
        fixture.expectClosed(.slowConsumer)
        #expect(try #require(fixture.handler.reason?.evidence.unsentBytes) > 4_096)
        #expect(fixture.link.closes == [.all])
    }

    @Test("a peer that takes nothing for the write deadline does not read, although it speaks")
    func notReading() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.link.isBlocked = true
        try fixture.connection.send(ByteBuffer(string: "bulk"))
        for _ in 0..<6 {
            #expect(fixture.handler.reason == nil)
            fixture.advanceTime(by: .milliseconds(500))
            fixture.receive("message\n")
        }
        fixture.expectClosed(.peerNotReading)
    }

    @Test("after the end a peer may send only so much before it is reset")
    func discardLimit() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.connection.close()
        let chunk = Array(repeating: UInt8(ascii: "a"), count: 65_536)
        for _ in 0..<16 { fixture.receive(bytes: chunk) }
        #expect(fixture.channel.isActive)
        fixture.receive(bytes: chunk)
        fixture.expectClosed(.localClosed)
        #expect(fixture.delegate.messages == [])
    }

    // MARK: - Silence

    @Test("a dead peer is suspected and closed at the bound, never after it", arguments: WireFormat.allCases)
    func deadPeer(format: WireFormat) throws {
        let fixture = try ConnectionFixture(format)
        fixture.activate()
        fixture.receive(bytes: format == .frames ? ConnectionHandlerTests.frame(0, [1]) : Array("hi there\n".utf8))
        fixture.advanceTime(by: .milliseconds(2_700))
        #expect(fixture.handler.reason == nil)
        fixture.advanceTime(by: .milliseconds(300))
        fixture.expectClosed(.peerSilent)
        #expect(fixture.events.types == ["connection.opened", "connection.suspected", "connection.closed"])
        let silence = try #require(fixture.events.elements.last?.closed?.summary.silence)
        #expect(silence <= .seconds(3) && silence >= .milliseconds(2_700))
    }

    @Test("a suspected peer that speaks has recovered")
    func recovered() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.receive("one\n")
        fixture.advanceTime(by: .milliseconds(2_500))
        fixture.receive("two\n")
        #expect(fixture.events.types == ["connection.opened", "connection.suspected", "connection.recovered"])
        #expect(fixture.calls == [.opened, .received("one"), .suspected, .received("two"), .recovered])
        guard case .connectionRecovered(_, let silence) = fixture.events.elements.last?.kind else { return }
        #expect(silence == .milliseconds(2_500))
    }

    // MARK: - We end it

    @Test("the program's own state may look at the connection when it goes")
    func attachment() throws {
        final class Visit {
            let connection: Connection
            let looked: Recorder<Bool>
            init(_ connection: Connection, _ looked: Recorder<Bool>) {
                (self.connection, self.looked) = (connection, looked)
            }
            deinit { self.looked.record(self.connection.attachment == nil) }
        }
        let looked = Recorder<Bool>()
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.connection.attachment = Visit(fixture.connection, looked)
        fixture.connection.attachment = Visit(fixture.connection, looked)
        fixture.receiveEndOfStream()
        #expect(looked.elements == [false, true])
    }

    @Test("closing says goodbye, sends FIN, waits for the peer's, and is one event however often")
    func localClose() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.connection.close()
        fixture.connection.close(.localKicked)
        fixture.expectEnded(.localClosed)
        #expect(fixture.takeSent() == "bye local.closed\n")
        #expect(fixture.link.closes == [.output])
        fixture.receive("too late\n")
        fixture.receiveEndOfStream()
        fixture.expectClosed(.localClosed)
        #expect(fixture.delegate.messages == [])
    }

    @Test("a peer that does not follow our FIN is reset when the time to close is over")
    func closeDeadline() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.connection.close()
        fixture.advanceTime(by: .milliseconds(4_999))
        #expect(fixture.channel.isActive)
        fixture.advanceTime(by: .milliseconds(1))
        fixture.expectClosed(.localClosed)
    }

    @Test("the program can close from each of its callbacks, and nothing is sent after the goodbye")
    func closingInCallbacks() throws {
        let closesWhenOpened = RecordingDelegate(onOpened: { $0.close() })
        let opened = try ConnectionFixture(
            .lines,
            role: .client(hello: Hello(identity: "device-42")),
            delegate: closesWhenOpened
        )
        opened.activate()
        opened.expectEnded(.localClosed)
        #expect(opened.takeSent() == "bye local.closed\n")

        let closesWhenReceived = RecordingDelegate(onReceived: { _, connection in connection.close() })
        let received = try ConnectionFixture(.lines, delegate: closesWhenReceived)
        received.activate()
        received.receive("one\nping 1\ntwo\n")
        received.expectEnded(.localClosed)
        #expect(received.takeSent() == "bye local.closed\n")
        #expect(received.delegate.messages == ["one"])

        let closesWhenSuspected = RecordingDelegate(onSuspected: { $0.close() })
        let suspected = try ConnectionFixture(.lines, delegate: closesWhenSuspected)
        suspected.activate()
        suspected.advanceTime(by: .milliseconds(1_999))
        _ = suspected.takeSent()
        suspected.advanceTime(by: .milliseconds(100))
        suspected.expectEnded(.localClosed)
        #expect(suspected.takeSent() == "bye local.closed\n")
    }

    @Test("a refused connection is told so; its program never hears of it")
    func refusal() throws {
        let refusal = DisconnectCause.decided(.tooManyConnections, detail: "the limit of 1 connections is reached")
        let fixture = try ConnectionFixture(.lines, refusal: refusal)
        fixture.activate()
        #expect(fixture.takeSent() == "bye policy.too-many-connections\n")
        #expect(fixture.events.types == ["connection.opened", "connection.closed"])
        #expect(fixture.handler.reason?.evidence.detail == "the limit of 1 connections is reached")
        fixture.receive("a message\n")
        fixture.receiveEndOfStream()
        #expect(fixture.calls == [])
        #expect(!fixture.channel.isActive)
        #expect(fixture.releases.elements.count == 1)
    }

    @Test("the summary of an end names addresses, listener and figures")
    func summary() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.receive("hello device-42\none\n")
        fixture.advanceTime(by: .milliseconds(500))
        fixture.receiveEndOfStream()
        let (summary, reason) = try #require(fixture.events.elements.last?.closed)
        #expect(summary.remote == "192.0.2.7:51234")
        #expect(summary.listener == "lines://192.0.2.1:7400")
        #expect(summary.peer == "device-42" && summary.epoch == 1)
        #expect(summary.duration == .milliseconds(500))
        #expect(summary.figures.messagesIn == 1)
        #expect(summary.phase == .active && reason.phase == .active)
    }
}
