//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import BelayNIO

/// A connection that speaks one of Belay's protocols, in virtual time.
final class ConnectionFixture {
    let loop: EmbeddedEventLoop
    let channel: EmbeddedChannel
    let link = LinkHandler()
    let handler: ConnectionHandler
    let events = Recorder<Event>()
    let delegate: RecordingDelegate
    /// The addresses of the peers whose connections were released.
    let releases = Recorder<String>()
    // Held, so that its generator stays the seeded one.
    private let timekeeper: LoopTimekeeper

    init(
        _ format: WireFormat = .lines,
        role: ConnectionEnvironment.Role = .server,
        policy: LivenessPolicy = LivenessPolicy(detectWithin: .seconds(3)),
        limits: ConnectionLimits = ConnectionLimits(),
        refusal: DisconnectCause? = nil,
        delegate: RecordingDelegate = RecordingDelegate(),
        loop: EmbeddedEventLoop = EmbeddedEventLoop(),
        eventLoop: (any EventLoop)? = nil,
        node: NodeContext? = nil,
        smartHeartbeats: SmartHeartbeats? = nil
    ) throws {
        self.loop = loop
        self.delegate = delegate
        self.timekeeper = LoopTimekeepers.shared.timekeeper(of: eventLoop ?? loop)
        self.timekeeper.generator = SplitMix64(seed: 1)
        let environment = ConnectionEnvironment(
            role: role,
            endpoint: Endpoint(format, host: "192.0.2.1", port: 7_400),
            timings: try policy.timings(),
            kernelMode: .patient,
            limits: limits,
            node: node ?? NodeContext(sink: self.events, logger: .silent),
            delegate: delegate,
            smartHeartbeats: smartHeartbeats
        )
        self.handler = ConnectionHandler(
            eventLoop: eventLoop ?? loop,
            environment: environment,
            refusal: refusal,
            observer: self.releases
        )
        self.channel = EmbeddedChannel(handlers: [self.link, self.handler], loop: loop)
    }

    deinit {
        // Closed by the test or not: what is still scheduled must go.
        _ = try? self.channel.finish(acceptAlreadyClosed: true)
    }

    var connection: Connection { Connection(handler: self.handler) }

    // MARK: - Doing

    func activate() {
        self.channel.connect(to: .testing, promise: nil)
    }

    func receive(_ text: String) {
        self.receive(bytes: Array(text.utf8))
    }

    func receive(bytes: [UInt8]) {
        self.channel.pipeline.syncOperations.fireChannelRead(NIOAny(ByteBuffer(bytes: bytes)))
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

    // MARK: - Seeing

    /// The bytes that were sent since the last look.
    func takeSentBytes() -> [UInt8] {
        var bytes: [UInt8] = []
        while let buffer = try? self.channel.readOutbound(as: ByteBuffer.self) { bytes += buffer.readableBytesView }
        return bytes
    }

    /// The text that was sent since the last look.
    func takeSent() -> String { String(decoding: self.takeSentBytes(), as: UTF8.self) }

    var calls: [RecordingDelegate.Call] { self.delegate.calls.elements }

    /// The connection was opened and closed once, both for the sink and the delegate, and is released.
    func expectClosed(_ code: DisconnectReason.Code, sourceLocation: SourceLocation = #_sourceLocation) {
        self.expectEnded(code, sourceLocation: sourceLocation)
        #expect(!self.channel.isActive, sourceLocation: sourceLocation)
        #expect(self.releases.elements == ["192.0.2.7:51234"], sourceLocation: sourceLocation)
    }

    /// The end was reported once; the farewell may still go on.
    func expectEnded(_ code: DisconnectReason.Code, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(self.events.reasons.map(\.code) == [code], sourceLocation: sourceLocation)
        #expect(self.events.types.first == "connection.opened", sourceLocation: sourceLocation)
        #expect(self.events.types.last == "connection.closed", sourceLocation: sourceLocation)
        #expect(self.calls.first == .opened, sourceLocation: sourceLocation)
        #expect(self.calls.last == .closed(code), sourceLocation: sourceLocation)
    }
}

extension Recorder: ReleaseObserver where Element == String {
    func released(_ remoteAddress: SocketAddress?) { self.record(remoteAddress?.hostAndPort ?? "") }
}

extension Logger {
    /// A logger that drops everything.
    static var silent: Logger { Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }) }
}
