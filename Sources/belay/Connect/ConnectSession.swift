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
                    let isTerminal = isatty(STDOUT_FILENO) == 1
                    for await message in messages {
                        let shown = Output.message(Array(message.readableBytesView), onTerminal: isTerminal)
                        Output.write(shown + (isRaw ? [] : [UInt8(ascii: "\n")]), to: STDOUT_FILENO)
                    }
                }
            }
            group.addTask { await self.sendLines(lines) }
            let reason = try await self.client.runUntilOver()
            self.reason.withLock { $0 = reason }
            group.cancelAll()
        }
    }

    /// A line that comes while no connection is open waits for one.
    ///
    /// What cannot be sent is told on standard error.
    private func sendLines(_ lines: StandardInput) async {
        for await batch in lines.batches {
            for line in batch { await self.send(line) }
            lines.batchTaken()
        }
    }

    private func send(_ line: ByteBuffer) async {
        while await self.client.waitUntilConnected() {
            do {
                try await self.client.send(line)
                return
            } catch SendError.closed {
                continue
            } catch {
                return Output.complain("a line was lost: \(error)")
            }
        }
    }
}
