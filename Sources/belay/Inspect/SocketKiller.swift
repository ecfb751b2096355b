//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import BelaySocket

/// `belay inspect --kill`: closes the connections that are shown, after a last look.
struct SocketKiller {
    /// Whether to ask on the terminal first.
    var asks: Bool
    /// Looks again at what was chosen.
    var lookAgain: () throws -> SocketSurvey.Findings

    /// Closes the connections among the findings; listening sockets stay.
    ///
    /// - Throws: ``CommandFailure`` with 1 when one of them could not be closed.
    func kill(_ findings: SocketSurvey.Findings) throws {
        let chosen = findings.sockets.filter { $0.kind == .connection }
        guard !chosen.isEmpty else { return Output.tell("nothing to close") }
        if self.asks {
            guard
                Terminal.confirms(
                    "close \(chosen.count == 1 ? "this connection" : "these \(chosen.count) connections")?"
                )
            else { return Output.tell("nothing was closed") }
        }
        // Time has passed, and who recovered meanwhile is not to be closed.
        let still = Set(try self.lookAgain().sockets.map(\.entry.cookie))
        var closed = 0
        var failures: [String] = []
        for socket in chosen {
            guard still.contains(socket.entry.cookie) else {
                Output.tell("left alone, no longer \(socket.appraisal.verdict.rawValue): \(socket.pair)")
                continue
            }
            do throws(InventoryError) {
                try SocketInventory.destroy(socket.entry)
                closed += 1
                Output.tell("closed \(socket.pair)")
            } catch {
                switch error.code {
                case .gone: Output.tell("gone already: \(socket.pair)")
                // It would be the same for all.
                case .notPermitted, .unsupported: throw CommandFailure(error)
                default: failures.append("\(socket.pair): \(error)")
                }
            }
        }
        Output.tell("\(closed) of \(chosen.count) closed")
        if let first = failures.first {
            throw CommandFailure(message: "\(failures.count) could not be closed; \(first)", exitCode: .badAnswer)
        }
    }
}

extension InspectedSocket {
    fileprivate var pair: String {
        "\(self.entry.local) - \(self.entry.remote.map { "\($0)" } ?? "*") (\(self.process))"
    }
}
