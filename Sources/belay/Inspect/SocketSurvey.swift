//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import BelaySocket

/// Two looks at the TCP sockets of this host, some time apart.
struct SocketSurvey {
    /// The port of either end; nil for all.
    var port: UInt16?
    /// The process that holds the sockets; nil for all.
    var pid: Int32?
    /// What the first look saw.
    struct FirstLook {
        var looks: [UInt64: Appraisal.Look] = [:]
        var takenAt = ContinuousClock.now
    }

    /// What was found.
    struct Findings {
        /// All sockets, the worst first.
        var sockets: [InspectedSocket] = []
        /// Sockets alike of the same process, each of which is in ``sockets`` too.
        var piles: [InspectedSocket] = []
        /// How many connections have each verdict, of interest or not.
        var counts: [Verdict: Int] = [:]
        /// How many processes could not be looked into.
        var unreadableProcesses = 0
        /// When the tables were read.
        var takenAt = ContinuousClock.now
    }

    /// Takes the first look.
    ///
    /// - Throws: ``CommandFailure``.
    func look() throws -> FirstLook {
        try Self.translatingErrors {
            var first = FirstLook()
            try SocketInventory.forEach(matching: try self.filter().filter, details: .tcpInfo) { entry in
                if entry.tcpInfo != nil { first.looks[entry.cookie] = entry.look }
            }
            return first
        }
    }

    /// Takes the second look.
    ///
    /// - Throws: ``CommandFailure``.
    func findings(after first: FirstLook?) throws -> Findings {
        try Self.translatingErrors {
            let (filter, ofProcess) = try self.filter()
            let elapsed = first.map { $0.takenAt.duration(to: .now) } ?? .zero
            let entries = try SocketInventory.sockets(matching: filter, details: .tcpInfo)
            let owners = try ofProcess ?? SocketOwners.all()
            var findings = Findings()
            findings.unreadableProcesses = owners.unreadableProcesses
            let sockets = entries.map { entry in
                InspectedSocket(
                    entry,
                    after: first?.looks[entry.cookie],
                    elapsed: elapsed,
                    owners: owners.owners(of: entry)
                )
            }
            for socket in sockets where socket.kind == .connection {
                findings.counts[socket.appraisal.verdict, default: 0] += 1
            }
            findings.piles = SocketPiles.piles(of: sockets)
            findings.sockets = sockets.sorted(by: InspectedSocket.isWorse)
            return findings
        }
    }

    private func filter() throws(InventoryError) -> (filter: SocketFilter, owners: SocketOwners?) {
        var filter = SocketFilter()
        filter.states = Set(TCPState.allCases).subtracting([.timeWait, .closed])
        filter.port = self.port
        guard let pid else { return (filter, nil) }
        let owners = try SocketOwners.ofProcess(pid)
        filter.inodes = owners.inodes
        return (filter, owners)
    }

    private static func translatingErrors<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as InventoryError {
            throw CommandFailure(error)
        }
    }
}

extension SocketSurvey.Findings {
    /// What the look that comes after this one is compared with.
    var asFirstLook: SocketSurvey.FirstLook {
        let looks = self.sockets.filter { $0.entry.tcpInfo != nil }.map { ($0.entry.cookie, $0.entry.look) }
        return SocketSurvey.FirstLook(looks: Dictionary(looks) { $1 }, takenAt: self.takenAt)
    }

    /// The findings with these verdicts, and what changed; all where none is named.
    func only(_ verdicts: Set<Verdict>) -> Self {
        guard !verdicts.isEmpty else { return self }
        var findings = self
        findings.sockets.removeAll { !verdicts.contains($0.appraisal.verdict) && $0.change == nil }
        findings.piles.removeAll { !verdicts.contains($0.appraisal.verdict) }
        return findings
    }
}

extension CommandFailure {
    /// The exit code says whether the question was wrong or cannot be answered here.
    init(_ error: InventoryError) {
        let exitCode: ExitCode =
            switch error.code {
            case .noSuchProcess: .usage
            case .noSuchDescriptor, .gone: .badAnswer
            case .notASocket, .unsupported, .notPermitted, .noAnswer, .inconsistent: .unknown
            case .malformedAnswer, .failed: .internalError
            }
        self.init(message: error.message, exitCode: exitCode)
    }
}
