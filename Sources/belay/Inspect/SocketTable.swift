//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket

/// The table of `belay inspect`, as wide as the terminal.
struct SocketTable {
    /// How many columns there are room for; nil for any number.
    var width: Int?
    /// Whether to colour.
    var isColoured = false
    /// How many rows at most are shown of sockets that are alive; nil for all.
    var aliveRows: Int?
    /// Whether a column shows what changed.
    var showsChanges = false

    /// A column, in the order of the table.
    private struct Column {
        var title: String
        /// The higher, the earlier it goes where there is no room; nil never goes.
        var droppedAt: Int?
        var alignsRight = false
        var cell: (InspectedSocket) -> String
    }

    private static let narrowestWhy = 28

    private var columns: [Column] {
        var columns: [Column] = []
        if self.showsChanges { columns.append(Column(title: " ") { $0.change?.rawValue ?? " " }) }
        columns += [
            Column(title: "VERDICT") { $0.appraisal.verdict.rawValue },
            Column(title: "REASON", droppedAt: 2) { $0.appraisal.code?.rawValue ?? $0.entry.state.name },
            Column(title: "SILENCE", droppedAt: 3, alignsRight: true) { $0.silence?.rounded ?? "-" },
            Column(title: "PROCESS", droppedAt: 1) { $0.process },
            Column(title: "LOCAL", droppedAt: 4) { $0.kind == .pile ? $0.pileEnds.local ?? "*" : "\($0.entry.local)" },
            Column(title: "REMOTE") { socket in
                guard socket.kind == .pile else { return socket.entry.remote.map { "\($0)" } ?? "*" }
                return socket.pileEnds.remote.map { "\($0) (\(socket.count))" } ?? "(\(socket.count))"
            },
            Column(title: "RTT", droppedAt: 7, alignsRight: true) { socket in
                socket.tcpInfo.map { Duration.microseconds(Int64($0.roundTrip)).rounded } ?? "-"
            },
            Column(title: "RETRANS", droppedAt: 5, alignsRight: true) { socket in
                guard socket.kind == .connection, let info = socket.entry.tcpInfo else { return "-" }
                return "\(info.retransmits)/\(info.totalRetransmits)"
            },
            Column(title: "RECV-Q", droppedAt: 6, alignsRight: true) { socket in
                guard socket.kind != .pile else { return "-" }
                return (socket.entry.unreadBytes ?? socket.entry.acceptQueueLength).map { "\($0)" } ?? "-"
            },
            Column(title: "SEND-Q", droppedAt: 6, alignsRight: true) { socket in
                guard socket.kind != .pile else { return "-" }
                return (socket.entry.sendQueueBytes ?? socket.entry.acceptQueueLimit).map { "\($0)" } ?? "-"
            },
        ]
        return columns
    }

    /// The table, each line ended.
    func text(of sockets: [InspectedSocket]) -> String {
        let shown = self.shown(of: sockets)
        var columns = self.columns
        var cells = shown.map { socket in columns.map { $0.cell(socket) } }
        var widths = columns.indices.map { index in
            cells.reduce(columns[index].title.count) { max($0, $1[index].count) }
        }
        while let width, widths.reduce(0, { $0 + $1 + 2 }) + Self.narrowestWhy > width,
            let first = columns.indices.filter({ columns[$0].droppedAt != nil })
                .max(by: { columns[$0].droppedAt ?? 0 < columns[$1].droppedAt ?? 0 })
        {
            columns.remove(at: first)
            widths.remove(at: first)
            for row in cells.indices { cells[row].remove(at: first) }
        }
        var text = self.line(columns.map(\.title), columns, widths, "WHY")
        for (socket, row) in zip(shown, cells) {
            let line = self.line(row, columns, widths, socket.appraisal.explanation)
            text += self.coloured(line, socket.appraisal.verdict)
        }
        if shown.count < sockets.count { text += "... and \(sockets.count - shown.count) more that are alive\n" }
        return text
    }

    private func shown(of sockets: [InspectedSocket]) -> ArraySlice<InspectedSocket> {
        guard let aliveRows else { return sockets[...] }
        let wrong = sockets.prefix { $0.appraisal.verdict != .alive || $0.change != nil }.count
        return sockets.prefix(max(wrong, aliveRows))
    }

    private func line(_ cells: [String], _ columns: [Column], _ widths: [Int], _ why: String) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: widths[index] - cell.count)
            line += columns[index].alignsRight ? padding + cell + "  " : cell + padding + "  "
        }
        line += why
        if let width, line.count > width { line = line.prefix(max(1, width - 1)) + "…" }
        return line + "\n"
    }

    private func coloured(_ line: String, _ verdict: Verdict) -> String {
        guard self.isColoured else { return line }
        let colour =
            switch verdict {
            case .alive: ""
            case .suspect: "\u{1B}[33m"
            case .dead: "\u{1B}[31m"
            }
        return colour.isEmpty ? line : colour + line.dropLast() + "\u{1B}[0m\n"
    }
}
