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

/// A pipeline of somebody's own with a ``HeartbeatHandler`` in it, in virtual time.
///
/// Its protocol: a buffer is a message, those that begin with `ping` and `pong` are heartbeats with a token.
final class HeartbeatFixture {
    let loop = EmbeddedEventLoop()
    let channel: EmbeddedChannel
    let link = LinkHandler()
    let socketSide = EventCounterHandler()
    let handler: HeartbeatHandler<ByteBuffer, ByteBuffer>
    let programSide = EventCounterHandler()
    let program = HeartbeatProgram()
    // Held, so that its generator stays the seeded one.
    private let timekeeper: LoopTimekeeper

    init(_ policy: LivenessPolicy = LivenessPolicy(detectWithin: .seconds(30)), seed: UInt64 = 1) throws {
        self.timekeeper = LoopTimekeepers.shared.timekeeper(of: self.loop)
        self.timekeeper.generator = SplitMix64(seed: seed)
        self.handler = try HeartbeatHandler(policy: policy, heartbeats: Self.heartbeats)
        self.channel = EmbeddedChannel(
            handlers: [self.link, self.socketSide, self.handler, self.programSide, self.program],
            loop: self.loop
        )
    }

    deinit {
        // Closed by the test or not: what is still scheduled must go.
        _ = try? self.channel.finish(acceptAlreadyClosed: true)
    }

    static let heartbeats = Heartbeats<ByteBuffer, ByteBuffer>(
        ping: { ByteBuffer(string: "ping \($0)") },
        recognize: { buffer in
            let text = String(buffer: buffer)
            if text.hasPrefix("ping") { return .ping(answer: ByteBuffer(string: "pong" + text.dropFirst(4))) }
            if text.hasPrefix("pong") { return .pong(token: UInt64(text.dropFirst(5))) }
            return .message
        },
        goodbye: { ByteBuffer(string: "bye \($0.code.rawValue)") }
    )

    // MARK: - Doing

    func activate() {
        self.channel.connect(to: .testing, promise: nil)
    }

    func receive(_ text: String) {
        self.channel.pipeline.syncOperations.fireChannelRead(NIOAny(ByteBuffer(string: text)))
        self.channel.pipeline.syncOperations.fireChannelReadComplete()
    }

    func receive(_ error: any Error) {
        self.channel.pipeline.syncOperations.fireErrorCaught(error)
    }

    func receiveEndOfStream() {
        self.channel.pipeline.syncOperations.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    }

    func advanceTime(by duration: Duration) {
        self.loop.advanceTime(by: TimeAmount(duration))
    }

    /// Advances in steps of a millisecond and answers each ping at once.
    func advanceTimeWithLivePeer(by duration: Duration) {
        let end = self.loop.now + TimeAmount(duration)
        while self.loop.now < end {
            self.loop.advanceTime(by: .milliseconds(1))
            for text in self.takeSent() where text.hasPrefix("ping ") { self.receive("pong " + text.dropFirst(5)) }
        }
    }

    // MARK: - Seeing

    /// What was sent since the last look.
    func takeSent() -> [String] {
        var texts: [String] = []
        while let buffer = try? self.channel.readOutbound(as: ByteBuffer.self) { texts.append(String(buffer: buffer)) }
        return texts
    }

    /// The times of the next pings, with nothing else happening.
    func timesOfPings(during duration: Duration) -> [NIODeadline] {
        let end = self.loop.now + TimeAmount(duration)
        var times: [NIODeadline] = []
        while self.loop.now < end {
            self.loop.advanceTime(by: .milliseconds(1))
            for text in self.takeSent() where text.hasPrefix("ping ") {
                times.append(self.loop.now)
                self.receive("pong " + text.dropFirst(5))
            }
        }
        return times
    }

    /// The heartbeat events that the program saw.
    var events: [HeartbeatEvent] { self.program.events }

    func expectClosed(_ code: DisconnectReason.Code, sourceLocation: SourceLocation = #_sourceLocation) {
        let reasons = self.events.compactMap(\.reason)
        #expect(reasons.map(\.code) == [code], sourceLocation: sourceLocation)
        #expect(!self.channel.isActive, sourceLocation: sourceLocation)
    }
}

/// The program behind a heartbeat handler: keeps what it gets.
final class HeartbeatProgram: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private(set) var events: [HeartbeatEvent] = []
    private(set) var messages: [String] = []
    /// What happened, in the order in which it came.
    private(set) var log: [String] = []
    /// What the program does about an event, besides keeping it.
    var onEvent: ((HeartbeatEvent, ChannelHandlerContext) -> Void)?
    var onInputClosed: ((ChannelHandlerContext) -> Void)?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let message = String(buffer: self.unwrapInboundIn(data))
        self.messages.append(message)
        self.log.append(message)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let event as HeartbeatEvent:
            self.events.append(event)
            self.log.append(event.name)
            self.onEvent?(event, context)
        case let event as ChannelEvent where event == .inputClosed:
            self.log.append("inputClosed")
            self.onInputClosed?(context)
        default:
            break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.log.append("inactive")
        context.fireChannelInactive()
    }
}

@available(*, unavailable)
extension HeartbeatProgram: Sendable {}

extension HeartbeatEvent {
    /// Why the connection ended, if this says so.
    var reason: DisconnectReason? {
        if case .closed(let reason) = self { reason } else { nil }
    }

    var name: String {
        switch self {
        case .suspected: "suspected"
        case .recovered: "recovered"
        case .closed: "closed"
        }
    }
}

extension SocketAddress {
    /// Where a testing channel seems to be connected to.
    static var testing: SocketAddress { try! SocketAddress(ipAddress: "192.0.2.7", port: 51_234) }
}
