//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

extension ConnectionProbe {
    /// What was found out about a TCP socket; the state follows from it, and from nothing else.
    struct Facts: Hashable, Sendable {
        /// What poll(2) reports.
        var events: Events = []
        /// The error that was taken, by this look or an earlier one.
        var error: ErrorNumber?
        /// What the receive queue shows.
        var queue: Queue = .empty
        /// The state in TCP_INFO; nil where there is none.
        var tcpState: TCPState?
    }

    /// The events of poll(2), by what they mean.
    struct Events: OptionSet, Hashable, Sendable {
        var rawValue: UInt8

        /// Bytes or an end wait to be read.
        static let readable = Events(rawValue: 1)
        /// Nothing more will come: the peer's FIN, our own SHUT_RD, or the end of the connection.
        static let receivingEnded = Events(rawValue: 2)
        /// Both halves are shut, or there is no connection.
        static let hungUp = Events(rawValue: 4)
        /// An error waits, of the connection or in the queue of MSG_ERRQUEUE.
        static let error = Events(rawValue: 8)
    }

    /// What recv(2) with MSG_PEEK shows; an error goes to ``Facts/error``.
    enum Queue: CaseIterable, Hashable, Sendable {
        case unread
        case end
        case empty
        case notConnected
    }
}

extension ConnectionProbe.Facts {
    /// What the facts amount to.
    ///
    /// TCP's own state has the first word. Whatever ends a connection also closes it (`tcp_done()` in
    /// `net/ipv4/tcp.c`), so that an error on a connection that is not closed did not end it: those of IP_RECVERR, and
    /// the soft errors that SO_ERROR tells when it finds no other.
    var state: ConnectionProbe.State {
        switch self.tcpState {
        case .listen:
            .listening
        case .synSent, .synReceived, .newSynReceived:
            .connecting
        case .established:
            // A FIN would have left this state: it was our own SHUT_RD.
            self.events.contains(.receivingEnded) ? .halfClosed(.receiving) : .open
        case .finWait1, .finWait2:
            self.events.contains(.receivingEnded) ? .closedLocally : .halfClosed(.sending)
        case .closeWait, .lastAck, .closing, .timeWait:
            .closedByPeer
        case .closed:
            // A connection that ended has both halves shut, a socket that never had one has not.
            self.ended ?? (self.events.contains(.receivingEnded) ? .over : .notConnected)
        case nil:
            self.ended ?? self.stateWithoutTCPInfo
        }
    }

    /// Whether the error ended the connection.
    var hasEnded: Bool { self.error != nil && (self.tcpState == nil || self.tcpState == .closed) }

    private var ended: ConnectionProbe.State? {
        switch self.error {
        case .connectionReset, .brokenPipe: .reset
        case .some(let errno): .failed(errno)
        case nil: nil
        }
    }

    private var stateWithoutTCPInfo: ConnectionProbe.State {
        let receivingEnded = self.events.contains(.receivingEnded)
        if self.queue == .notConnected { return .notConnected }
        if self.events.contains(.hungUp) { return receivingEnded ? .over : .notConnected }
        return receivingEnded || self.queue == .end ? .closedByPeer : .open
    }
}
