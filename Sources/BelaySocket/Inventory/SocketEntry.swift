//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// A TCP socket of this host as the kernel's tables have it at one moment.
///
/// What the kernel does not tell is nil, never zero. Source: `struct inet_diag_msg` of
/// `include/uapi/linux/inet_diag.h`, filled by `net/ipv4/inet_diag.c` and `net/ipv4/tcp_diag.c`.
public struct SocketEntry: Hashable, Sendable {
    /// The address and port of this end; of an IPv6 socket that speaks IPv4, the IPv4 address.
    public internal(set) var local: TransportAddress
    var rawRemote: TransportAddress
    /// What the kernel calls this socket and, until it boots again, no other.
    public internal(set) var cookie: UInt64
    var details: Boxed<Details>?
    var rawInterface: UInt32
    var rawReceiveQueue: UInt32
    var rawSendQueue: UInt32
    var rawUser: UInt32
    var rawInode: UInt32
    var rawExpires: UInt32
    var rawTimer: UInt8
    var rawRetransmits: UInt8
    /// The family of the socket itself: `ipv6` for an IPv6 socket, although it speak IPv4.
    public internal(set) var socketFamily: TransportAddress.Family
    /// The state of the connection; one that the kernel has not accepted yet is `synReceived`.
    public internal(set) var state: TCPState

    struct Details: Hashable, Sendable {
        var tcpInfo: TCPInfo?
        var memory: SocketMemory?
    }

    /// A value behind a reference, so that an entry without it stays small.
    indirect enum Boxed<Value: Hashable & Sendable>: Hashable, Sendable {
        case value(Value)
    }
}

extension SocketEntry {
    /// The address and port of the far end; nil of a socket that listens, or is bound and not connected.
    public var remote: TransportAddress? {
        self.rawRemote.port == 0 && self.rawRemote.isUnspecified ? nil : self.rawRemote
    }

    /// The index of the interface that the socket is bound to; nil where it is bound to none.
    ///
    /// The zone of a link-local address, too.
    public var interface: UInt32? { self.rawInterface == 0 ? nil : self.rawInterface }

    /// The inode of the socket, by which ``SocketOwners`` finds the processes that hold it.
    ///
    /// Nil where none does: connections in TIME-WAIT, not yet accepted, or left to the kernel by `close`.
    public var inode: UInt32? { self.rawInode == 0 ? nil : self.rawInode }

    /// The user who opened the socket; nil where no process holds it and the kernel does not know.
    public var uid: UInt32? { self.rawInode == 0 && self.rawUser == 0 ? nil : self.rawUser }

    /// Bytes that arrived and that the program has not read (Recv-Q); the peer's FIN counts as one.
    ///
    /// Nil of a listening socket, which has an ``acceptQueueLength`` in its place, and where the kernel keeps no queue:
    /// in TIME-WAIT, and of connections that it has not completed.
    public var receiveQueueBytes: UInt32? { self.hasByteQueues ? self.rawReceiveQueue : nil }

    /// Bytes that the program wrote and that the peer has not acknowledged (Send-Q); our FIN counts as one.
    ///
    /// Nil where ``receiveQueueBytes`` is.
    public var sendQueueBytes: UInt32? { self.hasByteQueues ? self.rawSendQueue : nil }

    /// Connections that are complete and wait for `accept`; nil unless the socket listens.
    public var acceptQueueLength: UInt32? { self.state == .listen ? self.rawReceiveQueue : nil }

    /// How many connections may wait for `accept` before new ones are refused; nil unless the socket listens.
    ///
    /// The lower of what `listen` asked for and `net.core.somaxconn`; Linux lets one more wait.
    public var acceptQueueLimit: UInt32? { self.state == .listen ? self.rawSendQueue : nil }

    /// The timer that fires next; nil where none runs, or one of a kind that is not known here.
    public var timer: SocketTimer? {
        guard let kind = SocketTimer.Kind(rawValue: self.rawTimer) else { return nil }
        // Older kernels tell of a timer that is overdue as a negative number.
        let milliseconds = self.rawExpires > UInt32(Int32.max) ? 0 : self.rawExpires
        return SocketTimer(kind: kind, retransmits: self.rawRetransmits, milliseconds: milliseconds)
    }

    /// All that the kernel tells of the connection (INET_DIAG_INFO).
    ///
    /// Nil where it was not asked for, and where there is only a remainder of a connection (TIME-WAIT) or a beginning.
    public var tcpInfo: TCPInfo? {
        guard case .value(let details) = self.details else { return nil }
        return details.tcpInfo
    }

    /// The memory that the kernel holds for the socket (INET_DIAG_SKMEMINFO); nil where ``tcpInfo`` is.
    public var memory: SocketMemory? {
        guard case .value(let details) = self.details else { return nil }
        return details.memory
    }

    /// Whether there is a socket with queues: neither a listening one, nor the kernel's small stand-in for one.
    private var hasByteQueues: Bool {
        switch self.state {
        case .listen: false
        case .synReceived: self.rawInode != 0 || self.tcpInfo != nil
        default: self.rawTimer != SocketTimer.Kind.timeWait.rawValue
        }
    }
}
