//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Logging
import NIOCore

/// Stops accepting for a moment when the process or the system is out of descriptors or memory.
///
/// Where an accept fails, the read that is pending stays so, the listener stays readable, and the loop would spin. Switching
/// automatic reading off takes the listener out of the selector. Peers wait in the kernel's queue meanwhile.
final class AcceptPauseHandler: ChannelInboundHandler {
    typealias InboundIn = any Channel

    /// How long to wait before the next attempt; descriptors become free at any time and nobody tells.
    private static let pause: TimeAmount = .milliseconds(100)

    private let logger: Logger
    private var isPaused = false
    private var isReported = false

    init(logger: Logger) {
        self.logger = logger
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.isReported = false
        context.fireChannelRead(data)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, Self.passes(ErrorNumber(rawValue: error.errnoCode)) {
            self.report(error)
            self.pause(context)
        }
        context.fireErrorCaught(error)
    }

    private func pause(_ context: ChannelHandlerContext) {
        guard !self.isPaused else { return }
        self.isPaused = true
        self.setReading(false, context)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
            self.isPaused = false
            self.setReading(true, context)
        }
    }

    private func setReading(_ value: Bool, _ context: ChannelHandlerContext) {
        // Fails when the listener is closed, and then there is nothing to accept.
        try? context.channel.syncOptions?.setOption(.autoRead, value: value)
    }

    private func report(_ error: IOError) {
        guard !self.isReported else { return }
        self.isReported = true
        self.logger.warning(
            "connections cannot be accepted for now",
            metadata: ["errno": "\(ErrorNumber(rawValue: error.errnoCode).name)"]
        )
    }

    /// Whether waiting helps.
    private static func passes(_ errno: ErrorNumber) -> Bool {
        switch errno {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory: true
        default: false
        }
    }
}
