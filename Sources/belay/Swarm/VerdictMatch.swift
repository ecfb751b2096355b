//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// Holds a server's events against what a swarm did: which faults it missed, whom it wronged, and how late it was.
///
/// A connection is recognised by our end, and, as ports are used again, by when it was opened. Events of connections that
/// are not ours are skipped.
struct VerdictMatch {
    /// How much later than the bound a verdict may come before it counts as missed at the end of a swarm.
    private static let graceNanoseconds = 500_000_000.0
    /// How long after the end of a freeze its verdicts may still come.
    private static let thawNanoseconds: Int64 = 500_000_000
    /// How much of the bound must be over before a verdict on silence: servers decide a little before the bound is over,
    /// so that what they say is said within it.
    private static let earliestShare = 0.9
    private static let mostExamples = 5

    private let records: [SwarmRecord]
    private let ownDelay: Double
    private let format: WireFormat?
    /// The records of each of our ends, the oldest first.
    private var byLocal: [String: [Int]] = [:]
    private var seen: [Seen]
    private var repeated = 0

    /// What the server said of a connection.
    private struct Seen {
        var connection: String?
        var reason: String?
        var time: Int64 = 0
        var boundNanoseconds: Double?
    }

    /// What a verdict is held against.
    private struct Fault {
        var kind: SwarmFault.Kind
        var at: Int64
        var lastSentAt: Int64
        /// The reasons that fit.
        var reasons: Set<String>

        init(_ strike: SwarmRecord.Strike) {
            self.kind = strike.kind
            self.at = strike.at
            self.lastSentAt = strike.lastSentAt
            self.reasons = strike.kind.reasons
            if !strike.hasSpoken, strike.kind.isMute { self.reasons.insert("policy.handshake-timeout") }
        }

        /// It begins for each connection with what that sent last.
        init(_ freeze: SwarmRecord.Freeze) {
            self.kind = .freeze
            self.at = freeze.lastSentAt
            self.lastSentAt = freeze.lastSentAt
            self.reasons = self.kind.reasons
            if !freeze.hasSpoken { self.reasons.insert("policy.handshake-timeout") }
        }
    }

    /// - Parameters:
    ///   - records: what the swarm did.
    ///   - format: the protocol of the swarm: several swarms may have the same port on listeners of one server.
    ///   - ownDelay: how late the swarm itself may have answered.
    init(records: [SwarmRecord], format: WireFormat? = nil, ownDelay: Duration = .zero) {
        self.records = records
        self.format = format
        self.ownDelay = Double(ownDelay.wholeNanoseconds)
        self.seen = Array(repeating: Seen(), count: records.count)
        for index in records.indices.sorted(by: { records[$0].startedAt < records[$1].startedAt }) {
            self.byLocal[records[index].local, default: []].append(index)
        }
    }

    /// Whether each connection is known to be over, so that there is nothing to wait for.
    var isComplete: Bool { self.seen.allSatisfy { $0.reason != nil } }

    /// Takes an event of the server into account.
    mutating func add(_ event: ServerEvent) {
        if let format, let listener = event.listener, !listener.hasPrefix("\(format.rawValue)://") { return }
        // What began within the millisecond of the event began before it.
        let opened = event.openedAt * 1_000_000 + 999_999
        guard let index = self.byLocal[event.remote]?.last(where: { self.records[$0].startedAt <= opened }) else {
            return
        }
        if let bound = event.boundMilliseconds { self.seen[index].boundNanoseconds = bound * 1_000_000 }
        if let known = self.seen[index].connection, known != event.connection { return }
        self.seen[index].connection = event.connection
        guard case .closed(let reason) = event.kind else { return }
        guard self.seen[index].reason == nil else {
            self.repeated += 1
            return
        }
        self.seen[index].reason = reason
        self.seen[index].time = event.time * 1_000_000
    }

    /// The result; more events may still be added.
    var verdicts: Verdicts {
        var verdicts = Verdicts()
        verdicts.repeated = self.repeated
        for (record, seen) in zip(self.records, self.seen) {
            if seen.connection != nil { verdicts.known += 1 }
            if seen.reason == nil { self.judgeSilence(about: record, seen, &verdicts) }
            if let reason = seen.reason { self.judge(reason, of: record, seen, &verdicts) }
        }
        return verdicts
    }

    /// The server did not say that the connection is over.
    private func judgeSilence(about record: SwarmRecord, _ seen: Seen, _ verdicts: inout Verdicts) {
        if let strike = record.strike {
            verdicts.of(strike.kind) { $0.missed += 1 }
        } else {
            verdicts.endings.missed += 1
        }
        verdicts.note("\(record.local): not reported as closed", Self.mostExamples)
    }

    private func judge(_ reason: String, of record: SwarmRecord, _ seen: Seen, _ verdicts: inout Verdicts) {
        // Events have milliseconds only: all of the millisecond counts.
        let latest = seen.time + 999_999
        if let strike = record.strike, latest >= strike.at {
            let fault = Fault(strike)
            if let closedAt = record.closedAt, latest >= closedAt, !fault.reasons.contains(reason) {
                let due = Double(strike.at) + (seen.boundNanoseconds ?? 0) + Self.graceNanoseconds
                verdicts.of(strike.kind) { if Double(closedAt) >= due { $0.missed += 1 } else { $0.undecided += 1 } }
            } else {
                self.judge(reason, on: fault, of: record, seen, &verdicts)
            }
        } else if let freeze = record.freezes.last(where: { latest >= $0.lastSentAt }),
            seen.time <= freeze.endedAt + Self.thawNanoseconds,
            Double(min(latest, freeze.endedAt) - freeze.lastSentAt) >= (seen.boundNanoseconds ?? 0) * Self.earliestShare
        {
            self.judge(reason, on: Fault(freeze), of: record, seen, &verdicts)
        } else if let closedAt = record.closedAt, latest >= closedAt {
            self.judgeEnding(reason, record, seen, &verdicts)
        } else {
            verdicts.false[reason, default: 0] += 1
            verdicts.note("\(record.local): \(reason), but nothing was wrong", Self.mostExamples)
        }
    }

    private func judge(
        _ reason: String,
        on fault: Fault,
        of record: SwarmRecord,
        _ seen: Seen,
        _ verdicts: inout Verdicts
    ) {
        let bound = seen.boundNanoseconds ?? 0
        let silence = Double(seen.time - fault.lastSentAt)
        let isRight = fault.reasons.contains(reason)
        let proven = Double(seen.time + 999_999 - self.lastProof(fault.lastSentAt, of: record)) + self.ownDelay
        if fault.kind == .silence, isRight, proven < bound * Self.earliestShare {
            verdicts.false[reason, default: 0] += 1
            return verdicts.note("\(record.local): \(reason) long before the bound was over", Self.mostExamples)
        }
        verdicts.of(fault.kind) { verdict in
            verdict.reasons[reason, default: 0] += 1
            guard isRight else {
                verdict.wrong += 1
                return
            }
            verdict.right += 1
            verdict.latencies.append(max(0, Double(seen.time - fault.at) / 1e6))
            if fault.kind.isSilent { verdict.latenesses.append((silence - bound) / 1e6) }
        }
        if !isRight { verdicts.note("\(record.local): \(reason) for \(fault.kind.rawValue)", Self.mostExamples) }
    }

    /// What a connection sent last may be the answer to a ping that waited while the process stood still, and then proves
    /// only that it lived when that ping was sent (rule R15).
    private func lastProof(_ lastSentAt: Int64, of record: SwarmRecord) -> Int64 {
        let freeze = record.freezes.last {
            $0.endedAt <= lastSentAt && lastSentAt <= $0.endedAt + Self.thawNanoseconds
        }
        return freeze?.lastSentAt ?? lastSentAt
    }

    /// The swarm closed it at its end; a freeze before it may have been missed.
    private func judgeEnding(_ reason: String, _ record: SwarmRecord, _ seen: Seen, _ verdicts: inout Verdicts) {
        let bound = seen.boundNanoseconds ?? .infinity
        let isMissed = record.freezes.contains {
            Double($0.endedAt - $0.lastSentAt) >= bound + Self.graceNanoseconds
        }
        if isMissed {
            verdicts.of(.freeze) { $0.missed += 1 }
        } else if SwarmFault.Kind.close.reasons.contains(reason) || SwarmFault.Kind.bye.reasons.contains(reason) {
            verdicts.endings.right += 1
        } else {
            verdicts.endings.wrong += 1
            verdicts.note("\(record.local): \(reason) for an orderly end", Self.mostExamples)
        }
    }
}

extension SwarmFault.Kind {
    /// The reasons that a server may give for it (DESIGN section 4).
    ///
    /// A silent peer's kernel still answers, which is a frozen peer to a server that can tell, and a silent one to others.
    var reasons: Set<String> {
        switch self {
        case .silence, .freeze: ["peer.frozen", "peer.silent"]
        case .close, .flap: ["peer.closed"]
        case .reset: ["peer.reset"]
        case .bye: ["peer.goodbye"]
        case .stopReading: ["peer.not-reading", "peer.frozen", "peer.silent", "policy.slow-consumer"]
        case .babble: ["policy.protocol-violation", "policy.message-too-large"]
        }
    }

    /// Whether the bound runs from the last byte that was sent.
    fileprivate var isSilent: Bool { self == .silence || self == .freeze }

    /// Whether it says nothing more, so that one who never spoke does not complete the handshake.
    fileprivate var isMute: Bool { self.isSilent || self == .stopReading }
}
