//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import BelaySocket

/// Looks at a connection of any program in the kernel's tables.
struct TableProbe {
    var target: ProbeTarget

    /// - Throws: ``CommandFailure`` where the question cannot be answered.
    func report(on text: String) throws -> ProbeReport {
        do throws(InventoryError) {
            // A socket that is closed is in the tables while it is bound, and looks there as one that is over.
            guard let entry = try self.entry(), entry.state != .closed else { return try self.absent(text) }
            return Self.report(entry, text)
        } catch {
            switch error.code {
            case .noSuchProcess, .noSuchDescriptor:
                return ProbeReport(target: text, state: "absent", text: error.message, exitCode: .badAnswer)
            case .notASocket:
                return ProbeReport(target: text, state: .notTCP)
            default:
                throw CommandFailure(message: "TARGET: \(error)", exitCode: CommandFailure(error).exitCode)
            }
        }
    }

    private func entry() throws(InventoryError) -> SocketEntry? {
        switch self.target {
        case .descriptor(let pid, let descriptor):
            try SocketInventory.find(inode: SocketInventory.inode(ofProcess: pid, descriptor: descriptor))
        case .pair(let local, let remote):
            try SocketInventory.find(local: local, remote: remote)
        case .service:
            nil
        }
    }

    /// A pair that is not in the tables is no connection; a socket that is not may be over.
    private func absent(_ text: String) throws(InventoryError) -> ProbeReport {
        guard case .descriptor(let pid, let descriptor) = self.target else {
            return ProbeReport(
                target: text,
                state: "absent",
                text: "there is no such connection here",
                exitCode: .badAnswer
            )
        }
        let state = try ConnectionProbe.state(ofProcess: pid, descriptor: descriptor)
        return ProbeReport(target: text, state: state)
    }

    private static func report(_ entry: SocketEntry, _ text: String) -> ProbeReport {
        var report = ProbeReport(target: text, state: ConnectionProbe.State(entry.state))
        report.local = "\(entry.local)"
        report.remote = entry.remote.map { "\($0)" }
        report.unreadBytes = entry.unreadBytes
        report.hasUnreadBytes = entry.unreadBytes.map { $0 > 0 }
        report.tcp = entry.openInfo?.evidence
        if ![.listen, .timeWait].contains(entry.state) {
            let appraisal = Appraisal(of: entry.look)
            report.appraisal = appraisal
            if appraisal.verdict == .dead { report.exitCode = .badAnswer }
        }
        return report
    }
}
