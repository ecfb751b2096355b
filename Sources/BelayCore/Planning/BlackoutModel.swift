//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// How long the path may be gone without a verdict, with the retransmissions of Linux TCP.
///
/// A blackout that begins as a heartbeat is sent is survived if a retransmission after its end still falls before the
/// deadline. The kernel sends the segment again after a probe timeout, then after one retransmission timeout and after
/// twice as long each time, so an outage turns into up to twice its length of silence, unless TCP_RTO_MAX_MS limits the
/// pauses. Measured on Linux 6.18, one segment in flight: up to 2 % later than this model.
///
/// Times are in seconds.
struct BlackoutModel {
    /// The first retransmission: a tail loss probe after 2 SRTT + 200 ms (RFC 8985 section 7.2 with Linux's allowance
    /// for delayed acknowledgements), or the retransmission timeout where that is earlier.
    let probeTimeout: Double
    /// RFC 6298: SRTT + max(200 ms, 4 RTTVAR), 200 ms being TCP_RTO_MIN.
    let retransmissionTimeout: Double
    /// TCP_RTO_MAX: no pause between retransmissions is longer.
    let longestTimeout: Double

    /// TCP_RTO_MAX of kernels without the option (before 6.15).
    static let defaultLongestTimeout = 120.0

    init(probeTimeout: Double, retransmissionTimeout: Double, longestTimeout: Double) {
        self.probeTimeout = probeTimeout
        self.retransmissionTimeout = retransmissionTimeout
        self.longestTimeout = longestTimeout
    }

    /// The model of a connection with this round trip time; the deviation stands for RTTVAR, which is smaller.
    init(roundTrip: Double, deviation: Double, longestTimeout: Double) {
        let timeout = min(roundTrip + max(4 * deviation, 0.2), longestTimeout)
        self.init(
            probeTimeout: min(2 * roundTrip + 0.2, timeout),
            retransmissionTimeout: timeout,
            longestTimeout: longestTimeout
        )
    }

    /// When retransmission `count` (1, 2, ...) is sent after the segment was.
    ///
    /// The probe, then the probe + sum over i < count - 1 of min(RTO 2^i, RTO_MAX).
    func retransmission(_ count: Int) -> Double {
        guard count > 0 else { return 0 }
        var time = self.probeTimeout
        var pause = min(self.retransmissionTimeout, self.longestTimeout)
        for done in 1..<max(count, 1) {
            if pause >= self.longestTimeout { return time + Double(count - done) * self.longestTimeout }
            time += pause
            pause = min(2 * pause, self.longestTimeout)
        }
        return time
    }

    /// How many retransmissions are sent within `budget` seconds of the segment, and when the last of them is.
    ///
    /// That time is the longest blackout that is survived; 0 where there is none.
    func lastRetransmission(within budget: Double) -> (count: Int, time: Double) {
        guard self.probeTimeout <= budget else { return (0, 0) }
        // The pauses double until they are the longest, and then fill the rest evenly.
        var count = 1
        while count < 64, self.retransmission(count + 1) <= budget { count += 1 }
        let time = self.retransmission(count)
        guard count == 64 else { return (count, time) }
        let more = Int(min(max((budget - time) / self.longestTimeout, 0), 1e9))
        return (count + more, time + Double(more) * self.longestTimeout)
    }
}
