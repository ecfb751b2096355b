//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Glibc
import NIOCore
import PeerSupport

/// A connection: handler, and entry of the wheel, in one object.
final class PingHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let sendFlags: CInt = 0x40 | 0x4000  // MSG_DONTWAIT, MSG_NOSIGNAL
    private static let peekFlags: CInt = 0x40 | 0x02  // MSG_DONTWAIT, MSG_PEEK

    // Of the wheel.
    var next: PingHandler?
    unowned(unsafe) var previous: PingHandler?
    var slot = -1

    private let wheel: PingWheel
    private var context: ChannelHandlerContext?
    private var descriptor: CInt = -1
    // Observer clock, nanoseconds.
    private var heard: UInt64 = 0
    private var pingAt: UInt64 = 0
    private var kind = PeerRecord.Kind.fin
    private var lateness: UInt64 = 0

    init(_ wheel: PingWheel) { self.wheel = wheel }

    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        let descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: CInt.self) { $0 }
        self.descriptor = descriptor ?? -1
        self.wheel.record.accepted += 1
        self.heard = self.wheel.observed
        self.pingAt = self.wheel.observed + .random(in: 0..<self.wheel.interval)
        self.wheel.arm(self, at: self.pingAt)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.wheel.record.pongs += self.unwrapInboundIn(data).readableBytes / 4
        self.heard = self.wheel.observed &+ PingWheel.tick  // the clock moves once per tick: never judge early
    }

    func channelReadComplete(context: ChannelHandlerContext) {}

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.kind != .silent { self.kind = .rst }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.wheel.disarm(self)
        self.context = nil
        self.wheel.record.end(of: context.channel.remoteAddress, self.kind, lateness: self.lateness)
    }

    func due() {
        let bound = 2 &* self.wheel.interval
        let observed = self.wheel.observed
        if observed >= self.heard &+ bound {
            if recv(self.descriptor, self.wheel.scratch, 4, Self.peekFlags) > 0 {
                self.heard = observed  // the answer lay in the socket: the loop is behind, not the peer
            } else {
                self.kind = .silent
                self.lateness = observed - self.heard - bound
                self.context?.close(promise: nil)
                return
            }
        }
        if observed >= self.pingAt {
            self.ping()
            self.pingAt &+= self.wheel.interval
            if self.pingAt <= observed { self.pingAt = observed &+ self.wheel.interval }
        }
        self.wheel.arm(self, at: min(self.pingAt, self.heard &+ bound))
    }

    private func ping() {
        self.wheel.record.pings += 1
        if self.wheel.direct, send(self.descriptor, self.wheel.bytes, 4, Self.sendFlags) == 4 { return }
        self.context?.writeAndFlush(NIOAny(self.wheel.ping), promise: nil)
    }
}
