//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

// What the sender's kernel would tell, from what this model knows.
extension SimulatedPath {
    private static let segmentBytes = 1_448

    /// The half of TCP_INFO that is about sending.
    var sendersEvidence: TCPEvidence {
        var evidence = TCPEvidence(state: .established)
        let inFlight = self.sentBytes - self.acknowledgedBytes
        let timeouts = UInt8(clamping: self.timeouts)
        // The timer of one segment in flight and that of probes is the same.
        if inFlight > 0 {
            evidence.unacked = UInt32(clamping: (inFlight + Self.segmentBytes - 1) / Self.segmentBytes)
            evidence.retransmits = timeouts
            evidence.lost = timeouts > 0 ? 1 : 0
            evidence.sentAgain = timeouts > 0 ? 1 : 0
        } else {
            evidence.probes = timeouts
        }
        evidence.backoff = timeouts
        evidence.totalRetransmits = UInt32(clamping: self.repeatedTransmissions)
        evidence.lastDataSent = self.milliseconds(since: self.lastTransmissionAt)
        evidence.lastAckReceived = self.milliseconds(since: self.lastAcknowledgementAt)
        evidence.roundTrip = UInt32(clamping: self.roundTrip / 1_000)
        let factor = Int64(1) << Int64(min(self.timeouts, 20))
        evidence.retransmissionTimeout = UInt32(clamping: min(self.timeout * factor, self.longestTimeout) / 1_000)
        let window = self.knownReadBytes + self.conditions.receiveBufferBytes - self.acknowledgedBytes
        evidence.sendWindow = inFlight == 0 && self.isHeldByWindow ? 0 : UInt32(clamping: window)
        let handedOver = self.writtenBytes - self.queuedBytes
        evidence.notSentBytes = UInt32(clamping: handedOver - self.sentBytes)
        evidence.bytesAcked = UInt64(self.acknowledgedBytes)
        evidence.bytesHandedOver = UInt64(handedOver)
        return evidence
    }

    /// The age of an event; that of the connection, which is not known here, where it never happened.
    func milliseconds(since time: Int64?) -> UInt32 {
        UInt32(clamping: (self.now - (time ?? self.openedAt)) / 1_000_000)
    }
}
