//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Synchronization

@testable import BelaySocket

/// Hands datagrams to the reader of socket diagnostics in place of a kernel, and reads them by hand as well.
///
/// The input is pieces, each a datagram. The two questions have the numbers 1 and 2, and we are the port 4,711.
enum DiagnosticsFuzzing {
    static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        #if os(Linux)
        var input = FuzzBytes(bytes)
        var datagrams: [[UInt8]] = []
        while !input.isEmpty { datagrams.append(input.piece()) }
        let kernel = FuzzKernel(datagrams)
        var entries: [SocketEntry] = []
        let result = Result { () throws(InventoryError) in
            try SocketInventory.visit(matching: .all, details: .all, through: kernel.calls) { entry in
                entries.append(entry)
                return true
            }
        }
        let obvious = ObviousDiagnostics(datagrams)
        try mustHold(kernel.isClosed, "left open")
        try mustHold(entries.count == obvious.entries.count, "\(entries.count), not \(obvious.entries.count)")
        for (entry, told) in zip(entries, obvious.entries) { try Self.check(entry, told) }
        switch result {
        case .success(let summary):
            try mustHold(obvious.failure == nil, "no error, obviously \(String(describing: obvious.failure))")
            let isSame = summary.listed == entries.count && summary.notUnderstood == obvious.notUnderstood
            try mustHold(isSame && summary.isConsistent == obvious.isConsistent, "\(summary)")
        case .failure(let error):
            try mustHold(obvious.failure == error.code, "\(error), obviously \(String(describing: obvious.failure))")
            try mustBeHarmless(error.message)
        }
        #endif
    }

    #if os(Linux)
    private static func check(_ entry: SocketEntry, _ told: ObviousDiagnostics.Entry) throws(FuzzFinding) {
        let isSame =
            entry.state == told.state && entry.local == told.local && entry.rawRemote == told.remote
            && entry.cookie == told.cookie && entry.rawReceiveQueue == told.receiveQueue
            && entry.rawSendQueue == told.sendQueue && entry.rawUser == told.user && entry.rawInode == told.inode
            && entry.rawInterface == told.interface && entry.memory?.dropped == told.dropped
        try mustHold(isSame, "\(entry), obviously \(told)")
        try EvidenceFuzzing.check(entry.tcpInfo, of: told.info ?? [])
        try mustBeHarmless("\(entry.local) \(String(describing: entry.remote)) \(entry.state.name)")
        let timer = entry.timer.map { $0.milliseconds <= UInt32(Int32.max) }
        try mustHold(timer != false, "\(String(describing: entry.timer))")
        let isListening = entry.acceptQueueLength != nil
        try mustHold(!isListening || entry.receiveQueueBytes == nil, "\(entry)")
    }
    #endif
}

#if os(Linux)
/// A kernel that answers with these datagrams, and then not at all.
private final class FuzzKernel: Sendable {
    private let datagrams: Mutex<ArraySlice<[UInt8]>>
    private let open = Mutex(0)

    init(_ datagrams: [[UInt8]]) {
        self.datagrams = Mutex(datagrams[...])
    }

    var isClosed: Bool { self.open.withLock { $0 == 0 } }

    var calls: SystemCalls {
        SystemCalls(
            getOption: { (_, _, _, _) throws(ErrorNumber) in throw .notImplemented },
            setOption: { _, _, _, _ in },
            receive: { (_, room, _) throws(ErrorNumber) in
                guard let datagram = self.datagrams.withLock({ $0.popFirst() }) else { throw .wouldBlock }
                room.copyBytes(from: datagram.prefix(room.count))
                return datagram.count
            },
            send: { _, bytes, _ in bytes.count },
            poll: { (_, _) throws(ErrorNumber) in throw .notImplemented },
            openSocket: { _, _, _ in
                self.open.withLock { $0 += 1 }
                return 99
            },
            bind: { _, _ in },
            socketName: { _, room in
                room.storeBytes(of: ObviousDiagnostics.port, toByteOffset: 4, as: UInt32.self)
                return 12
            },
            close: { _ in self.open.withLock { $0 -= 1 } },
            numbers: { (_, _) throws(ErrorNumber) in throw .notImplemented },
            readLink: { (_, _) throws(ErrorNumber) in throw .notImplemented },
            readFile: { (_, _) throws(ErrorNumber) in throw .notImplemented },
            copyDescriptor: { (_, _) throws(ErrorNumber) in throw .notImplemented }
        )
    }
}
#endif
