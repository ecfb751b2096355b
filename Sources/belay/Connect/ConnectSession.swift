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
    /// How long the last messages may take to be read once the client has ended.
    private static let patience = Duration.seconds(2)

    /// What goes on at the same time, when it has ended.
    private enum Part {
        case client(DisconnectReason?)
        case input
        case output
        case patience
    }

    private let client: BelayClient
    private let printsMessages: Bool
    private let reason = Mutex<DisconnectReason?>(nil)

    init(client: BelayClient, printsMessages: Bool) {
        self.client = client
        self.printsMessages = printsMessages
    }

    /// Why the client gave up; nil when it was told to end.
    var reasonOfEnd: DisconnectReason? { self.reason.withLock { $0 } }

    /// - Throws: ``CommandFailure`` when standard output cannot be written any more: who else would read the messages?
    func run() async throws {
        let input = StandardInput()
        let output = self.printsMessages ? StandardOutput() : nil
        // Asked for before the first one can come.
        let messages = output.map { _ in self.client.messages }
        try await withThrowingTaskGroup(of: Part.self) { group in
            group.addTask { .client(try await self.client.runUntilOver()) }
            group.addTask {
                await self.sendLines(of: input)
                return .input
            }
            if let messages, let output {
                group.addTask {
                    await self.print(messages, to: output)
                    return .output
                }
            }
            var isPrinting = output != nil
            for try await part in group {
                switch part {
                case .client(let reason):
                    self.reason.withLock { $0 = reason }
                    guard isPrinting else { return group.cancelAll() }
                    group.addTask {
                        try? await Task.sleep(for: Self.patience)
                        return .patience
                    }
                case .input:
                    break
                case .output:
                    isPrinting = false
                    group.cancelAll()
                case .patience:
                    if isPrinting { Output.complain("messages were lost: nobody read them") }
                    group.cancelAll()
                }
            }
        }
        if let problem = output?.problem {
            throw CommandFailure(message: "standard output cannot be written: \(problem)", exitCode: .badAnswer)
        }
    }

    private func print(_ messages: BelayClient.Messages, to output: StandardOutput) async {
        let end = self.client.configuration.endpoint.format == .raw ? [] : [UInt8(ascii: "\n")]
        let isTerminal = isatty(STDOUT_FILENO) == 1
        for await message in messages {
            let shown = Output.message(Array(message.readableBytesView), onTerminal: isTerminal)
            guard await output.write(shown + end) else { return }
        }
        await output.flush()
    }

    /// A line that comes while no connection is open waits for one.
    ///
    /// What cannot be sent is told on standard error.
    private func sendLines(of input: StandardInput) async {
        for await batch in input.batches {
            for line in batch { await self.send(line) }
            input.batchTaken()
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
