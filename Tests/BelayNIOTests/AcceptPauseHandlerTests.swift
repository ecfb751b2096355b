//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import InMemoryLogging
import Logging
import NIOCore
import NIOEmbedded
import NIOTestUtils
import Testing

@testable import BelayNIO

@Suite struct AcceptPauseHandlerTests {
    private let channel = EmbeddedChannel()
    private let log = InMemoryLogHandler()
    private let behind = EventCounterHandler()

    init() throws {
        let log = self.log
        let handler = AcceptPauseHandler(logger: Logger(label: "test", factory: { _ in log }))
        try self.channel.pipeline.syncOperations.addHandlers([handler, self.behind])
    }

    private var reads: Bool? {
        self.channel.options.compactMap { $0.option is ChannelOptions.Types.AutoReadOption ? $0.value as? Bool : nil }
            .last
    }

    private func fail(_ errno: Int32) {
        self.channel.pipeline.syncOperations.fireErrorCaught(IOError(errnoCode: errno, reason: "accept"))
    }

    @Test("accepting pauses while descriptors or memory are short, and is tried again", arguments: [24, 23, 105, 12])
    func pauses(errno: Int32) throws {
        self.fail(errno)
        #expect(self.reads == false)
        self.channel.embeddedEventLoop.advanceTime(by: .milliseconds(100))
        #expect(self.reads == true)
        #expect(throws: IOError.self) { try self.channel.finish() }
    }

    @Test("an accept that failed for the peer's sake pauses nothing", arguments: [103, 1])
    func otherErrors(errno: Int32) throws {
        self.fail(errno)
        #expect(self.reads == nil)
        #expect(self.log.entries.isEmpty)
        #expect(throws: IOError.self) { try self.channel.finish() }
    }

    @Test("a shortage is logged once, however long it lasts, and again when it comes back")
    func logsOnce() throws {
        for _ in 0..<10 {
            self.fail(24)
            self.channel.embeddedEventLoop.advanceTime(by: .milliseconds(100))
        }
        #expect(self.log.entries.map(\.metadata) == [["errno": "EMFILE"]])
        self.channel.pipeline.syncOperations.fireChannelRead(NIOAny(self.channel as any Channel))
        self.fail(24)
        #expect(self.log.entries.count == 2)
        #expect(self.behind.errorCaughtCalls == 11)
        #expect(self.behind.channelReadCalls == 1)
        #expect(throws: IOError.self) { try self.channel.finish() }
    }

    @Test("a listener that is closed during the pause stays closed")
    func closedMeanwhile() throws {
        self.fail(24)
        #expect(throws: IOError.self) { try self.channel.finish() }
        self.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
        #expect(self.reads == false)
    }
}
