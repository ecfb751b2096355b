//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import NIOCore
import NIOPosix
import PeerSupport

/// How close SwiftNIO comes to the epoll loop: what Belay would cost if it decided nothing.
///
/// One timing wheel, driven by one scheduled task per tick; one handler per pipeline; a read only stores the time; one
/// buffer for all pings; no promises; receive buffers of 64 bytes, because adaptive ones cost 2 KB per connection; one
/// read per turn. It keeps the rules of the epoll loop: an observer clock, and a last look before a verdict.
///
/// usage: [DIRECT=1] nio-best PORT INTERVAL_MS SECONDS LOG
///
/// DIRECT=1 pings by send(2) on the descriptor, past the pipeline.
@main
enum NIOBest {
    static func main() throws {
        PeerLife.begin()
        let arguments = PeerArguments()
        let direct = environment("DIRECT", default: 0) == 1
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        let wheel = try loop.submit {
            NIOLoopBound(
                PingWheel(loop: loop, intervalNanoseconds: arguments.intervalNanoseconds, direct: direct),
                eventLoop: loop
            )
        }.wait()
        let server = try ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: 4096)
            .serverChannelOption(.maxMessagesPerRead, value: 64)  // the default of 4 accepts a turn starves them
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 64))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(PingHandler(wheel.value))
                }
            }
            .bind(host: "127.0.0.1", port: arguments.port).wait()
        PeerLife.awaitEnd(of: server, within: arguments.seconds)
        try loop.submit { wheel.value.record.write(to: arguments.log) }.wait()
    }
}
