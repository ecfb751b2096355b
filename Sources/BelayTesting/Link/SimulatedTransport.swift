//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// The two directions of a simulated connection and what their ends do to them; it knows sizes, not contents.
///
/// Apart from ``SimulatedLink`` so that it is not generic, which makes simulations in debug builds twice as fast.
struct SimulatedTransport: Sendable {
    enum ParcelKind: Sendable {
        case item
        case end
        case reset
    }

    struct Parcel: Sendable {
        let kind: ParcelKind
        let bytes: Int
    }

    /// Everything that comes to one end.
    private struct Inbound: Sendable {
        var path: SimulatedPath
        /// How long a reset takes.
        let latency: Int64
        /// What is on its way, in order.
        var parcels: [Parcel] = []
        /// What has arrived and was not read.
        var unread: [Parcel] = []
        /// The sender finished.
        var isFinished = false
        /// The receiving end is gone.
        var isReleased = false
        /// The receiving end was reset by the other one.
        var isReset = false
        var resetArrivesAt = Int64.max
        /// Probes of the sender that were answered with a reset.
        var refusedProbes = 0
    }

    private(set) var now: Int64
    private var inbound: [Inbound]

    init(toServer: LinkConditions, toClient: LinkConditions, seed: UInt64, now: Int64) {
        var seeds = SplitMix64(seed: seed)
        let pathToServer = SimulatedPath(toServer, returning: toClient, seed: seeds.next())
        let pathToClient = SimulatedPath(toClient, returning: toServer, seed: seeds.next())
        self.now = now
        self.inbound = [
            Inbound(path: pathToServer, latency: max(0, toServer.latency.wholeNanoseconds)),
            Inbound(path: pathToClient, latency: max(0, toClient.latency.wholeNanoseconds)),
        ]
        self.advance(to: now)
    }

    // MARK: - Sending

    mutating func write(_ kind: ParcelKind, bytes: Int, from end: LinkEnd) -> Bool {
        let to = end.other.index
        guard !self.inbound[to].isFinished, !self.inbound[end.index].isReleased, !self.inbound[end.index].isReset,
            self.inbound[to].path.write(bytes: bytes)
        else { return false }
        self.inbound[to].parcels.append(Parcel(kind: kind, bytes: bytes))
        return true
    }

    mutating func finish(from end: LinkEnd) {
        // A FIN takes one place in the sequence of bytes.
        guard self.write(.end, bytes: 1, from: end) else { return }
        self.inbound[end.other.index].isFinished = true
    }

    mutating func reset(from end: LinkEnd) {
        guard !self.inbound[end.index].isReleased else { return }
        self.abandon(end.other.index)
        self.release(end)
        self.sendReset(to: end.other.index)
    }

    mutating func release(_ end: LinkEnd) {
        self.inbound[end.index].isReleased = true
        self.inbound[end.index].unread = []
    }

    /// The host of this end forgets the connection: nothing more comes from it, and it answers with resets.
    mutating func forget(_ end: LinkEnd) {
        self.release(end)
        self.abandon(end.other.index)
    }

    func queuedBytes(of end: LinkEnd) -> Int { self.inbound[end.other.index].path.queuedBytes }

    // MARK: - Receiving

    func hasUnread(at end: LinkEnd) -> Bool { !self.inbound[end.index].unread.isEmpty }

    func isReset(at end: LinkEnd) -> Bool {
        self.hasUnread(at: end) && self.inbound[end.index].unread[0].kind == .reset
    }

    mutating func receive(at end: LinkEnd) -> Parcel? {
        guard self.hasUnread(at: end) else { return nil }
        let parcel = self.inbound[end.index].unread.removeFirst()
        self.inbound[end.index].path.read(bytes: parcel.bytes)
        return parcel
    }

    func lastArrival(at end: LinkEnd) -> Int64? { self.inbound[end.index].path.lastDeliveryAt }

    /// When an acknowledgement told this end something new.
    func lastProgress(of end: LinkEnd) -> Int64? { self.inbound[end.other.index].path.lastProgressAt }

    /// Bytes that this end has written, those of them that it knows to have arrived, and those that its kernel has not sent.
    func writtenBytes(of end: LinkEnd) -> Int { self.inbound[end.other.index].path.writtenBytes }
    func acknowledgedBytes(of end: LinkEnd) -> Int { self.inbound[end.other.index].path.acknowledgedBytes }
    func unsentBytes(of end: LinkEnd) -> Int {
        self.inbound[end.other.index].path.writtenBytes - self.inbound[end.other.index].path.sentBytes
    }

    func oldestUndelivered(to end: LinkEnd) -> Int64? { self.inbound[end.index].path.oldestUndelivered }

    /// Whether a FIN was sent towards this end.
    func isFinished(to end: LinkEnd) -> Bool { self.inbound[end.index].isFinished }

    /// Whether this end has learned of a reset by the other one.
    func wasReset(_ end: LinkEnd) -> Bool { self.inbound[end.index].isReset }

    /// What the kernel of this end knows of the connection.
    func evidence(of end: LinkEnd) -> TCPEvidence {
        var evidence = self.inbound[end.other.index].path.sendersEvidence
        // The SYN counts as a byte, that of who accepts it does not (measured on Linux 6.18).
        if end == .client { evidence.bytesAcked? += 1 }
        let receiving = self.inbound[end.index].path
        evidence.lastDataReceived = receiving.milliseconds(since: receiving.lastDeliveryAt)
        evidence.bytesReceived = UInt64(receiving.deliveredBytes)
        return evidence
    }

    /// When the kernel of this end last took bytes that waited, and when any were last acknowledged while some waited.
    func lastQueueMovement(of end: LinkEnd) -> Int64? { self.inbound[end.other.index].path.lastQueueMovementAt }
    func lastBacklogProgress(of end: LinkEnd) -> Int64? { self.inbound[end.other.index].path.lastBacklogProgressAt }

    func counters(to end: LinkEnd) -> LinkCounters { self.inbound[end.index].path.counters }

    // MARK: - Time

    mutating func interrupt(to end: LinkEnd, during outage: Range<Int64>) {
        self.inbound[end.index].path.outages.append(outage)
        self.inbound[end.other.index].path.returnOutages.append(outage)
    }

    /// When something happens next, if nothing is sent or read before; never is the largest number.
    var nextEvent: Int64 {
        let arrival = min(self.inbound[0].path.nextEvent, self.inbound[1].path.nextEvent)
        let reset = min(self.inbound[0].resetArrivesAt, self.inbound[1].resetArrivesAt)
        return max(min(arrival, reset), self.now)
    }

    mutating func advance(to time: Int64) {
        self.now = max(self.now, time)
        for index in 0...1 {
            let arrived = self.inbound[index].path.advance(to: self.now)
            if arrived > 0 {
                self.inbound[1 - index].path.acknowledgeByData()
                self.arrived(arrived, at: index)
            }
            let probes = self.inbound[index].path.arrivedProbes
            if probes > self.inbound[index].refusedProbes {
                self.inbound[index].refusedProbes = probes
                if self.inbound[index].isReleased { self.sendReset(to: 1 - index) }
            }
        }
        for index in 0...1 where self.inbound[index].resetArrivesAt <= self.now {
            self.resetArrived(at: index)
        }
    }

    private mutating func arrived(_ count: Int, at index: Int) {
        let parcels = self.inbound[index].parcels.prefix(count)
        self.inbound[index].parcels.removeFirst(count)
        guard self.inbound[index].isReleased else {
            self.inbound[index].unread += parcels
            return
        }
        for parcel in parcels { self.inbound[index].path.discard(bytes: parcel.bytes) }
        // A FIN of the other end is part of an orderly close, and no reason for a reset.
        if parcels.contains(where: { $0.kind == .item }) { self.sendReset(to: 1 - index) }
    }

    // MARK: - Resets

    private mutating func sendReset(to index: Int) {
        guard self.inbound[index].path.isUp, self.inbound[index].resetArrivesAt == .max else { return }
        self.inbound[index].resetArrivesAt = self.now + self.inbound[index].latency
    }

    private mutating func resetArrived(at index: Int) {
        self.inbound[index].resetArrivesAt = .max
        guard !self.inbound[index].isReset else { return }
        self.inbound[index].isReset = true
        self.abandon(index)
        self.abandon(1 - index)
        if !self.inbound[index].isReleased { self.inbound[index].unread.append(Parcel(kind: .reset, bytes: 0)) }
    }

    private mutating func abandon(_ index: Int) {
        self.inbound[index].path.abandon()
        self.inbound[index].parcels = []
    }
}
