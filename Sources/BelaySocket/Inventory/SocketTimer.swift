//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The kernel's timer of a TCP socket that fires next.
///
/// Source: `idiag_timer`, `idiag_retrans` and `idiag_expires` of `include/uapi/linux/inet_diag.h`, filled by
/// `inet_sk_diag_fill` in `net/ipv4/inet_diag.c`.
public struct SocketTimer: Hashable, Sendable {
    /// What the timer is for.
    public enum Kind: UInt8, CaseIterable, Hashable, Sendable {
        /// Something sent is not acknowledged: it is sent again, or a loss is probed for.
        case retransmission = 1
        /// The connection is idle: a keepalive probe is due (SO_KEEPALIVE), or an orphan in FIN-WAIT-2 ends.
        case keepalive
        /// The connection is over, and its pair of addresses becomes free.
        case timeWait
        /// The peer's window is closed: it is probed.
        case zeroWindowProbe

        /// The kind in words, as reports have it.
        public var name: String {
            switch self {
            case .retransmission: "retransmission"
            case .keepalive: "keepalive"
            case .timeWait: "time-wait"
            case .zeroWindowProbe: "zero-window-probe"
            }
        }
    }

    /// What the timer is for.
    public var kind: Kind
    /// How often in a row it has fired in vain: retransmissions, or probes that nobody answered.
    public var retransmits: UInt8
    /// The time until it fires, in milliseconds; 0 when it is due.
    public var milliseconds: UInt32
}
