//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

#if os(Linux)
import CBelayLinux

extension TCPInfo {
    /// Reads the structure as far as these bytes go.
    ///
    /// Nil where they are fewer than the oldest kernels give (104), or name a state that does not exist. Bytes beyond
    /// what is known here, of a newer kernel, are passed over.
    init?(kernelBytes bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= MemoryLayout<belay_tcp_info>.offset(of: \.tcpi_pacing_rate) ?? .max,
            let state = TCPState(rawValue: bytes[0])
        else { return nil }
        var kernel = belay_tcp_info()
        withUnsafeMutableBytes(of: &kernel) { $0.copyMemory(from: .init(rebasing: bytes.prefix($0.count))) }

        func given<Value>(_ field: PartialKeyPath<belay_tcp_info>, _ value: Value) -> Value? {
            guard let offset = MemoryLayout<belay_tcp_info>.offset(of: field) else { return nil }
            return offset + MemoryLayout<Value>.size <= bytes.count ? value : nil
        }

        self.state = state
        self.congestionState = kernel.tcpi_ca_state
        self.retransmits = kernel.tcpi_retransmits
        self.probes = kernel.tcpi_probes
        self.backoff = kernel.tcpi_backoff
        self.options = kernel.tcpi_options
        // Bit-fields: the first is the lowest bits on every little-endian machine, and Swift runs on no other.
        self.sendWindowScale = kernel.tcpi_wscale & 0xF
        self.receiveWindowScale = kernel.tcpi_wscale >> 4
        self.isDeliveryRateLimitedByProgram = kernel.tcpi_flags & 1 != 0
        self.fastOpenFailure = kernel.tcpi_flags >> 1 & 3
        self.retransmissionTimeout = kernel.tcpi_rto
        self.delayedAckTimeout = kernel.tcpi_ato
        self.sendSegmentSize = kernel.tcpi_snd_mss
        self.receiveSegmentSize = kernel.tcpi_rcv_mss
        self.unacked = kernel.tcpi_unacked
        self.sacked = kernel.tcpi_sacked
        self.lost = kernel.tcpi_lost
        self.retransmitted = kernel.tcpi_retrans
        self.forwardAcked = kernel.tcpi_fackets
        self.lastDataSent = kernel.tcpi_last_data_sent
        self.lastAckSent = kernel.tcpi_last_ack_sent
        self.lastDataReceived = kernel.tcpi_last_data_recv
        self.lastAckReceived = kernel.tcpi_last_ack_recv
        self.pathMTU = kernel.tcpi_pmtu
        self.receiveSlowStartThreshold = kernel.tcpi_rcv_ssthresh
        self.roundTrip = kernel.tcpi_rtt
        self.roundTripDeviation = kernel.tcpi_rttvar
        self.sendSlowStartThreshold = kernel.tcpi_snd_ssthresh
        self.congestionWindow = kernel.tcpi_snd_cwnd
        self.advertisedSegmentSize = kernel.tcpi_advmss
        self.reordering = kernel.tcpi_reordering
        self.receiveRoundTrip = kernel.tcpi_rcv_rtt
        self.receiveSpace = kernel.tcpi_rcv_space
        self.totalRetransmits = kernel.tcpi_total_retrans
        self.pacingRate = given(\.tcpi_pacing_rate, kernel.tcpi_pacing_rate)
        self.maximumPacingRate = given(\.tcpi_max_pacing_rate, kernel.tcpi_max_pacing_rate)
        self.bytesAcked = given(\.tcpi_bytes_acked, kernel.tcpi_bytes_acked)
        self.bytesReceived = given(\.tcpi_bytes_received, kernel.tcpi_bytes_received)
        self.segmentsSent = given(\.tcpi_segs_out, kernel.tcpi_segs_out)
        self.segmentsReceived = given(\.tcpi_segs_in, kernel.tcpi_segs_in)
        self.notSentBytes = given(\.tcpi_notsent_bytes, kernel.tcpi_notsent_bytes)
        self.minimumRoundTrip = given(\.tcpi_min_rtt, kernel.tcpi_min_rtt)
        self.dataSegmentsReceived = given(\.tcpi_data_segs_in, kernel.tcpi_data_segs_in)
        self.dataSegmentsSent = given(\.tcpi_data_segs_out, kernel.tcpi_data_segs_out)
        self.deliveryRate = given(\.tcpi_delivery_rate, kernel.tcpi_delivery_rate)
        self.busyTime = given(\.tcpi_busy_time, kernel.tcpi_busy_time)
        self.receiveWindowLimitedTime = given(\.tcpi_rwnd_limited, kernel.tcpi_rwnd_limited)
        self.sendBufferLimitedTime = given(\.tcpi_sndbuf_limited, kernel.tcpi_sndbuf_limited)
        self.delivered = given(\.tcpi_delivered, kernel.tcpi_delivered)
        self.deliveredWithCongestion = given(\.tcpi_delivered_ce, kernel.tcpi_delivered_ce)
        self.bytesSent = given(\.tcpi_bytes_sent, kernel.tcpi_bytes_sent)
        self.bytesRetransmitted = given(\.tcpi_bytes_retrans, kernel.tcpi_bytes_retrans)
        self.duplicateSelectiveAcks = given(\.tcpi_dsack_dups, kernel.tcpi_dsack_dups)
        self.reorderingsSeen = given(\.tcpi_reord_seen, kernel.tcpi_reord_seen)
        self.outOfOrderSegments = given(\.tcpi_rcv_ooopack, kernel.tcpi_rcv_ooopack)
        self.sendWindow = given(\.tcpi_snd_wnd, kernel.tcpi_snd_wnd)
        self.receiveWindow = given(\.tcpi_rcv_wnd, kernel.tcpi_rcv_wnd)
        self.rehashes = given(\.tcpi_rehash, kernel.tcpi_rehash)
        self.totalTimeouts = given(\.tcpi_total_rto, kernel.tcpi_total_rto)
        self.timeoutRecoveries = given(\.tcpi_total_rto_recoveries, kernel.tcpi_total_rto_recoveries)
        self.timeoutRecoveryTime = given(\.tcpi_total_rto_time, kernel.tcpi_total_rto_time)
        self.receivedWithCongestion = given(\.tcpi_received_ce, kernel.tcpi_received_ce)
        self.deliveredE1Bytes = given(\.tcpi_delivered_e1_bytes, kernel.tcpi_delivered_e1_bytes)
        self.deliveredE0Bytes = given(\.tcpi_delivered_e0_bytes, kernel.tcpi_delivered_e0_bytes)
        self.deliveredCEBytes = given(\.tcpi_delivered_ce_bytes, kernel.tcpi_delivered_ce_bytes)
        self.receivedE1Bytes = given(\.tcpi_received_e1_bytes, kernel.tcpi_received_e1_bytes)
        self.receivedE0Bytes = given(\.tcpi_received_e0_bytes, kernel.tcpi_received_e0_bytes)
        self.receivedCEBytes = given(\.tcpi_received_ce_bytes, kernel.tcpi_received_ce_bytes)
        self.accurateECNFailures = given(\.tcpi_accecn_fail_mode, kernel.tcpi_accecn_fail_mode)
        self.accurateECNOption = given(\.tcpi_accecn_opt_seen, kernel.tcpi_accecn_opt_seen)
    }
}
#endif
