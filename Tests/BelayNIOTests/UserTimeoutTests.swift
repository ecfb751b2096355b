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

@Suite("the kernel's user timeout, and a peer whose window is full (R11)", .timeLimit(.minutes(1)))
struct UserTimeoutTests {
    private static let burst = ByteBuffer(repeating: UInt8(ascii: "x"), count: 60_000)

    /// The kernel's timers of a connection to a peer that reads nothing, after deadlines that came as often as one likes.
    private func timeouts(filling: Bool, mode: KernelTimeouts.Mode = .patient) async throws -> [TakenTimeouts?] {
        let taken = Recorder<TakenTimeouts?>()
        let delegate = RecordingDelegate(onOpened: { connection in
            let handler = connection.handler
            taken.record(handler.socket?.readKernelTimeouts())
            try? connection.send(filling ? Self.burst : ByteBuffer(string: "a word"))
            var looks = 0
            everyFewMilliseconds(on: handler.timekeeper.eventLoop.assumeIsolated()) {
                guard let socket = handler.socket, let tcp = socket.tcpInfo() else { return true }
                handler.deadlineReached(at: handler.timekeeper.now())
                looks += 1
                guard filling ? tcp.receiveWindowLimitedTime != 0 : looks > 3 && tcp.unacked == 0 else { return false }
                taken.record(socket.readKernelTimeouts())
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
        let taken = try await self.timeouts(filling: true)
        let timings = try LivenessPolicy(detectWithin: .seconds(300)).timings()
        let kernel = KernelTimeouts(timings)
        #expect(taken.first??.userTimeoutMilliseconds == kernel.userTimeoutMilliseconds)
        #expect(taken.last??.userTimeoutMilliseconds == 0)
        #expect(taken.last??.keepaliveCount == kernel.withoutUserTimeout.keepaliveCount)
    }

    @Test("it stays where the peer has room for all that is sent")
    func stays() async throws {
        let taken = try await self.timeouts(filling: false)
        #expect(taken.first??.userTimeoutMilliseconds == 600_000)
        #expect(taken.last == taken.first)
    }

    @Test("the strict one stays: who asks for it sends nothing but heartbeats")
    func strict() async throws {
        let taken = try await self.timeouts(filling: true, mode: .strict)
        #expect(taken.first??.userTimeoutMilliseconds == 300_000)
        #expect(taken.last == taken.first)
    }

    @Test("it is lifted although no deadline of the connection is left, since the peer has said its last word")
    func halfClosed() async throws {
        let taken = Recorder<Int32?>()
        let delegate = RecordingDelegate(onReceived: { _, connection in
            let handler = connection.handler
            var isSent = false
            everyFewMilliseconds(on: handler.timekeeper.eventLoop.assumeIsolated()) {
                // What was armed before goes off once more.
                guard handler.inputEnded, handler.machine.silence(at: handler.timekeeper.now()) > .seconds(3) else {
                    return false
                }
                if !isSent {
                    taken.record(handler.socket?.readKernelTimeouts()?.userTimeoutMilliseconds)
                    isSent = true
                    // The kernel takes all of it, and no backlog of ours is looked at.
                    try? connection.send(ByteBuffer(repeating: UInt8(ascii: "x"), count: 15_000))
                }
                guard let timeouts = handler.socket?.readKernelTimeouts() else { return true }
                guard timeouts.userTimeoutMilliseconds == 0 else { return false }
                taken.record(0)
                return true
            }
        })
        var policy = LivenessPolicy(detectWithin: .seconds(2))
        policy.heartbeats = .listen
        policy.allowHalfClosure = true
        try await TestServer.run(delegate: delegate, configure: { [policy] in $0.liveness = policy }) { server in
            let peer = try await TestPeer.connect(to: server.port, saying: "here\n", receiveBuffer: 4_096, reads: false)
            try await peer.finishSending()
            let both = try await taken.wait { $0.count == 2 ? $0 : nil }
            #expect(both == [4_000, 0])
            await peer.close()
        }
    }

    @Test("a hello that shortens it lifts it, where the window was full before")
    func shortened() async throws {
        let taken = Recorder<Int32?>()
        let delegate = RecordingDelegate(onReceived: { _, connection in
            let handler = connection.handler
            try? connection.send(Self.burst)
            everyFewMilliseconds(on: handler.timekeeper.eventLoop.assumeIsolated()) {
                guard let socket = handler.socket, let tcp = socket.tcpInfo() else { return true }
                if handler.peer != nil {
                    taken.record(socket.readKernelTimeouts()?.userTimeoutMilliseconds)
                    return true
                }
                guard tcp.receiveWindowLimitedTime != 0 else { return false }
                if taken.elements.isEmpty { taken.record(socket.readKernelTimeouts()?.userTimeoutMilliseconds) }
                return false
            }
        })
        try await TestServer.run(delegate: delegate) { server in
            let peer = try await TestPeer.connect(to: server.port, saying: "go\n", receiveBuffer: 4_096, reads: false)
            _ = try await taken.first { $0 }
            try await peer.send("hello device-42 within=60s\n")
            #expect(try await taken.wait { $0.count == 2 ? $0 : nil } == [600_000, 0])
            await peer.close()
        }
    }

    // MARK: - In a pipeline of somebody's own

    /// What the program does after it wrote more than the peer has room for.
    enum Step: CaseIterable, Sendable {
        case nothing
        case removesTheHandler
    }

    @Test(
        "it is lifted for a pipeline of somebody's own, and when nobody watches it any more",
        arguments: Step.allCases
    )
    func heartbeatHandler(step: Step) async throws {
        let taken = Recorder<TakenTimeouts>()
        try await Self.connect { channel, socket in
            let pipeline = channel.pipeline.syncOperations
            let handler = try HeartbeatHandler(detectWithin: .seconds(4), heartbeats: HeartbeatFixture.heartbeats)
            try pipeline.addHandler(handler)
            if let timeouts = socket.readKernelTimeouts() { taken.record(timeouts) }
            pipeline.writeAndFlush(NIOAny(Self.burst), promise: nil)
            switch step {
            case .nothing: break
            case .removesTheHandler: pipeline.removeHandler(handler, promise: nil)
            }
            everyFewMilliseconds(on: pipeline.eventLoop.assumeIsolated()) {
                guard let timeouts = socket.readKernelTimeouts(), timeouts.userTimeoutMilliseconds == 0 else {
                    return false
                }
                taken.record(timeouts)
                return true
            }
        } whilePeer: {
            let both = try await taken.wait { $0.count == 2 ? $0 : nil }
            #expect(both.first?.userTimeoutMilliseconds == 8_000)
            let kernel = KernelTimeouts(try LivenessPolicy(detectWithin: .seconds(4)).timings())
            #expect(both.last?.keepaliveCount == kernel.withoutUserTimeout.keepaliveCount)
        }
    }

    @Test("it is not set where the window was full before somebody watched")
    func handlerAddedLate() async throws {
        let taken = Recorder<TakenTimeouts?>()
        try await Self.connect { channel, socket in
            let pipeline = channel.pipeline.syncOperations
            pipeline.writeAndFlush(NIOAny(Self.burst), promise: nil)
            let handler = try HeartbeatHandler(detectWithin: .seconds(300), heartbeats: HeartbeatFixture.heartbeats)
            everyFewMilliseconds(on: pipeline.eventLoop.assumeIsolated()) {
                guard channel.isActive, let tcp = socket.tcpInfo() else { return true }
                guard tcp.receiveWindowLimitedTime != 0 else { return false }
                try? pipeline.addHandler(handler)
                taken.record(socket.readKernelTimeouts())
                return true
            }
        } whilePeer: {
            let timeouts = try await taken.first { $0 }
            #expect(timeouts.userTimeoutMilliseconds == 0)
            #expect(timeouts.keepalive == true)
        }
    }

    /// Accepts a connection of a peer that reads nothing, lets a program use its pipeline, and closes it after `test`.
    private static func connect(
        program: @escaping @Sendable (any Channel, Descriptor) throws -> Void,
        whilePeer test: () async throws -> Void
    ) async throws {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ProgramHandler(program))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let peer = try await TestPeer.connect(
            to: try #require(listener.localAddress?.port),
            receiveBuffer: 4_096,
            reads: false
        )
        try await test()
        await peer.close()
        try await listener.close()
    }

    private final class ProgramHandler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let program: (any Channel, Descriptor) throws -> Void

        init(_ program: @escaping (any Channel, Descriptor) throws -> Void) {
            self.program = program
        }

        func channelActive(context: ChannelHandlerContext) {
            do {
                let socket = try context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
                    of: NIOBSDSocket.Handle.self
                ) {
                    Descriptor(rawValue: $0)
                }
                try self.program(context.channel, try #require(socket))
            } catch {
                Issue.record(error)
            }
            context.fireChannelActive()
        }
    }
}
#endif
