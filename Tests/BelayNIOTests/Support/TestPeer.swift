//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelaySocket
import NIOCore
import NIOPosix

/// The other end of a real connection: does what a test says, and nothing by itself.
final class TestPeer: Sendable {
    private enum Input: Sendable {
        case text(String)
        case endOfStream
        case failed(errno: Int32)
    }

    private let channel: any Channel
    private let inputs: Recorder<Input>

    private init(channel: any Channel, inputs: Recorder<Input>) {
        self.channel = channel
        self.inputs = inputs
    }

    /// Connects, and says `greeting` at once.
    ///
    /// It reads unless `reads` says otherwise; `answersPings` says whether pings are answered, on `lines`, for as long as it does.
    static func connect(
        to port: Int,
        saying greeting: String = "",
        answersPings: Bool = false,
        receiveBuffer: Int = 131_072,
        reads: Bool = true
    ) async throws -> TestPeer {
        let inputs = Recorder<Input>()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: reads)
            .channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        InputHandler(inputs: inputs, greeting: greeting, answersPings: answersPings)
                    )
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return TestPeer(channel: channel, inputs: inputs)
    }

    /// The port of this end.
    var port: Int { self.channel.localAddress?.port ?? 0 }

    // MARK: - Doing

    func send(_ text: String) async throws {
        try await self.channel.writeAndFlush(ByteBuffer(string: text))
    }

    /// Sends FIN and goes on reading.
    func finishSending() async throws {
        try await self.channel.close(mode: .output)
    }

    /// Closes the socket, with a FIN; nothing happens when the other end has reset it already.
    func close() async {
        try? await self.channel.close()
    }

    /// Closes the socket, with a RST.
    func reset() async throws {
        let channel = self.channel
        try await channel.eventLoop.submit {
            _ = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
                Descriptor(rawValue: $0).resetOnClose()
            }
        }.get()
        try await self.channel.close()
    }

    /// Reads no more; what comes fills the kernel's buffers.
    func stopReading() async throws {
        try await self.channel.setOption(.autoRead, value: false).get()
    }

    // MARK: - Seeing

    /// Waits until `text` was received, among other things.
    func receive(_ text: String) async throws {
        _ = try await self.inputs.wait { inputs in
            Self.text(of: inputs).contains(text) ? true : nil
        }
    }

    /// Waits for the end and gives everything that came before it.
    func receiveUntilEnd() async throws -> (text: String, errno: Int32?) {
        try await self.inputs.wait { inputs in
            switch inputs.last {
            case .endOfStream: (Self.text(of: inputs), nil)
            case .failed(let errno): (Self.text(of: inputs), errno)
            case .text, nil: nil
            }
        }
    }

    private static func text(of inputs: [Input]) -> String {
        inputs.map { if case .text(let text) = $0 { text } else { "" } }.joined()
    }

    private final class InputHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let inputs: Recorder<Input>
        private let greeting: String
        private let answersPings: Bool
        private var hasEnded = false

        init(inputs: Recorder<Input>, greeting: String, answersPings: Bool) {
            self.inputs = inputs
            self.greeting = greeting
            self.answersPings = answersPings
        }

        func channelActive(context: ChannelHandlerContext) {
            if !self.greeting.isEmpty { self.say(self.greeting, context) }
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let text = String(buffer: self.unwrapInboundIn(data))
            self.inputs.record(.text(text))
            if self.answersPings {
                for line in text.split(separator: "\n") where line.hasPrefix("ping ") {
                    self.say("pong \(line.dropFirst(5))\n", context)
                }
            }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if let event = event as? ChannelEvent, event == .inputClosed { self.end(.endOfStream) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            self.fail(error)
        }

        func channelInactive(context: ChannelHandlerContext) {
            self.end(.endOfStream)
        }

        private func say(_ text: String, _ context: ChannelHandlerContext) {
            let written = context.eventLoop.makePromise(of: Void.self)
            // NIO closes a channel whose write failed, and tells nobody but the promise why.
            written.futureResult.assumeIsolated().whenFailure { self.fail($0) }
            context.writeAndFlush(NIOAny(ByteBuffer(string: text)), promise: written)
        }

        private func fail(_ error: any Error) {
            if let error = error as? IOError { self.end(.failed(errno: error.errnoCode)) }
        }

        private func end(_ input: Input) {
            guard !self.hasEnded else { return }
            self.hasEnded = true
            self.inputs.record(input)
        }
    }
}
