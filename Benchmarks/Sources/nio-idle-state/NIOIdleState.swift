//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import NIOCore
import NIOPosix
import PeerSupport

/// A server as one writes it with SwiftNIO: `IdleStateHandler` finds silence, a repeated task per channel pings.
///
/// usage: nio-idle-state PORT INTERVAL_MS SECONDS LOG
@main
enum NIOIdleState {
    static func main() throws {
        PeerLife.begin()
        let arguments = PeerArguments()
        let interval = TimeAmount.nanoseconds(Int64(arguments.intervalNanoseconds))
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let record = try loop.submit { NIOLoopBound(PeerRecord(), eventLoop: loop) }.wait()
        let server = try ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        IdleStateHandler(readTimeout: .nanoseconds(2 * interval.nanoseconds)),
                        PingingHandler(interval: interval, record: record.value),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: arguments.port).wait()
        PeerLife.awaitEnd(of: server, within: arguments.seconds)
        try loop.submit { record.value.write(to: arguments.log) }.wait()
    }
}

/// Sends pings and notes the end.
final class PingingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let interval: TimeAmount
    private let record: PeerRecord
    private var task: RepeatedTask?
    private var kind = PeerRecord.Kind.fin
    private var lastHeard = NIODeadline.now()

    init(interval: TimeAmount, record: PeerRecord) {
        self.interval = interval
        self.record = record
    }

    func channelActive(context: ChannelHandlerContext) {
        self.record.accepted += 1
        let phase = TimeAmount.nanoseconds(.random(in: 0..<self.interval.nanoseconds))
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        self.task = context.eventLoop.scheduleRepeatedTask(initialDelay: phase, delay: self.interval) { _ in
            let (handler, context) = bound.value
            let ping = context.channel.allocator.buffer(string: "ping")
            context.writeAndFlush(handler.wrapOutboundOut(ping), promise: nil)
            handler.record.pings += 1
        }
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.record.pongs += self.unwrapInboundIn(data).readableBytes / 4
        self.lastHeard = .now()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .read? = event as? IdleStateHandler.IdleStateEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        self.kind = .silent
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.kind != .silent { self.kind = .rst }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.task?.cancel()
        let late = self.kind == .silent ? .now() - self.lastHeard - self.interval - self.interval : .zero
        self.record.end(of: context.channel.remoteAddress, self.kind, lateness: UInt64(max(0, late.nanoseconds)))
        context.fireChannelInactive()
    }
}
