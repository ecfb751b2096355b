//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayNIO
import Foundation
import NIOCore
import ServiceLifecycle
import Synchronization

/// A client between standard input and standard output.
final class ConnectSession: Service {
    private let client: BelayClient
    private let printsMessages: Bool
    private let reason = Mutex<DisconnectReason?>(nil)

    init(client: BelayClient, printsMessages: Bool) {
        self.client = client
        self.printsMessages = printsMessages
    }

    /// Why the client gave up; nil when it was told to end.
    var reasonOfEnd: DisconnectReason? { self.reason.withLock { $0 } }

    func run() async throws {
        let messages = self.printsMessages ? self.client.messages : nil
        let lines = StandardInput()
        try await withThrowingTaskGroup(of: Void.self) { group in
            if let messages {
                group.addTask {
                    let isRaw = self.client.configuration.endpoint.format == .raw
                    for await message in messages {
                        Output.write(Array(message.readableBytesView) + (isRaw ? [] : [UInt8(ascii: "\n")]), to: STDOUT_FILENO)
                    }
                }
            }
            group.addTask { await self.sendLines(lines) }
            let reason = try await self.client.runUntilOver()
            self.reason.withLock { $0 = reason }
            group.cancelAll()
        }
    }

    /// Lines that come while no connection is open, or that the protocol cannot carry, are named on standard error.
    private func sendLines(_ lines: StandardInput) async {
        for await line in lines.lines {
            do {
                try await self.client.send(line)
            } catch {
                Output.complain("a line was not sent: \(error)")
            }
            lines.taken()
        }
    }
}

/// Lines of standard input, read in a thread of their own, because reading it may block for ever.
final class StandardInput: Sendable {
    /// The lines, without their ends.
    let lines: AsyncStream<ByteBuffer>
    private let ready = DispatchSemaphore(value: 1)

    init() {
        let (lines, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        self.lines = lines
        let ready = self.ready
        let thread = Thread {
            // One line at a time is under way: what we cannot send yet stays in the pipe.
            while true {
                ready.wait()
                guard let line = readLine(strippingNewline: true) else { break }
                continuation.yield(ByteBuffer(string: line))
            }
            continuation.finish()
        }
        thread.name = "belay-input"
        thread.start()
    }

    /// The last line has been dealt with; the next one is read.
    func taken() {
        self.ready.signal()
    }
}
