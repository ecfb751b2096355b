//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import Foundation

/// Prints what an inspection found: a table or JSON on standard output, the summary on standard error.
struct InspectReport {
    var printsJSON: Bool
    /// Whether to show every row, however many the terminal has room for.
    var showsAll = false

    /// Prints everything once.
    ///
    /// - Returns: whether anybody reads it.
    @discardableResult
    func show(_ findings: SocketSurvey.Findings) -> Bool {
        guard !self.printsJSON else { return self.showJSON(findings) }
        var table = SocketTable(width: Terminal.width, isColoured: Terminal.isColoured)
        if !self.showsAll { table.aliveRows = Terminal.height.map { max(5, $0 - 4) } }
        let isShown = Output.write(Array(table.text(of: findings.rows).utf8), to: STDOUT_FILENO)
        Output.tell(findings.summary)
        return isShown
    }

    /// One array in one line: every socket, then the piles.
    @discardableResult
    func showJSON(_ findings: SocketSurvey.Findings) -> Bool {
        var json = JSONWriter(reservingCapacity: 1_024)
        json.beginArray()
        for socket in findings.sockets { socket.write(to: &json) }
        for pile in findings.piles { pile.write(to: &json) }
        json.endArray()
        return Output.write(json.bytes + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
    }
}

extension SocketSurvey.Findings {
    /// The rows of a table, in which a pile stands for its sockets.
    var rows: [InspectedSocket] {
        guard !self.piles.isEmpty else { return self.sockets }
        let piled = self.piles.reduce(into: Set<UInt64>()) { $0.formUnion($1.members) }
        let single = self.sockets.filter { !piled.contains($0.entry.cookie) }
        return (self.piles + single).sorted(by: InspectedSocket.isWorse)
    }

    /// What it takes to look into every process.
    private static var privilege: String { geteuid() == 0 ? "CAP_SYS_PTRACE" : "root: CAP_SYS_PTRACE" }

    /// How many there are of each verdict, and what could not be seen.
    var summary: String {
        let counts = Verdict.allCases.reversed().map { "\(self.counts[$0] ?? 0) \($0.rawValue)" }
        var summary = "\(self.counts.values.reduce(0, +)) connections: \(counts.joined(separator: ", "))"
        if self.unreadableProcesses > 0 {
            let processes = self.unreadableProcesses == 1 ? "1 process" : "\(self.unreadableProcesses) processes"
            summary += "; \(processes) could not be looked into (needs \(Self.privilege))"
        }
        return summary
    }
}
