//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// One message of a netlink datagram (RFC 3549 section 2.3; `struct nlmsghdr` of `include/uapi/linux/netlink.h`).
///
/// It borrows the datagram's bytes.
struct NetlinkMessage {
    var type: UInt16
    var flags: UInt16
    var sequence: UInt32
    var port: UInt32
    /// What follows the header.
    var payload: UnsafeRawBufferPointer

    static let headerSize = 16
}

/// The messages of one netlink datagram, whatever it contains.
struct NetlinkMessages: IteratorProtocol {
    private var rest: UnsafeRawBufferPointer
    /// Whether the datagram ended in something that is no message.
    private(set) var isMalformed = false

    init(_ datagram: UnsafeRawBufferPointer) {
        self.rest = datagram
    }

    mutating func next() -> NetlinkMessage? {
        guard !self.rest.isEmpty else { return nil }
        guard let length = self.rest.value(at: 0, as: UInt32.self).map(Int.init),
            let type = self.rest.value(at: 4, as: UInt16.self),
            let flags = self.rest.value(at: 6, as: UInt16.self),
            let sequence = self.rest.value(at: 8, as: UInt32.self),
            let port = self.rest.value(at: 12, as: UInt32.self),
            length >= NetlinkMessage.headerSize, length <= self.rest.count
        else {
            self.isMalformed = true
            self.rest = self.rest.part(from: 0, to: 0)
            return nil
        }
        let payload = self.rest.part(from: NetlinkMessage.headerSize, to: length)
        // Messages begin at multiples of 4; the last need not be filled up.
        self.rest = self.rest.part(from: (length + 3) & ~3, to: self.rest.count)
        return NetlinkMessage(type: type, flags: flags, sequence: sequence, port: port, payload: payload)
    }
}

/// The attributes of a message (`struct nlattr`), as far as they can be followed.
struct NetlinkAttributes: IteratorProtocol {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        self.rest = bytes
    }

    mutating func next() -> (type: UInt16, value: UnsafeRawBufferPointer)? {
        guard let length = self.rest.value(at: 0, as: UInt16.self).map(Int.init),
            let type = self.rest.value(at: 2, as: UInt16.self),
            length >= 4, length <= self.rest.count
        else { return nil }
        let value = self.rest.part(from: 4, to: length)
        self.rest = self.rest.part(from: (length + 3) & ~3, to: self.rest.count)
        // The two highest bits are flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
        return (type & 0x3FFF, value)
    }
}
