//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Synchronization
import Testing

@testable import BelaySocket

#if os(Linux)
/// Real answers of the kernel with random damage.
@Suite struct DiagnosticsMutationTests {
    /// The datagrams of a real dump, of one connection and its listening socket.
    private func recorded() throws -> [[UInt8]] {
        let loopback = try Loopback(.mapped)
        let datagrams = Mutex<[[UInt8]]>([])
        var calls = SystemCalls.system
        calls.receive = { (descriptor, room, flags) throws(ErrorNumber) in
            let count = try SystemCalls.system.receive(descriptor, room, flags)
            datagrams.withLock { $0.append(Array(room.prefix(count))) }
            return count
        }
        var filter = SocketFilter()
        filter.port = try loopback.serverAddress.port
        let sockets = try SocketInventory.sockets(matching: filter, details: .all, through: calls)
        try #require(sockets.count >= 3)
        return datagrams.withLock { $0 }
    }

    @Test("no damage to an answer ends this process, and every entry that is read can be used")
    func mutations() throws {
        let recorded = try self.recorded()
        var random = SplitMix64(seed: 0x5EED)
        var understood = 0
        var errors: Set<InventoryError.Code> = []
        for _ in 0..<20_000 {
            var datagrams = recorded
            // The answers were for another port.
            for index in datagrams.indices { Self.address(&datagrams[index]) }
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                Self.damage(&datagrams[Int.random(in: datagrams.indices, using: &random)], using: &random)
            }
            let kernel = ScriptedNetlink(datagrams.map { .bytes($0) })
            do throws(InventoryError) {
                try SocketInventory.visit(matching: .all, details: .all, through: kernel.calls) { entry in
                    understood += Self.use(entry)
                    return true
                }
            } catch {
                errors.insert(error.code)
            }
            guard kernel.isClosed else {
                Issue.record("left open")
                return
            }
        }
        // The damage was neither harmless nor total.
        #expect(understood > 10_000)
        #expect(errors.isSuperset(of: [.noAnswer, .malformedAnswer, .failed]))
    }

    private static func address(_ datagram: inout [UInt8]) {
        var offset = 0
        while offset + 16 <= datagram.count {
            let length = datagram.withUnsafeBytes { $0.value(at: offset, as: UInt32.self) } ?? 0
            datagram.replaceSubrange(offset + 12..<offset + 16, with: ScriptedNetlink.bytes(ScriptedNetlink.port))
            offset += max(16, (Int(length) + 3) & ~3)
        }
    }

    private static func damage(_ datagram: inout [UInt8], using random: inout SplitMix64) {
        guard !datagram.isEmpty else { return }
        let place = Int.random(in: datagram.indices, using: &random)
        switch Int.random(in: 0..<5, using: &random) {
        case 0: datagram[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: datagram[place] = [0, 1, 3, 4, 0x7F, 0x80, 0xFF].randomElement(using: &random) ?? 0
        case 2: datagram.removeSubrange(place...)
        case 3: datagram.removeSubrange(place..<min(place + 4, datagram.count))
        default: datagram.insert(contentsOf: [0xFF, 0xFF, 0xFF, 0xFF], at: place)
        }
    }

    /// Asks for everything that is computed.
    private static func use(_ entry: SocketEntry) -> Int {
        let text = entry.local.description + (entry.remote?.description ?? "")
        let numbers = [
            entry.receiveQueueBytes, entry.sendQueueBytes, entry.acceptQueueLength, entry.acceptQueueLimit, entry.uid,
            entry.inode, entry.interface, entry.timer?.milliseconds, entry.tcpInfo?.evidence.unacked,
            entry.memory?.backlog,
        ]
        return text.isEmpty && numbers.isEmpty ? 0 : 1
    }
}
#endif
