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
    /// The verdicts of interest; all where empty.
    var verdicts: Set<Verdict> = []

    /// How many sockets alike make a pile.
    private static let pileSize = 10

    /// What the first look saw.
    struct FirstLook {
        var looks: [UInt64: Appraisal.Look] = [:]
        var takenAt = ContinuousClock.now
    }

    /// What was found.
    struct Findings {
        /// The sockets with the verdicts of interest, the worst first.
        var sockets: [InspectedSocket] = []
        /// Sockets alike of the same process, each of which is in ``sockets`` too.
        var piles: [InspectedSocket] = []
        /// How many connections have each verdict, of interest or not.
        var counts: [Verdict: Int] = [:]
        /// How many processes could not be looked into.
        var unreadableProcesses = 0
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
            var sockets = entries.map { entry in
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
            findings.piles = Self.piles(of: sockets)
            if !self.verdicts.isEmpty { sockets.removeAll { !self.verdicts.contains($0.appraisal.verdict) } }
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

    // MARK: - Piles

    private struct PileKey: Hashable {
        let state: TCPState
        let pid: Int32?
        let port: UInt16
    }

    /// Connections that one side has closed and the other has not are how leaks look.
    private static func piles(of sockets: [InspectedSocket]) -> [InspectedSocket] {
        var piles: [PileKey: InspectedSocket] = [:]
        for socket in sockets where [.closeWait, .finWait1, .finWait2].contains(socket.entry.state) {
            let key = PileKey(
                state: socket.entry.state == .finWait1 ? .finWait2 : socket.entry.state,
                pid: socket.owners.first?.pid,
                port: socket.entry.local.port
            )
            piles[key, default: .pile(like: socket)].count += 1
        }
        return piles.values.filter { $0.count >= Self.pileSize }.map(\.explained).sorted(by: InspectedSocket.isWorse)
    }

    private static func translatingErrors<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as InventoryError {
            throw CommandFailure(error)
        }
    }
}

extension InspectedSocket {
    fileprivate static func pile(like socket: InspectedSocket) -> InspectedSocket {
        var pile = socket
        pile.kind = .pile
        pile.count = 0
        return pile
    }

    fileprivate var explained: InspectedSocket {
        var pile = self
        let closedByPeer = self.entry.state == .closeWait
        pile.appraisal = Appraisal(
            verdict: .suspect,
            code: closedByPeer ? .peerClosed : nil,
            explanation: closedByPeer
                ? "\(self.count) connections that their peers closed and this program did not: a leak"
                : "\(self.count) connections that were closed here and not by their peers"
        )
        return pile
    }
}

extension CommandFailure {
    /// The exit code says whether the question was wrong or cannot be answered here.
    init(_ error: InventoryError) {
        let exitCode: ExitCode =
            switch error.code {
            case .noSuchProcess, .noSuchDescriptor, .notASocket: .usage
            case .unsupported, .notPermitted, .noAnswer, .inconsistent: .unknown
            case .gone: .badAnswer
            case .malformedAnswer, .failed: .internalError
            }
        self.init(message: error.message, exitCode: exitCode)
    }
}
