//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// Everything that Linux tells of a TCP connection: `struct tcp_info` (`include/uapi/linux/tcp.h`, as of 6.18).
///
/// A kernel gives as much of it as it knows: what is missing is nil, never zero. ``evidence`` is the part from which a
/// reason can be concluded.
public struct TCPInfo: Hashable, Sendable {
    /// The state of the connection.
    public var state: TCPState
    /// The state of congestion control: 0 open, 1 disorder, 2 window reduced, 3 recovery, 4 loss.
    public var congestionState: UInt8
    /// Timeouts in a row after which the oldest segment in flight was to be sent again.
    public var retransmits: UInt8
    /// Probes in a row that nobody answered, of a closed window and of keepalive alike.
    public var probes: UInt8
    /// By how many doublings the timer has backed off.
    public var backoff: UInt8
    /// TCPI_OPT flags: 1 timestamps, 2 SACK, 4 window scaling, 8 ECN, 16 ECN seen, 32 SYN data.
    public var options: UInt8
    /// The shift of the windows that the peer announces, 0 to 14 (RFC 7323 section 2).
    public var sendWindowScale: UInt8
    /// The shift of the windows that we announce, 0 to 14.
    public var receiveWindowScale: UInt8
    /// Whether the delivery rate tells of the program rather than of the path (since Linux 4.9; false before).
    public var isDeliveryRateLimitedByProgram: Bool
    /// Why TCP Fast Open failed on this side, 0 to 3 (`enum tcp_fastopen_client_fail`, since Linux 5.5; 0 before).
    public var fastOpenFailure: UInt8
    /// The retransmission timeout now, in microseconds.
    public var retransmissionTimeout: UInt32
    /// The timeout of delayed acknowledgements, in microseconds.
    public var delayedAckTimeout: UInt32
    /// The largest segment that we send, in bytes.
    public var sendSegmentSize: UInt32
    /// The largest segment that came, as estimated, in bytes.
    public var receiveSegmentSize: UInt32
    /// Segments in flight; of a listening socket, connections that wait to be accepted.
    public var unacked: UInt32
    /// Segments in flight that were acknowledged selectively; of a listening socket, how many may wait.
    public var sacked: UInt32
    /// Segments in flight that are taken for lost.
    public var lost: UInt32
    /// Segments in flight that were sent again and left this host.
    public var retransmitted: UInt32
    /// Segments up to the highest selective acknowledgement; 0 since Linux 4.15.
    public var forwardAcked: UInt32
    /// How long ago data was last sent, or sent again with success, in milliseconds.
    public var lastDataSent: UInt32
    /// Linux has the field and never fills it.
    public var lastAckSent: UInt32
    /// How long ago data last came, in milliseconds.
    public var lastDataReceived: UInt32
    /// How long ago an acknowledgement last came, in milliseconds.
    public var lastAckReceived: UInt32
    /// The largest packet of the path, in bytes.
    public var pathMTU: UInt32
    /// How far the receive window may grow now, in bytes.
    public var receiveSlowStartThreshold: UInt32
    /// The smoothed round trip, in microseconds.
    public var roundTrip: UInt32
    /// The mean deviation of the round trip, in microseconds.
    public var roundTripDeviation: UInt32
    /// The slow start threshold, in segments.
    public var sendSlowStartThreshold: UInt32
    /// The congestion window, in segments.
    public var congestionWindow: UInt32
    /// The largest segment that we announced, in bytes.
    public var advertisedSegmentSize: UInt32
    /// How far segments may be out of order before they count as lost.
    public var reordering: UInt32
    /// The round trip as the receiver sees it, in microseconds.
    public var receiveRoundTrip: UInt32
    /// The space that the receiver plans for a round trip, in bytes.
    public var receiveSpace: UInt32
    /// Segments that were to be sent again, in the whole life of the connection; those that left this host and those that a
    /// packet filter refused.
    public var totalRetransmits: UInt32
    /// The rate at which sending is paced, in bytes a second (since Linux 3.15).
    public var pacingRate: UInt64?
    /// The highest rate of pacing, in bytes a second (since Linux 3.15).
    public var maximumPacingRate: UInt64?
    /// Bytes that the peer acknowledged (since Linux 4.1).
    public var bytesAcked: UInt64?
    /// Bytes that came (since Linux 4.1).
    public var bytesReceived: UInt64?
    /// Segments that left this host (since Linux 4.2).
    public var segmentsSent: UInt32?
    /// Segments that came (since Linux 4.2).
    public var segmentsReceived: UInt32?
    /// Bytes that the kernel holds and has not sent once (since Linux 4.6).
    public var notSentBytes: UInt32?
    /// The shortest round trip of the recent past, in microseconds (since Linux 4.6).
    public var minimumRoundTrip: UInt32?
    /// Segments with data that came (since Linux 4.6).
    public var dataSegmentsReceived: UInt32?
    /// Segments with data that left this host (since Linux 4.6).
    public var dataSegmentsSent: UInt32?
    /// The latest rate of delivery, in bytes a second; misleading where sending is paced (since Linux 4.9).
    public var deliveryRate: UInt64?
    /// How long data was in flight or waiting, in microseconds (since Linux 4.10).
    public var busyTime: UInt64?
    /// How long the window of the peer held us up, in microseconds (since Linux 4.10).
    public var receiveWindowLimitedTime: UInt64?
    /// How long the send buffer held us up, in microseconds (since Linux 4.10).
    public var sendBufferLimitedTime: UInt64?
    /// Segments that were delivered (since Linux 4.18).
    public var delivered: UInt32?
    /// Segments that were delivered with a mark of congestion (since Linux 4.18).
    public var deliveredWithCongestion: UInt32?
    /// Bytes that were sent, those sent again included (since Linux 4.19).
    public var bytesSent: UInt64?
    /// Bytes that were sent again (since Linux 4.19).
    public var bytesRetransmitted: UInt64?
    /// Duplicates that the peer reported (since Linux 4.19).
    public var duplicateSelectiveAcks: UInt32?
    /// How often segments were seen out of order (since Linux 4.19).
    public var reorderingsSeen: UInt32?
    /// Segments that came out of order (since Linux 5.4).
    public var outOfOrderSegments: UInt32?
    /// Bytes that the peer is ready to take (since Linux 5.4).
    public var sendWindow: UInt32?
    /// Bytes that we are ready to take (since Linux 6.2).
    public var receiveWindow: UInt32?
    /// How often another path was tried because of trouble (since Linux 6.2).
    public var rehashes: UInt32?
    /// Retransmission timeouts, in the whole life of the connection (since Linux 6.7).
    public var totalTimeouts: UInt16?
    /// Recoveries from such timeouts (since Linux 6.7).
    public var timeoutRecoveries: UInt16?
    /// How long those recoveries took, in milliseconds (since Linux 6.7).
    public var timeoutRecoveryTime: UInt32?
    /// Segments that came with a mark of congestion (since Linux 6.18).
    public var receivedWithCongestion: UInt32?
    /// Bytes that were delivered as ECT(1) (accurate ECN) (since Linux 6.18).
    public var deliveredE1Bytes: UInt32?
    /// Bytes that were delivered as ECT(0) (since Linux 6.18).
    public var deliveredE0Bytes: UInt32?
    /// Bytes that were delivered with a mark of congestion (since Linux 6.18).
    public var deliveredCEBytes: UInt32?
    /// Bytes that came as ECT(1) (since Linux 6.18).
    public var receivedE1Bytes: UInt32?
    /// Bytes that came as ECT(0) (since Linux 6.18).
    public var receivedE0Bytes: UInt32?
    /// Bytes that came with a mark of congestion (since Linux 6.18).
    public var receivedCEBytes: UInt32?
    /// How accurate ECN failed, as flags (since Linux 6.18).
    public var accurateECNFailures: UInt16?
    /// Whether the option of accurate ECN was seen (since Linux 6.18).
    public var accurateECNOption: UInt16?
}

extension TCPInfo {
    /// The part from which a reason can be concluded.
    public var evidence: TCPEvidence {
        var evidence = TCPEvidence(state: self.state)
        evidence.retransmits = self.retransmits
        evidence.probes = self.probes
        evidence.backoff = self.backoff
        evidence.unacked = self.unacked
        evidence.lost = self.lost
        evidence.sentAgain = self.retransmitted
        evidence.delivered = self.delivered
        evidence.totalRetransmits = self.totalRetransmits
        evidence.lastDataSent = self.lastDataSent
        evidence.lastDataReceived = self.lastDataReceived
        evidence.lastAckReceived = self.lastAckReceived
        evidence.roundTrip = self.roundTrip
        evidence.retransmissionTimeout = self.retransmissionTimeout
        evidence.sendWindow = self.sendWindow
        evidence.notSentBytes = self.notSentBytes
        evidence.windowLimitedMicroseconds = self.receiveWindowLimitedTime
        evidence.bytesAcked = self.bytesAcked
        evidence.bytesReceived = self.bytesReceived
        if let bytesSent, let bytesRetransmitted, let notSentBytes {
            evidence.bytesHandedOver = bytesSent &- bytesRetransmitted &+ UInt64(notSentBytes)
        }
        return evidence
    }
}
