//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

#if os(Linux)
import CBelayLinux

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension SocketEntry {
    /// Reads a `struct inet_diag_msg` and the attributes behind it.
    ///
    /// Nil where the bytes do not reach, or name a family or state that does not exist. An attribute that is not
    /// understood is passed over.
    init?(kernelBytes bytes: UnsafeRawBufferPointer) {
        guard let message = bytes.value(at: 0, as: inet_diag_msg.self), let state = TCPState(message.idiag_state)
        else { return nil }
        switch Int32(message.idiag_family) {
        case AF_INET: self.socketFamily = .ipv4
        case AF_INET6: self.socketFamily = .ipv6
        default: return nil
        }
        let id = message.id
        self.local = TransportAddress(
            words: id.idiag_src,
            family: self.socketFamily,
            port: UInt16(bigEndian: id.idiag_sport)
        )
        self.rawRemote = TransportAddress(
            words: id.idiag_dst,
            family: self.socketFamily,
            port: UInt16(bigEndian: id.idiag_dport)
        )
        self.cookie = UInt64(id.idiag_cookie.0) | UInt64(id.idiag_cookie.1) << 32
        self.rawInterface = id.idiag_if
        self.rawReceiveQueue = message.idiag_rqueue
        self.rawSendQueue = message.idiag_wqueue
        self.rawUser = message.idiag_uid
        self.rawInode = message.idiag_inode
        self.rawExpires = message.idiag_expires
        self.rawTimer = message.idiag_timer
        self.rawRetransmits = message.idiag_retrans
        self.state = state

        var details = Details()
        var attributes = NetlinkAttributes(bytes.part(from: MemoryLayout<inet_diag_msg>.size, to: bytes.count))
        while let attribute = attributes.next() {
            switch Int(attribute.type) {
            case Int(INET_DIAG_INFO): details.tcpInfo = TCPInfo(kernelBytes: attribute.value)
            case Int(INET_DIAG_SKMEMINFO): details.memory = SocketMemory(kernelBytes: attribute.value)
            default: continue
            }
        }
        self.details = details.tcpInfo == nil && details.memory == nil ? nil : .value(details)
    }
}

extension TCPState {
    /// The state as socket diagnostics number it: one more than elsewhere, for sockets that are bound and not connected
    /// (TCP_BOUND_INACTIVE of `include/net/tcp_states.h`, since Linux 6.8).
    init?(_ diagnosticsState: UInt8) {
        self.init(rawValue: diagnosticsState == Self.boundInactive ? Self.closed.rawValue : diagnosticsState)
    }

    private static let boundInactive: UInt8 = 13
}

extension SocketMemory {
    /// Reads the array of 32-bit numbers; nil where it is shorter than the oldest kernels give (7).
    init?(kernelBytes bytes: UnsafeRawBufferPointer) {
        func number(_ index: Int) -> UInt32? { bytes.value(at: index * 4, as: UInt32.self) }
        guard let receiveAllocated = number(0), let receiveBuffer = number(1), let sendAllocated = number(2),
            let sendBuffer = number(3), let forwardAllocated = number(4), let sendQueued = number(5),
            let options = number(6)
        else { return nil }
        self.init(
            receiveAllocated: receiveAllocated,
            receiveBuffer: receiveBuffer,
            sendAllocated: sendAllocated,
            sendBuffer: sendBuffer,
            forwardAllocated: forwardAllocated,
            sendQueued: sendQueued,
            options: options,
            backlog: number(7),
            dropped: number(8)
        )
    }
}
#endif
