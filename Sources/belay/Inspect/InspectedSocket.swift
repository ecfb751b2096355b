//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket

/// A row of `belay inspect`: a socket with its verdict, or a pile of sockets alike.
struct InspectedSocket {
    /// What the row stands for.
    enum Kind: String {
        case connection, listener, pile
    }

    /// How the verdict changed since the last drawing.
    enum Change: String {
        case worse = "!"
        case better = "~"
        case new = "+"
    }

    var kind: Kind
    /// The socket; of a pile, one of them.
    var entry: SocketEntry
    var appraisal: Appraisal
    var owners: [SocketOwner]
    /// Of a pile, the sockets that the row stands for, by their cookies.
    var members: Set<UInt64> = []
    /// Of a pile, the end that its sockets have in common.
    var pileEnds: (local: String?, remote: String?)
    var change: Change?

    init(_ entry: SocketEntry, after first: Appraisal.Look?, elapsed: Duration, owners: [SocketOwner]) {
        self.entry = entry
        self.owners = owners
        if let length = entry.acceptQueueLength, let limit = entry.acceptQueueLimit {
            self.kind = .listener
            self.appraisal = Appraisal(acceptQueueLength: length, limit: limit)
        } else {
            self.kind = .connection
            self.appraisal = Appraisal(of: entry.look, after: first, elapsed: elapsed)
        }
    }

    /// How many sockets the row stands for.
    var count: Int { max(1, self.members.count) }

    /// What the kernel tells of the connection; nil while it is being opened, when its ages mean nothing.
    var tcpInfo: TCPInfo? { self.kind == .connection ? self.entry.openInfo : nil }

    /// How long nothing came; nil where the kernel does not tell.
    var silence: Duration? { self.tcpInfo.map { .milliseconds(Int64($0.lastDataReceived)) } }

    /// The name of the first process that holds it, fit to be printed.
    var process: String {
        guard let owner = self.owners.first else { return "-" }
        let more = self.owners.contains { $0.pid != owner.pid } ? "+" : ""
        return "\(owner.command?.visible ?? "?")[\(owner.pid)]\(more)"
    }

    /// The worst first; among equals those that have tried longest, then those that have been silent longest.
    static func isWorse(_ lhs: InspectedSocket, _ rhs: InspectedSocket) -> Bool {
        if lhs.appraisal.verdict != rhs.appraisal.verdict { return lhs.appraisal.verdict > rhs.appraisal.verdict }
        if lhs.count != rhs.count { return lhs.count > rhs.count }
        let (left, right) = (lhs.entry.tcpInfo?.backoff ?? 0, rhs.entry.tcpInfo?.backoff ?? 0)
        if left != right { return left > right }
        if lhs.silence != rhs.silence { return lhs.silence ?? .zero > rhs.silence ?? .zero }
        // Any order will do that stays the same.
        return lhs.entry.cookie < rhs.entry.cookie
    }
}

extension SocketEntry {
    /// Bytes that the program has not read, without the peer's FIN, which the kernel counts as one.
    var unreadBytes: UInt32? {
        switch self.state {
        case .closeWait, .lastAck, .closing: self.receiveQueueBytes.map { $0 > 0 ? $0 - 1 : 0 }
        default: self.receiveQueueBytes
        }
    }

    /// What the kernel tells of a connection that was opened.
    var openInfo: TCPInfo? {
        switch self.state {
        case .synSent, .synReceived, .newSynReceived, .listen, .closed: nil
        default: self.tcpInfo
        }
    }

    /// What an appraisal is made of.
    var look: Appraisal.Look {
        Appraisal.Look(
            tcp: self.tcpInfo?.evidence ?? self.evidenceWithoutInfo,
            receiveQueueBytes: self.unreadBytes ?? 0
        )
    }

    /// The kernel keeps little of a connection that is only being opened: its state and its timer.
    private var evidenceWithoutInfo: TCPEvidence {
        var evidence = TCPEvidence(state: self.state)
        evidence.retransmits = self.timer?.retransmits ?? 0
        return evidence
    }
}
