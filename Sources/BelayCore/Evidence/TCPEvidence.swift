//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What the kernel knows of a connection, as far as a conclusion can be drawn from it: one look at TCP_INFO.
///
/// A figure that this kernel does not give is nil, never zero. Ages are whole milliseconds, as coarse as the kernel's
/// tick (1 to 10 ms).
public struct TCPEvidence: Hashable, Sendable {
    /// The state of the connection.
    public var state: TCPState
    /// Timeouts in a row after which the oldest segment in flight was to be sent again; 0 once something is acknowledged.
    public var retransmits: UInt8
    /// Probes in a row that nobody answered, of a closed window and of keepalive alike.
    public var probes: UInt8
    /// By how many doublings the timer has backed off.
    public var backoff: UInt8
    /// Segments in flight that are not acknowledged.
    public var unacked: UInt32
    /// Segments in flight that are taken for lost.
    public var lost: UInt32
    /// Segments in flight that were sent again and left this host.
    public var sentAgain: UInt32
    /// Segments that were to be sent again, in the whole life of the connection.
    public var totalRetransmits: UInt32
    /// How long ago data was last sent, or sent again with success, in milliseconds.
    public var lastDataSent: UInt32
    /// How long ago data last came, in milliseconds.
    public var lastDataReceived: UInt32
    /// How long ago an acknowledgement last came, in milliseconds.
    public var lastAckReceived: UInt32
    /// The smoothed round trip, in microseconds.
    public var roundTrip: UInt32
    /// The retransmission timeout now, in microseconds.
    public var retransmissionTimeout: UInt32
    /// Bytes that the peer is ready to take (since Linux 5.4).
    public var sendWindow: UInt32?
    /// Bytes that the kernel holds and has not sent once (since Linux 4.6).
    public var notSentBytes: UInt32?
    /// How long in the whole life of the connection bytes waited for room in the peer's window, in microseconds, as coarse as the
    /// kernel's tick (since Linux 4.10).
    public var windowLimitedMicroseconds: UInt64?
    /// Bytes that the peer's kernel acknowledged in the whole life of the connection (since Linux 4.1).
    public var bytesAcked: UInt64?
    /// Bytes that came in the whole life of the connection (since Linux 4.1).
    public var bytesReceived: UInt64?
    /// Bytes that our program has handed to the kernel in the whole life of the connection (since Linux 4.19).
    ///
    /// Sent ones without those that were sent again, and those that wait.
    public var bytesHandedOver: UInt64?
    /// Where our last question to the peer ends, counted in the bytes of our stream; nil where that is not known.
    ///
    /// No figure of the kernel: whoever asks fills it in.
    public var questionEnd: UInt64?
    /// Segments that were delivered, those included that were acknowledged out of order (since Linux 4.18).
    public var delivered: UInt32?

    /// Evidence of a quiet connection, to be filled in.
    public init(state: TCPState) {
        self.state = state
        self.retransmits = 0
        self.probes = 0
        self.backoff = 0
        self.unacked = 0
        self.lost = 0
        self.sentAgain = 0
        self.totalRetransmits = 0
        self.lastDataSent = 0
        self.lastDataReceived = 0
        self.lastAckReceived = 0
        self.roundTrip = 0
        self.retransmissionTimeout = 0
    }
}

extension TCPEvidence {
    /// How long ago the last byte of ours was acknowledged, as far as the kernel tells, in its milliseconds.
    ///
    /// While bytes are in flight, the age of the last acknowledgement, which may have been one of nothing new. Where all that was
    /// sent is acknowledged, later ones are answers to probes of a closed or tiny window (which `tcp_xmit_probe_skb` of Linux
    /// sends without data, and so without counting them as data sent), and the last byte was acknowledged a round trip after it
    /// was sent; where that took longer, the age is too long by as much, a delayed acknowledgement at most (200 ms).
    public var sinceProgress: Duration {
        let sinceAck = Duration.milliseconds(Int64(self.lastAckReceived))
        guard self.unacked == 0 else { return sinceAck }
        return max(sinceAck, .milliseconds(Int64(self.lastDataSent)) - .microseconds(Int64(self.roundTrip)))
    }
}
