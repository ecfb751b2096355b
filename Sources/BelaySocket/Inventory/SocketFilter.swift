//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// Which sockets are asked for; what is nil does not matter, and all that is set must match.
///
/// Family, states and ports are compared inside the kernel, so that the others cost little; user and inodes are compared
/// afterwards.
public struct SocketFilter: Hashable, Sendable {
    /// What is spoken: an IPv6 socket that speaks IPv4 counts as IPv4.
    public var family: TransportAddress.Family?
    /// The states, of which the two kinds of SYN-RECEIVED count as one.
    public var states: Set<TCPState>?
    /// The port of either end.
    public var port: UInt16?
    /// The port of this end.
    public var localPort: UInt16?
    /// The port of the far end.
    public var remotePort: UInt16?
    /// The user who opened the socket.
    public var uid: UInt32?
    /// The inodes, such as ``SocketOwners/inodes`` of a process.
    public var inodes: Set<UInt32>?

    /// A filter that lets everything through.
    public init() {}

    /// Every socket, listening ones and those in TIME-WAIT included.
    public static let all = SocketFilter()

    /// Connections that are open, opening or closing, without listening sockets and what is over (TIME-WAIT, CLOSED).
    public static var connections: SocketFilter {
        var filter = SocketFilter()
        filter.states = Set(TCPState.allCases).subtracting([.listen, .timeWait, .closed])
        return filter
    }

    /// Whether the socket is asked for.
    public func matches(_ entry: SocketEntry) -> Bool {
        let remotePort = entry.remote?.port
        return (self.family == nil || self.family == entry.local.family)
            && (self.states == nil || self.stateMask & 1 << UInt32(entry.state.rawValue) != 0)
            && (self.port == nil || self.port == entry.local.port || self.port == remotePort)
            && (self.localPort == nil || self.localPort == entry.local.port)
            && (self.remotePort == nil || self.remotePort == remotePort)
            && (self.uid == nil || self.uid == entry.uid)
            && (self.inodes == nil || entry.inode.map { self.inodes?.contains($0) == true } == true)
    }

    /// The states as the kernel's bits, both kinds of SYN-RECEIVED for either; the bit of a state is its number.
    var stateMask: UInt32 {
        guard let states else { return .max }
        var mask = states.reduce(0 as UInt32) { $0 | 1 << UInt32($1.rawValue) }
        let synReceived = [TCPState.synReceived, .newSynReceived].reduce(0 as UInt32) { $0 | 1 << UInt32($1.rawValue) }
        if mask & synReceived != 0 { mask |= synReceived }
        return mask
    }
}
