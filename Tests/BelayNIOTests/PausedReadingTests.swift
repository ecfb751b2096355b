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

@Suite("a program that does not read")
struct PausedReadingTests {
    @Test("no verdict while the program has stopped reading, and one within the bound after it reads again (R7)")
    func pausedReading() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.heartbeats = .listen
        let fixture = try ConnectionFixture(.lines, policy: policy)
        fixture.activate()
        fixture.receive("one\n")
        fixture.connection.pauseReading()
        fixture.advanceTime(by: .seconds(60))
        #expect(fixture.handler.reason == nil)
        fixture.connection.resumeReading()
        fixture.advanceTime(by: .seconds(4))
        fixture.expectClosed(.peerSilent)
    }

    @Test("a program that does not read for too long is our own failure")
    func pausedForTooLong() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.readPauseLimit = .seconds(10)
        let fixture = try ConnectionFixture(.lines, policy: policy)
        fixture.activate()
        fixture.connection.pauseReading()
        fixture.advanceTime(by: .seconds(10))
        fixture.expectClosed(.localFailed)
    }

    // MARK: - What comes before the end all the same

    @Test("an end is told at once, after what came before it (R9)", arguments: [true, false])
    func end(isReset: Bool) throws {
        let fixture = try ConnectionFixture(.raw)
        fixture.activate()
        fixture.connection.pauseReading()
        fixture.receive("one")
        fixture.receive("pi")
        if isReset {
            fixture.receive(IOError(errnoCode: ErrorNumber.connectionReset.rawValue, reason: "read"))
            fixture.expectClosed(.peerReset)
            #expect(fixture.delegate.messages == ["one"])
        } else {
            fixture.receiveEndOfStream()
            fixture.expectClosed(.peerClosed)
            #expect(fixture.delegate.messages == ["one", "pi"])
        }
    }

    @Test("an echo of what came before the end may pass the limit of the queue: the end is known")
    func echoAtTheEnd() throws {
        let delegate = RecordingDelegate(onReceived: { message, connection in try? connection.send(message) })
        var limits = ConnectionLimits()
        limits.outboundBytes = 4_096
        let fixture = try ConnectionFixture(.raw, limits: limits, delegate: delegate)
        fixture.activate()
        fixture.link.isBlocked = true
        fixture.connection.pauseReading()
        for _ in 0..<5 { fixture.receive(String(repeating: "x", count: 1_000)) }
        fixture.receive("pi")
        fixture.receiveEndOfStream()
        fixture.expectEnded(.peerClosed)
        fixture.link.isBlocked = false
        fixture.channel.flush()
        fixture.expectClosed(.peerClosed)
        #expect(fixture.takeSentBytes().count == 5_002)
    }

    @Test("a ping before the FIN of a peer that may go on receiving is answered, and so is one that no end follows")
    func pings() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.allowHalfClosure = true
        let fixture = try ConnectionFixture(.lines, policy: policy)
        fixture.activate()
        fixture.receive("one\n")
        fixture.connection.pauseReading()
        fixture.receive("ping 7\n")
        fixture.loop.run()
        #expect(fixture.takeSent().hasSuffix("pong 7\n"))
        fixture.receive("ping 8\n")
        fixture.receiveEndOfStream()
        #expect(fixture.takeSent().hasSuffix("pong 8\n"))
        #expect(fixture.handler.reason == nil)
    }

    @Test("what is written but not flushed yet passes no limit of the queue")
    func unflushed() throws {
        let delegate = RecordingDelegate(onReceived: { message, connection in try? connection.send(message) })
        var limits = ConnectionLimits()
        limits.outboundBytes = 4_096
        let fixture = try ConnectionFixture(.raw, limits: limits, delegate: delegate)
        fixture.activate()
        fixture.link.announcesWrites = true
        fixture.receive(String(repeating: "x", count: 5_000))
        try fixture.connection.send(ByteBuffer(repeating: 1, count: 5_000))
        #expect(fixture.handler.reason == nil)
        #expect(fixture.takeSentBytes().count == 10_000)
    }

    @Test("who closes reads again, for the FIN that may be behind what is not wanted any more")
    func closedMeanwhile() throws {
        let fixture = try ConnectionFixture(.lines)
        fixture.activate()
        fixture.connection.pauseReading()
        fixture.connection.close()
        let pauses = fixture.handler.machine.areReadsPaused
        #expect(!pauses)
        fixture.receive("one\n")
        fixture.receiveEndOfStream()
        fixture.expectClosed(.localClosed)
        #expect(fixture.delegate.messages == [])
    }
}
