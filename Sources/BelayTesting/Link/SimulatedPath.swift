//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// One direction of a simulated TCP path: it decides when what was written becomes readable at the other end.
///
/// It knows sizes and times, not contents. Bytes wait in three places, as in the kernel: with the sending program while
/// the send buffer is full, in the send buffer until they are acknowledged, in the receive buffer until they are read.
/// A send buffer that was full takes more once a third of it is free (`sk_stream_is_writeable` of Linux): what waits with
/// the program moves in steps.
///
/// A transmission that is lost is repeated: at the pace that was measured on Linux 6.18, where the time between two
/// timeouts doubles from the second on (.205 .415 .827 1.658 3.322 6.652 s), or earlier, one round trip after a later
/// one got through (RACK, RFC 8985).
///
/// Acknowledgements travel the other way; they are lost in its outages only, since the next one makes up for it. While
/// the sender waits for one after a timeout it sends nothing new: its congestion window is closed. Therefore a path
/// that is broken in one direction soon carries nothing in the other one either.
struct SimulatedPath: Sendable {
    private struct Segment: Sendable {
        let endOffset: Int
        let bytes: Int
        let writtenAt: Int64
        /// Never, while it was not sent, or lost.
        var arrivesAt = Int64.max
    }

    private struct Acknowledgement: Sendable {
        let arrivesAt: Int64
        let deliveredBytes: Int
        let readBytes: Int
    }

    /// Times at which nothing gets through.
    var outages: [Range<Int64>] = []
    /// Those of the other direction, in which acknowledgements are lost.
    var returnOutages: [Range<Int64>] = []
    private(set) var counters = LinkCounters()
    /// When something arrived last.
    private(set) var lastDeliveryAt: Int64?
    /// When the sender last heard an acknowledgement, and one of something new or of more room for it.
    private(set) var lastAcknowledgementAt: Int64?
    private(set) var lastProgressAt: Int64?
    /// When the sender last sent something, or sent it again.
    private(set) var lastTransmissionAt: Int64?
    /// From the last transmission that was not lost to its acknowledgement, waiting for the wire included.
    private(set) var roundTrip: Int64
    /// Probes of a closed window that reached the receiver.
    private(set) var arrivedProbes = 0
    /// When the kernel last took bytes that waited with the sending program, and when any were acknowledged while some waited.
    private(set) var lastQueueMovementAt: Int64?
    private(set) var lastBacklogProgressAt: Int64?

    let conditions: LinkConditions
    private let latency: Int64
    private let jitter: Int64
    let returnLatency: Int64
    let timeout: Int64
    let longestTimeout: Int64
    private var generator: SplitMix64

    // Nanoseconds; offsets count the bytes of the stream.
    private(set) var now = Int64.min
    /// The time to which it was advanced first.
    private(set) var openedAt = Int64.min
    private var segments: [Segment] = []
    private var acknowledgements: [Acknowledgement] = []
    /// How many of the segments were sent at least once: those in front.
    private var sentCount = 0
    private var lostCount = 0
    private(set) var writtenBytes = 0
    /// What the sender's kernel has taken.
    private(set) var takenBytes = 0
    private(set) var sentBytes = 0
    private(set) var deliveredBytes = 0
    private var readBytes = 0
    private var advertisedReadBytes = 0
    /// What the sender knows.
    private(set) var acknowledgedBytes = 0
    private(set) var knownReadBytes = 0
    private var lastArrivalAt = Int64.min
    private var wireIsFreeAt = Int64.min
    private var retransmitAt = Int64.max
    private var isFastRetransmit = false
    private(set) var timeouts = 0
    private(set) var repeatedTransmissions = 0

    init(_ conditions: LinkConditions, returning: LinkConditions, seed: UInt64) {
        self.conditions = conditions
        self.latency = max(0, conditions.latency.wholeNanoseconds)
        self.jitter = max(0, conditions.jitter.wholeNanoseconds)
        self.returnLatency = max(0, returning.latency.wholeNanoseconds)
        self.roundTrip = self.latency + self.returnLatency
        let longestRoundTrip = self.latency + self.jitter + self.returnLatency
        self.timeout = max(1_000_000, conditions.retransmitAfter.wholeNanoseconds) + longestRoundTrip
        self.longestTimeout = max(self.timeout, conditions.longestRetransmission.wholeNanoseconds)
        self.generator = SplitMix64(seed: seed)
    }

    // MARK: - The sender's program

    /// Bytes that the sender's kernel has not taken.
    var queuedBytes: Int { self.writtenBytes - self.takenBytes }

    /// Where the next item ends that was not sent.
    private var nextEnd: Int {
        self.sentCount < self.segments.count ? self.segments[self.sentCount].endOffset : self.writtenBytes
    }

    /// The kernel takes what its send buffer has room for.
    private mutating func takeWhatFits() {
        self.takenBytes = min(self.writtenBytes, self.acknowledgedBytes + self.conditions.sendBufferBytes)
    }

    /// Room was made in the send buffer, and bytes wait for it.
    private mutating func takeFromQueue() {
        let hasRoom = (self.takenBytes - self.acknowledgedBytes) * 3 <= self.conditions.sendBufferBytes * 2
        // Items are sent whole here: with nothing in flight no acknowledgement would come to take the rest of the next one.
        let isInParts = self.sentBytes == self.acknowledgedBytes && self.nextEnd > self.takenBytes
        guard hasRoom || isInParts else { return }
        let before = self.takenBytes
        self.takeWhatFits()
        if self.takenBytes > before { self.lastQueueMovementAt = self.now }
    }

    /// Takes an item of this size, at least one byte; false when the queue is at its limit.
    mutating func write(bytes: Int) -> Bool {
        precondition(
            (1...min(self.conditions.sendBufferBytes, self.conditions.receiveBufferBytes)).contains(bytes),
            "an item has at least one byte and fits into the buffers"
        )
        guard self.queuedBytes + bytes <= self.conditions.queueLimitBytes else {
            self.counters.refused += 1
            return false
        }
        self.counters.sent += 1
        let mustWait = self.queuedBytes > 0
        self.writtenBytes += bytes
        if !mustWait { self.takeWhatFits() }
        self.segments.append(Segment(endOffset: self.writtenBytes, bytes: bytes, writtenAt: self.now))
        self.transmitWhatFits()
        self.counters.largestQueueBytes = max(self.counters.largestQueueBytes, self.queuedBytes)
        if self.retransmitAt == .max { self.retransmitAt = self.now + self.timeout }
        return true
    }

    /// The connection was reset: nothing that has not arrived does any more.
    mutating func abandon() {
        self.counters.discarded += self.segments.count
        self.segments = []
        self.acknowledgements = []
        self.sentCount = 0
        self.lostCount = 0
        self.acknowledgedBytes = self.writtenBytes
        self.takenBytes = self.writtenBytes
        self.sentBytes = self.writtenBytes
        self.timeouts = 0
        self.retransmitAt = .max
    }

    // MARK: - The receiver's program

    /// The receiver's program took bytes out of the receive buffer.
    mutating func read(bytes: Int) {
        self.readBytes += bytes
        // The window is announced again once it is wide enough (RFC 9293 section 3.8.6.2.2).
        if self.readBytes - self.advertisedReadBytes >= self.conditions.receiveBufferBytes / 2 { self.acknowledge() }
    }

    /// Something came the other way, which tells the sender what has arrived here, whatever became of acknowledgements.
    mutating func acknowledgeByData() {
        guard self.timeouts > 0, self.deliveredBytes > self.acknowledgedBytes else { return }
        self.acknowledged(
            Acknowledgement(arrivesAt: self.now, deliveredBytes: self.deliveredBytes, readBytes: self.knownReadBytes)
        )
    }

    /// What arrived is thrown away: nobody is there to read it.
    mutating func discard(bytes: Int) {
        self.counters.discarded += 1
        self.read(bytes: bytes)
    }

    // MARK: - Time

    private var nextArrival: Int64 { self.segments.isEmpty ? .max : self.segments[0].arrivesAt }
    private var nextAcknowledgement: Int64 { self.acknowledgements.isEmpty ? .max : self.acknowledgements[0].arrivesAt }

    /// When something happens next, if nobody writes or reads before; never is the largest number.
    var nextEvent: Int64 {
        // Once everything has arrived, an acknowledgement on its way matters to nobody before the next write.
        if self.segments.isEmpty && !self.acknowledgements.isEmpty { return .max }
        return min(min(self.nextArrival, self.nextAcknowledgement), self.retransmitAt)
    }

    /// Lets time pass; returns how many items, in the order in which they were written, became readable.
    mutating func advance(to time: Int64) -> Int {
        var delivered = 0
        while true {
            let (arrival, acknowledgement) = (self.nextArrival, self.nextAcknowledgement)
            let next = min(min(arrival, acknowledgement), self.retransmitAt)
            guard next <= time, next < .max else { break }
            self.now = max(self.now, next)
            if next == acknowledgement {
                self.acknowledged(self.acknowledgements.removeFirst())
            } else if next == arrival {
                self.deliver()
                delivered += 1
            } else {
                self.retransmit()
            }
        }
        if self.now == .min { self.openedAt = time }
        self.now = max(self.now, time)
        return delivered
    }

    /// Since when the oldest of what has not arrived has been on its way, or waited for it; nil when nothing does.
    var oldestUndelivered: Int64? { self.segments.first?.writtenAt }

    /// Whether something waits that the receiver's window has no room for, and nothing is in flight.
    var isHeldByWindow: Bool {
        guard self.sentCount == 0, let first = self.segments.first else { return false }
        return first.endOffset > self.knownReadBytes + self.conditions.receiveBufferBytes
    }

    /// Whether something that is sent the way of this path now gets through, by outages alone.
    var isUp: Bool { Self.isUp(self.outages, at: self.now) }

    private static func isUp(_ outages: [Range<Int64>], at time: Int64) -> Bool {
        outages.isEmpty || !outages.contains { $0.contains(time) }
    }

    // MARK: - Transmission

    private mutating func transmitWhatFits() {
        let window = min(self.takenBytes, self.knownReadBytes + self.conditions.receiveBufferBytes)
        while self.timeouts == 0, self.sentCount < self.segments.count,
            self.segments[self.sentCount].endOffset <= window
        {
            self.sentCount += 1
            self.sentBytes = self.segments[self.sentCount - 1].endOffset
            self.transmit(self.sentCount - 1)
        }
    }

    private mutating func transmit(_ index: Int) {
        self.counters.transmissions += 1
        self.lastTransmissionAt = self.now
        var departure = self.now
        if let bytesPerSecond = self.conditions.bytesPerSecond {
            departure = max(departure, self.wireIsFreeAt)
            departure += Int64(self.segments[index].bytes) * 1_000_000_000 / Int64(max(1, bytesPerSecond))
            self.wireIsFreeAt = departure
        }
        let isLost = self.conditions.loss > 0 && Double.random(in: 0..<1, using: &self.generator) < self.conditions.loss
        let delay = self.drawJitter()
        guard !isLost, Self.isUp(self.outages, at: departure) else {
            self.counters.lost += 1
            self.lostCount += 1
            return
        }
        let arrival = max(departure + self.latency + delay, self.lastArrivalAt)
        self.lastArrivalAt = arrival
        self.roundTrip = arrival + self.returnLatency - self.now
        self.segments[index].arrivesAt = arrival
        // What arrives behind a gap tells the sender of it.
        let learnt = arrival + self.returnLatency
        if self.lostCount > 0, self.timeouts == 0, learnt < self.retransmitAt,
            Self.isUp(self.returnOutages, at: arrival)
        {
            self.retransmitAt = learnt
            self.isFastRetransmit = true
        }
    }

    private mutating func retransmit() {
        if self.isFastRetransmit {
            self.isFastRetransmit = false
            self.retransmitAt = self.now + self.timeout
            return self.transmitLost(atMost: .max)
        }
        self.timeouts += 1
        let factor = Int64(1) << Int64(min(self.timeouts - 1, 20))
        self.retransmitAt = self.now + min(self.timeout * factor, self.longestTimeout)
        if self.lostCount > 0 {
            self.transmitLost(atMost: 1)
            return
        }
        if self.sentBytes > self.acknowledgedBytes {
            self.repeatedTransmissions += 1
            self.lastTransmissionAt = self.now
        }
        guard self.isUp else { return }
        // Sent once more for nothing, or a probe of a closed window: the receiver repeats what it has.
        if self.sentCount == 0 { self.arrivedProbes += 1 }
        self.acknowledge(at: self.now + self.latency)
    }

    private mutating func drawJitter() -> Int64 {
        guard self.jitter > 0 else { return 0 }
        switch self.conditions.jitterShape {
        case .even:
            return Int64.random(in: 0...self.jitter, using: &self.generator)
        case .skewed:
            let part = Double.random(in: 0...1, using: &self.generator)
            return Int64(Double(self.jitter) * part * part * part)
        case .spikes:
            return Int.random(in: 0..<20, using: &self.generator) == 0 ? self.jitter : 0
        }
    }

    private mutating func transmitLost(atMost limit: Int) {
        var remaining = min(limit, self.lostCount)
        var index = 0
        while remaining > 0, index < self.sentCount {
            if self.segments[index].arrivesAt == .max {
                remaining -= 1
                self.lostCount -= 1
                self.repeatedTransmissions += 1
                self.transmit(index)
            }
            index += 1
        }
    }

    // MARK: - Arrival

    private mutating func deliver() {
        let segment = self.segments.removeFirst()
        self.sentCount -= 1
        self.counters.delivered += 1
        self.deliveredBytes = segment.endOffset
        self.lastDeliveryAt = self.now
        self.acknowledge()
    }

    private mutating func acknowledge(at time: Int64? = nil) {
        let time = time ?? self.now
        guard Self.isUp(self.returnOutages, at: time) else { return }
        self.advertisedReadBytes = self.readBytes
        self.acknowledgements.append(
            Acknowledgement(
                arrivesAt: max(time + self.returnLatency, self.acknowledgements.last?.arrivesAt ?? .min),
                deliveredBytes: self.deliveredBytes,
                readBytes: self.readBytes
            )
        )
    }

    private mutating func acknowledged(_ acknowledgement: Acknowledgement) {
        self.lastAcknowledgementAt = self.now
        if acknowledgement.deliveredBytes > self.acknowledgedBytes {
            self.lastProgressAt = self.now
            self.acknowledgedBytes = acknowledgement.deliveredBytes
            if self.queuedBytes > 0 {
                self.lastBacklogProgressAt = self.now
                self.takeFromQueue()
            }
        }
        if acknowledgement.readBytes > self.knownReadBytes { self.lastProgressAt = self.now }
        self.knownReadBytes = max(self.knownReadBytes, acknowledgement.readBytes)
        if self.timeouts > 0 {
            self.timeouts = 0
            self.transmitLost(atMost: .max)
        }
        self.transmitWhatFits()
        if self.isFastRetransmit, self.lostCount > 0 { return }
        self.isFastRetransmit = false
        self.retransmitAt = self.acknowledgedBytes < self.writtenBytes ? self.now + self.timeout : .max
    }
}
