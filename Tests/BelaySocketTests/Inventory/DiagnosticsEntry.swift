//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

@testable import BelaySocket

#if os(Linux)
/// A socket as the kernel tells it, `struct inet_diag_msg`: an established IPv4 connection to begin with.
struct DiagnosticsEntry {
    var family: UInt8 = 2
    var state: UInt8 = 1
    var timer: UInt8 = 0
    var retransmits: UInt8 = 0
    var local = TransportAddress(ipv4: 0xC000_0201, port: 7_400)
    var remote = TransportAddress(ipv4: 0xC000_0207, port: 51_234)
    var interface: UInt32 = 0
    var cookie: UInt64 = 0x1122_3344_5566_7788
    var expires: UInt32 = 0
    var receiveQueue: UInt32 = 11
    var sendQueue: UInt32 = 22
    var uid: UInt32 = 1_000
    var inode: UInt32 = 777
    var attributes: [(type: UInt16, value: [UInt8])] = []

    var bytes: [UInt8] {
        func bytes(_ value: some BitwiseCopyable) -> [UInt8] { withUnsafeBytes(of: value, Array.init) }
        let isMapped = self.family == 10
        var all = [self.family, self.state, self.timer, self.retransmits]
        all += bytes(self.local.port.bigEndian) + bytes(self.remote.port.bigEndian)
        all += bytes(self.local.words(mapped: isMapped)) + bytes(self.remote.words(mapped: isMapped))
        all += bytes(self.interface) + bytes(self.cookie) + bytes(self.expires)
        all += bytes(self.receiveQueue) + bytes(self.sendQueue) + bytes(self.uid) + bytes(self.inode)
        for attribute in self.attributes {
            all += bytes(UInt16(4 + attribute.value.count)) + bytes(attribute.type) + attribute.value
            all += [UInt8](repeating: 0, count: (4 - attribute.value.count % 4) % 4)
        }
        return all
    }

    /// As the kernel tells it and we read it.
    var read: SocketEntry? { self.bytes.withUnsafeBytes { SocketEntry(kernelBytes: $0) } }
}
#endif
