//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import NIOCore
import NIOEmbedded
import NIOTestUtils
import Testing

@testable import BelayNIO

/// What passes a ``HeartbeatHandler``, and how a connection ends there.
@Suite struct HeartbeatHandlerEventTests {
    // MARK: - Forwarding

    @Test("every inbound event that is not the handler's own is forwarded")
    func forwardsInbound() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        let pipeline = fixture.channel.pipeline.syncOperations
        fixture.receive("message")
        fixture.receive("ping 1")
        pipeline.fireChannelWritabilityChanged()
        pipeline.fireUserInboundEventTriggered("an event of somebody else")
        pipeline.fireUserInboundEventTriggered(ChannelEvent.outputClosed)
        fixture.receiveEndOfStream()
        _ = try fixture.channel.finish(acceptAlreadyClosed: true)

        let (before, after) = (fixture.socketSide, fixture.programSide)
        try before.checkValidity()
        try after.checkValidity()
        #expect(after.channelRegisteredCalls == before.channelRegisteredCalls)
        #expect(after.channelActiveCalls == 1)
        #expect(after.channelReadCalls == before.channelReadCalls - 1)
        #expect(after.channelReadCompleteCalls == before.channelReadCompleteCalls)
        #expect(after.channelWritabilityChangedCalls == 1)
        // One more: the handler's own, that the connection is closed.
        #expect(after.userInboundEventTriggeredCalls == before.userInboundEventTriggeredCalls + 1)
        #expect(after.channelInactiveCalls == 1)
        #expect(after.channelUnregisteredCalls == 1)
    }

    @Test("every outbound event is forwarded")
    func forwardsOutbound() throws {
        let fixture = try HeartbeatFixture()
        let channel = fixture.channel
        channel.bind(to: .testing, promise: nil)
        fixture.activate()
        channel.write(ByteBuffer(string: "a"), promise: nil)
        channel.write(ByteBuffer(string: "b"), promise: nil)
        channel.flush()
        channel.read()
        channel.triggerUserOutboundEvent("an event of somebody else", promise: nil)
        channel.close(mode: .output, promise: nil)
        channel.close(mode: .all, promise: nil)

        let (before, after) = (fixture.socketSide, fixture.programSide)
        #expect(before.registerCalls == after.registerCalls)
        #expect(before.bindCalls == 1)
        #expect(before.connectCalls == 1)
        #expect(before.writeCalls == 2)
        #expect(before.flushCalls == 1)
        #expect(before.readCalls == 1)
        #expect(before.triggerUserOutboundEventCalls == 1)
        #expect(before.closeCalls == 2)
        #expect(fixture.takeSent() == ["a", "b"])
    }

    @Test("an error is forwarded")
    func forwardsErrors() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.receive(IOError(errnoCode: 104, reason: "read"))
        #expect(fixture.socketSide.errorCaughtCalls == 1)
        #expect(fixture.programSide.errorCaughtCalls == 1)
    }

    @Test("the promise of a write is kept")
    func keepsWritePromises() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        let written = fixture.loop.makePromise(of: Void.self)
        fixture.channel.writeAndFlush(ByteBuffer(string: "news"), promise: written)
        try written.futureResult.wait()
    }

    // MARK: - The end

    @Test(
        "an error number that comes before the channel is inactive is the reason",
        arguments: [
            (Int32(104), DisconnectReason.Code.peerReset), (110, .pathTimedOut), (113, .pathUnreachable),
            (5, .localFailed),
        ]
    )
    func errorNumberIsTheReason(number: Int32, code: DisconnectReason.Code) throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.receive(IOError(errnoCode: number, reason: "read"))
        fixture.channel.close(promise: nil)
        fixture.expectClosed(code)
        #expect(fixture.events.first?.reason?.evidence.errno?.rawValue == number)
    }

    @Test("an error number that only a failed write knows is the reason")
    func failedWriteIsTheReason() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.link.writeError = IOError(errnoCode: 32, reason: "write")
        fixture.channel.writeAndFlush(ByteBuffer(string: "news"), promise: nil)
        fixture.expectClosed(.peerReset)
    }

    @Test("an error number that only the write of a ping knows is the reason")
    func failedPingIsTheReason() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.link.writeError = IOError(errnoCode: 104, reason: "write")
        fixture.advanceTime(by: .seconds(10))
        fixture.expectClosed(.peerReset)
    }

    @Test("a channel that becomes inactive without a word was closed by the peer")
    func inactive() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.channel.pipeline.syncOperations.fireChannelInactive()
        #expect(fixture.events.compactMap(\.reason).map(\.code) == [.peerClosed])
        #expect(fixture.program.log == ["closed", "inactive"])
    }

    @Test("the peer's FIN ends the connection after what came before it")
    func endOfStream() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.receive("last words")
        fixture.receiveEndOfStream()
        fixture.expectClosed(.peerClosed)
        #expect(fixture.program.log == ["last words", "inputClosed", "closed", "inactive"])
    }

    @Test("half-closure leaves the writing half open where the policy allows it")
    func halfClosure() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.allowHalfClosure = true
        let fixture = try HeartbeatFixture(policy)
        fixture.activate()
        fixture.receive("message")
        fixture.receiveEndOfStream()
        fixture.advanceTime(by: .seconds(60))
        #expect(fixture.channel.isActive)
        #expect(fixture.events == [])
        fixture.channel.close(promise: nil)
        fixture.expectClosed(.localClosed)
    }

    @Test("nobody is accused of not reading behind the peer's end")
    func nothingToReadBehindTheEnd() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.allowHalfClosure = true
        policy.readPauseLimit = .seconds(10)
        let fixture = try HeartbeatFixture(policy)
        fixture.activate()
        fixture.channel.read()
        fixture.receive("message")
        fixture.receiveEndOfStream()
        fixture.advanceTime(by: .seconds(60))
        #expect(fixture.events == [])
    }

    @Test("closing it ourselves is one event, however often")
    func localClose() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.channel.close(promise: nil)
        fixture.channel.close(promise: nil)
        fixture.loop.run()
        fixture.expectClosed(.localClosed)
        #expect(fixture.program.log == ["closed", "inactive"])
    }

    @Test("closing it when the peer is suspected is one event")
    func closeOnSuspicion() throws {
        let fixture = try HeartbeatFixture()
        fixture.program.onEvent = { event, context in
            if case .suspected = event { context.close(promise: nil) }
        }
        fixture.activate()
        fixture.receive("hello")
        fixture.advanceTime(by: .seconds(60))
        fixture.expectClosed(.localClosed)
    }

    @Test("closing it when it is closed is one event")
    func closeOnClosed() throws {
        let fixture = try HeartbeatFixture()
        fixture.program.onEvent = { event, context in
            if case .closed = event { context.close(promise: nil) }
        }
        fixture.activate()
        fixture.receive("hello")
        fixture.advanceTime(by: .seconds(60))
        fixture.expectClosed(.peerSilent)
    }

    @Test("a program that closes when it sees the FIN does not hide that it was the peer's")
    func closeOnInputClosed() throws {
        let fixture = try HeartbeatFixture()
        fixture.program.onInputClosed = { $0.close(promise: nil) }
        fixture.activate()
        fixture.receive("hello")
        fixture.receiveEndOfStream()
        fixture.expectClosed(.peerClosed)
    }

    @Test("a connection that ended is not watched any more")
    func notWatchedAfterTheEnd() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.channel.close(promise: nil)
        _ = fixture.takeSent()
        fixture.advanceTime(by: .seconds(3_600))
        #expect(fixture.takeSent() == [])
        #expect(LoopTimekeepers.shared.timekeeper(of: fixture.loop).connectionCount == 0)
    }

    // MARK: - Errors that are not the kernel's

    private struct EncodingError: Error {}

    @Test("a message that a codec refuses to write does not end the connection")
    func refusedWrite() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.link.writeError = EncodingError()
        fixture.channel.writeAndFlush(ByteBuffer(string: "news"), promise: nil)
        #expect(fixture.channel.isActive)
        #expect(fixture.events == [])
    }

    @Test("an error of another handler does not end the connection")
    func errorOfAnotherHandler() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.receive(EncodingError())
        #expect(fixture.channel.isActive)
        #expect(fixture.events == [])
    }

    @Test("a ping that cannot be written, because our half is closed, does not end the connection")
    func pingAfterOurHalfIsClosed() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        fixture.channel.close(mode: .output, promise: nil)
        fixture.link.writeError = ChannelError.outputClosed
        fixture.advanceTime(by: .seconds(11))
        fixture.receive("still talking")
        #expect(fixture.channel.isActive)
        #expect(fixture.events == [])
    }

    // MARK: - Reading held, removal, configuration

    @Test("no verdict on silence while somebody above holds reading, and one within the bound after that (R7)")
    func readingHeld() throws {
        var policy = LivenessPolicy(detectWithin: .seconds(3))
        policy.heartbeats = .listen
        let fixture = try HeartbeatFixture(policy)
        fixture.activate()
        fixture.channel.read()
        // No read follows this one: somebody above swallows it.
        fixture.receive("message")
        fixture.advanceTime(by: .seconds(20))
        #expect(fixture.events == [])
        fixture.channel.read()
        fixture.advanceTime(by: .seconds(4))
        #expect(fixture.events.map(\.name) == ["suspected", "closed"])
        fixture.expectClosed(.peerSilent)
    }

    @Test("a handler that is added to an active channel watches it")
    func addedWhileActive() throws {
        let loop = EmbeddedEventLoop()
        let channel = EmbeddedChannel(loop: loop)
        channel.connect(to: .testing, promise: nil)
        let handler = try HeartbeatHandler(detectWithin: .seconds(30), heartbeats: HeartbeatFixture.heartbeats)
        let program = HeartbeatProgram()
        try channel.pipeline.syncOperations.addHandlers([handler, program])
        loop.advanceTime(by: .seconds(30))
        #expect(program.events.compactMap(\.reason).map(\.code) == [.handshakeTimeout])
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("a handler that is removed from an active channel watches it no more")
    func removedWhileActive() throws {
        let fixture = try HeartbeatFixture()
        fixture.activate()
        let handler = try #require(fixture.handler as any ChannelHandler as? any RemovableChannelHandler)
        fixture.channel.pipeline.syncOperations.removeHandler(handler, promise: nil)
        fixture.advanceTime(by: .seconds(60))
        #expect(fixture.channel.isActive)
        #expect(fixture.events == [])
        #expect(fixture.takeSent() == [])
        #expect(LoopTimekeepers.shared.timekeeper(of: fixture.loop).connectionCount == 0)
    }

    @Test("a handler with an impossible policy is not made")
    func impossiblePolicy() {
        #expect(throws: ConfigurationError.self) {
            try HeartbeatHandler(detectWithin: .milliseconds(1), heartbeats: HeartbeatFixture.heartbeats)
        }
        var policy = LivenessPolicy(detectWithin: .seconds(30))
        policy.closeWithin = .zero
        policy.pingStrikes = -1
        let error = #expect(throws: ConfigurationError.self) {
            try HeartbeatHandler(policy: policy, heartbeats: HeartbeatFixture.heartbeats)
        }
        #expect(error?.problems.map(\.key) == ["closeWithin", "pingStrikes"])
    }
}
