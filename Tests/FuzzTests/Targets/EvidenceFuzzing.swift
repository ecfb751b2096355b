//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

@testable import BelaySocket

/// Reads what a kernel of any age tells of a connection (`struct tcp_info`), and the same by the offsets of its header.
enum EvidenceFuzzing {
    static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        #if os(Linux)
        var input = FuzzBytes(bytes)
        let (first, now) = (try Self.evidence(input.piece()), try Self.evidence(input.piece()))
        let record = Diagnosis.Record(
            silence: input.duration(),
            unansweredFor: input.optional { $0.duration() },
            queuedBytes: Int(truncatingIfNeeded: input.number(bytes: 8)),
            networkError: input.optional { ErrorNumber(rawValue: Int32(truncatingIfNeeded: $0.number(bytes: 4))) },
            sinceFirst: input.duration(),
            isOverdue: input.byte() & 1 == 1
        )
        try mustBeHarmless(Diagnosis(record, first: first, now: now).explanation)
        #endif
    }

    #if os(Linux)
    private static func evidence(_ bytes: [UInt8]) throws(FuzzFinding) -> TCPEvidence? {
        let info = bytes.withUnsafeBytes { TCPInfo(kernelBytes: $0) }
        try Self.check(info, of: bytes)
        guard let evidence = info?.evidence else { return nil }
        var json = JSONWriter()
        evidence.write(to: &json)
        try mustHold(ObviousJSON.read(json.bytes) != nil, "\(evidence) is no JSON")
        return evidence
    }

    /// The offsets are those of `include/uapi/linux/tcp.h`.
    static func check(_ info: TCPInfo?, of bytes: [UInt8]) throws(FuzzFinding) {
        guard bytes.count >= 104, (1...12).contains(bytes[0]) else {
            return try mustHold(info == nil, "\(bytes) are \(String(describing: info))")
        }
        guard let info else { throw FuzzFinding(description: "\(bytes) are not read") }
        func number(_ offset: Int, _ count: Int = 4) -> UInt64? {
            guard offset + count <= bytes.count else { return nil }
            return bytes[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        let pairs: [(UInt64?, UInt64?)] = [
            (UInt64(info.state.rawValue), number(0, 1)), (UInt64(info.retransmits), number(2, 1)),
            (UInt64(info.probes), number(3, 1)), (UInt64(info.backoff), number(4, 1)),
            (UInt64(info.sendWindowScale | info.receiveWindowScale << 4), number(6, 1)),
            (UInt64(info.retransmissionTimeout), number(8)), (UInt64(info.unacked), number(24)),
            (UInt64(info.lost), number(32)), (UInt64(info.lastDataSent), number(44)),
            (UInt64(info.lastDataReceived), number(52)), (UInt64(info.lastAckReceived), number(56)),
            (UInt64(info.roundTrip), number(68)), (UInt64(info.totalRetransmits), number(100)),
            (info.pacingRate, number(104, 8)), (info.bytesAcked, number(120, 8)), (info.bytesReceived, number(128, 8)),
            (info.notSentBytes.map(UInt64.init), number(144)), (info.deliveryRate, number(160, 8)),
            (info.busyTime, number(168, 8)), (info.delivered.map(UInt64.init), number(192)),
            (info.bytesSent, number(200, 8)), (info.bytesRetransmitted, number(208, 8)),
            (info.sendWindow.map(UInt64.init), number(228)), (info.receiveWindow.map(UInt64.init), number(232)),
            (info.totalTimeouts.map(UInt64.init), number(240, 2)),
        ]
        for (place, (read, told)) in pairs.enumerated() {
            try mustHold(read == told, "field \(place) is \(String(describing: read)), not \(String(describing: told))")
        }
    }
    #endif
}
