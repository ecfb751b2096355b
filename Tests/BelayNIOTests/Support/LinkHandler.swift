//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import NIOCore

/// Stands where the socket would be in a testing channel, which knows neither half-closure nor a full send buffer.
final class LinkHandler: ChannelDuplexHandler {
    typealias InboundIn = Any
    typealias OutboundIn = Any

    /// The closes that reached the socket, in order.
    private(set) var closes: [CloseMode] = []
    /// Whether the kernel takes nothing: flushes are held back.
    var isBlocked = false
    /// Whether writing tells of the channel's writability, as it does where much waits.
    var announcesWrites = false
    /// What a write is failed with, in the place of being written.
    var writeError: (any Error)?

    func flush(context: ChannelHandlerContext) {
        if !self.isBlocked { context.flush() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if let writeError {
            promise?.fail(writeError)
        } else {
            context.write(data, promise: promise)
        }
        if self.announcesWrites { context.fireChannelWritabilityChanged() }
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        self.closes.append(mode)
        if mode == .all {
            context.close(mode: mode, promise: promise)
        } else {
            promise?.succeed()
        }
    }
}

@available(*, unavailable)
extension LinkHandler: Sendable {}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
