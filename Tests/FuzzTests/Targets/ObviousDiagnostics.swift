//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket

/// Answers of socket diagnostics read by the offsets of `include/uapi/linux/netlink.h` and `inet_diag.h`.
struct ObviousDiagnostics {
    static let port: UInt32 = 4_711

    struct Entry {
        var state: TCPState
        var local: TransportAddress
        var remote: TransportAddress
        var interface: UInt32
        var cookie: UInt64
        var receiveQueue: UInt32
        var sendQueue: UInt32
        var user: UInt32
        var inode: UInt32
        /// The last attribute with the connection's figures, and the drops of the last with its memory.
        var info: [UInt8]?
        var dropped: UInt32?
    }

    private(set) var entries: [Entry] = []
    private(set) var notUnderstood = 0
    private(set) var isConsistent = true
    private(set) var failure: InventoryError.Code?

    /// Both families are asked, one after the other.
    init(_ datagrams: [[UInt8]]) {
        var rest = datagrams[...]
        for question in 1...2 as ClosedRange<UInt64> {
            self.failure = self.answer(to: question, from: &rest)
            // A kernel without IPv6 knows no such entry.
            if let failure, question == 2, self.refusal == 2, failure == .failed { self.failure = nil }
            if question == 1, self.refusal == 2, self.failure == .failed { self.failure = .unsupported }
            guard self.failure == nil else { return }
        }
    }

    /// The error number of the answer that ended in one.
    private var refusal: Int64 = 0

    private mutating func answer(to question: UInt64, from datagrams: inout ArraySlice<[UInt8]>) -> InventoryError.Code?
    {
        self.refusal = 0
        var strangers = 0
        while let datagram = datagrams.popFirst() {
            guard datagram.count <= 32_768 else { return .inconsistent }
            var isOurs = false
            var start = 0
            while start < datagram.count {
                let length = Self.number(datagram, start, 4) ?? 0
                guard length >= 16, length <= UInt64(datagram.count - start) else { return .malformedAnswer }
                let message = Array(datagram[start..<start + Int(length)])
                start += (Int(length) + 3) / 4 * 4
                guard Self.number(message, 8, 4) == question, Self.number(message, 12, 4) == UInt64(Self.port) else {
                    continue
                }
                isOurs = true
                if (Self.number(message, 6, 2) ?? 0) & 0x10 != 0 { self.isConsistent = false }
                switch Self.number(message, 4, 2) {
                case 2, 3:
                    guard let result = Self.number(message, 16, 4) else {
                        return Self.number(message, 4, 2) == 3 ? nil : .malformedAnswer
                    }
                    guard result >= 0x8000_0000 else { return nil }
                    self.refusal = 0x1_0000_0000 - Int64(result)
                    return self.refusal == 1 || self.refusal == 13 ? .notPermitted : .failed
                case 4: return .inconsistent
                case 20: self.add(Array(message[16...]))
                default: continue
                }
            }
            if !isOurs { strangers += 1 }
            if strangers > 1_000 { return .noAnswer }
        }
        return .noAnswer
    }

    private mutating func add(_ bytes: [UInt8]) {
        guard bytes.count >= 72, bytes[0] == 2 || bytes[0] == 10, (1...13).contains(bytes[1]),
            let state = TCPState(rawValue: bytes[1] == 13 ? 7 : bytes[1]),
            let local = Self.address(bytes, port: 4, at: 8), let remote = Self.address(bytes, port: 6, at: 24)
        else {
            self.notUnderstood += 1
            return
        }
        func word(_ offset: Int) -> UInt32 { UInt32(Self.number(bytes, offset, 4) ?? 0) }
        var entry = Entry(
            state: state,
            local: local,
            remote: remote,
            interface: word(40),
            cookie: Self.number(bytes, 44, 8) ?? 0,
            receiveQueue: word(56),
            sendQueue: word(60),
            user: word(64),
            inode: word(68)
        )
        var start = 72
        while let length = Self.number(bytes, start, 2).map(Int.init), length >= 4, start + length <= bytes.count {
            let value = Array(bytes[start + 4..<start + length])
            switch (Self.number(bytes, start + 2, 2) ?? 0) & 0x3FFF {
            case 2:
                // Figures that cannot be read are none, also behind others that can.
                entry.info = value.count >= 104 && (1...12).contains(value[0]) ? value : nil
            case 7: entry.dropped = Self.number(value, 32, 4).map { UInt32($0) }
            default: break
            }
            start += (length + 3) / 4 * 4
        }
        self.entries.append(entry)
    }

    private static func address(_ bytes: [UInt8], port: Int, at offset: Int) -> TransportAddress? {
        let number = UInt16(bytes[port]) * 256 + UInt16(bytes[port + 1])
        return TransportAddress(bytes: bytes[offset..<offset + (bytes[0] == 2 ? 4 : 16)], port: number)
    }

    /// The number of `count` bytes there, the lowest first, as the machines have it that Swift runs on.
    private static func number(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> UInt64? {
        guard offset + count <= bytes.count else { return nil }
        return (0..<count).reduce(0) { $0 | UInt64(bytes[offset + $1]) << UInt64(8 * $1) }
    }
}
