//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import NIOCore
import NIOPosix
import Testing

@testable import BelayNIO

#if os(Linux)
/// Calls `step` on its loop until it says that it is done.
private func everyFewMilliseconds(on loop: NIOIsolatedEventLoop, _ step: @escaping () -> Bool) {
    guard !step() else { return }
    loop.scheduleTask(in: .milliseconds(5)) { everyFewMilliseconds(on: loop, step) }
}

@Suite("the kernel's user timeout, and a peer whose window is full (R11)")
struct UserTimeoutTests {
    private static let burst = ByteBuffer(repeating: UInt8(ascii: "x"), count: 60_000)

    /// The kernel's timers of a connection to a peer that reads nothing, after deadlines that came as often as one likes.
    private func timeouts(sending: Bool, mode: KernelTimeouts.Mode = .patient) async throws -> [TakenTimeouts?] {
        let taken = Recorder<TakenTimeouts?>()
        let delegate = RecordingDelegate(onOpened: { connection in
            let handler = connection.handler
            taken.record(handler.socket?.readKernelTimeouts())
            if sending { try? connection.send(Self.burst) }
            var looks = 0
            everyFewMilliseconds(on: handler.timekeeper.eventLoop.assumeIsolated()) {
                handler.deadlineReached(at: handler.timekeeper.now())
                looks += 1
                let wasFull = (handler.socket?.tcpInfo()?.receiveWindowLimitedTime ?? 0) > 0
                guard sending ? wasFull : looks == 3 else { return false }
                handler.deadlineReached(at: handler.timekeeper.now())
                taken.record(handler.socket?.readKernelTimeouts())
                return true
            }
        })
        return try await TestServer.run(delegate: delegate, configure: { $0.kernel = mode }) { server in
            let peer = try await TestPeer.connect(to: server.port, receiveBuffer: 4_096, reads: false)
            let both = try await taken.wait { $0.count == 2 ? $0 : nil }
            await peer.close()
            return both
        }
    }

    @Test("it is lifted when the window was full for the first time, and keepalive takes as long as before")
    func lifted() async throws {
        let taken = try await self.timeouts(sending: true)
        let timings = try LivenessPolicy(detectWithin: .seconds(300)).timings()
        let kernel = KernelTimeouts(timings)
        #expect(taken.first??.userTimeoutMilliseconds == kernel.userTimeoutMilliseconds)
        #expect(taken.last??.userTimeoutMilliseconds == 0)
        #expect(taken.last??.keepaliveCount == kernel.withoutUserTimeout.keepaliveCount)
    }

    @Test("it stays where the peer has room for all that is sent")
    func stays() async throws {
        let taken = try await self.timeouts(sending: false)
        #expect(taken.first??.userTimeoutMilliseconds == 600_000)
        #expect(taken.last == taken.first)
    }

    @Test("the strict one stays: who asks for it sends nothing but heartbeats")
    func strict() async throws {
        let taken = try await self.timeouts(sending: true, mode: .strict)
        #expect(taken.first??.userTimeoutMilliseconds == 300_000)
        #expect(taken.last == taken.first)
    }

    @Test("it is lifted for a pipeline of somebody's own as well")
    func heartbeatHandler() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let taken = Recorder<Int32>()
        let listener = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // The queue is looked at 32 times within the bound.
                    let handler = try HeartbeatHandler(
                        detectWithin: .seconds(4),
                        heartbeats: HeartbeatFixture.heartbeats
                    )
                    try channel.pipeline.syncOperations.addHandlers(handler, BurstHandler(Self.burst, taken))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let peer = try await TestPeer.connect(
            to: try #require(listener.localAddress?.port),
            receiveBuffer: 4_096,
            reads: false
        )
        _ = try await taken.first { $0 == 0 ? $0 : nil }
        #expect(taken.elements.first == 8_000)
        await peer.close()
        try await listener.close()
    }

    /// Sends a burst, and records the user timeout from then on.
    private final class BurstHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let burst: ByteBuffer
        private let taken: Recorder<Int32>

        init(_ burst: ByteBuffer, _ taken: Recorder<Int32>) {
            self.burst = burst
            self.taken = taken
        }

        func channelActive(context: ChannelHandlerContext) {
            let socket = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                of: NIOBSDSocket.Handle.self
            ) { Descriptor(rawValue: $0) }
            let taken = self.taken
            let channel = context.channel
            everyFewMilliseconds(on: context.eventLoop.assumeIsolated()) {
                guard channel.isActive, let timeouts = socket?.readKernelTimeouts() else { return true }
                taken.record(timeouts.userTimeoutMilliseconds ?? -1)
                return false
            }
            context.writeAndFlush(self.wrapOutboundOut(self.burst), promise: nil)
            context.fireChannelActive()
        }
    }
}
#endif
