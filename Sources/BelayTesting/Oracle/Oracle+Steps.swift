//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

// Whether something that should have happened has not.
extension Oracle {
    func check(_ witness: Witness) {
        let peer = witness.peer
        guard !peer.isGone else { return }
        let figures = peer.machine.figures
        if figures.bytesIn != witness.bytesRead { self.complain("counts \(figures.bytesIn) bytes read", peer) }
        if figures.pingsSent != witness.pingCount { self.complain("counts \(figures.pingsSent) pings", peer) }
        // What a program of our own that is slow to read makes look again is read before that, up to an eighth of the bound.
        if !witness.isSlow { self.checkTimer(peer) }
        guard peer.loop.stoppedUntil <= peer.time else { return }
        if peer.machine.isOver {
            self.checkFarewell(witness)
        } else {
            if witness.owesPing, witness.lastBacklogAt < witness.proofAt {
                self.complain("suspects without asking", peer)
                self.witnesses[peer.end.index].owesPing = false
            }
            self.checkPingSchedule(witness)
            self.checkBound(witness)
        }
    }

    /// Late wake-ups and the tick are taken out of the margin first.
    private func lateness(of peer: SimulatedPeer) -> Int64 {
        SimulatedLoop.tickNanoseconds + max(0, peer.configuration.wakeUpLateness.wholeNanoseconds)
    }

    /// The wheel must not wake the connection later than its machine wants to be called.
    private func checkTimer(_ peer: SimulatedPeer) {
        guard let entry = peer.entry, let deadline = peer.machine.nextDeadline else { return }
        let tick = UInt64(max(0, deadline.nanoseconds)) / UInt64(SimulatedLoop.tickNanoseconds) + 1
        guard let armed = peer.loop.wheel.deadline(of: entry) else {
            return self.complain("has a deadline, but no timer", peer)
        }
        // What a detector learns from an answer may bring its suspicion forward, which then waits for the next wake-up.
        let patience =
            if case .fixed = peer.timings.detector { Int64(0) } else { peer.timings.interval.wholeNanoseconds }
        let latest = tick + UInt64(patience / SimulatedLoop.tickNanoseconds)
        if armed > max(latest, peer.loop.wheel.currentTick + 1) {
            let late = Int64(armed - tick) * SimulatedLoop.tickNanoseconds
            self.complain("its timer is \(Duration.nanoseconds(late).text) late", peer)
        }
        if peer.loop.wakesAt == .max { self.complain("its loop does not wake", peer) }
    }

    private func checkFarewell(_ witness: Witness) {
        guard let closedAt = witness.closedAt else { return self.complain("is over without a close", witness.peer) }
        let peer = witness.peer
        let end = closedAt + peer.timings.closeWithin.wholeNanoseconds + self.lateness(of: peer)
        if peer.time > end + witness.absence(since: closedAt, until: peer.time) {
            self.complain("its farewell did not end", peer)
        }
    }

    // MARK: - Pings

    /// Rule R2: within one interval of the last byte and the last ping.
    private func checkPingSchedule(_ witness: Witness) {
        let peer = witness.peer
        guard peer.timings.sendsPings, !peer.machine.hasBacklog, witness.pausedSince == nil, !peer.canRead else {
            return
        }
        let start = peer.timings.pingAlways ? witness.lastPingAt : max(witness.lastPingAt, witness.proofAt)
        // A negotiation makes the interval shorter from then on; one ping waits behind bytes of our own, not two.
        let earliest = max(
            start + peer.timings.interval.wholeNanoseconds,
            witness.timingsChangedAt,
            witness.lastBacklogAt
        )
        let due = earliest + self.lateness(of: peer) + 1_000
        guard peer.time > due else { return }
        if peer.time > due + witness.absence(since: start, until: peer.time) {
            self.complain("has not pinged for \(Duration.nanoseconds(peer.time - start).text)", peer)
        }
    }

    /// Rule R2: not before three quarters of the interval, unless there is a reason to ask.
    func checkPing(by peer: SimulatedPeer) {
        let witness = self.witnesses[peer.end.index]
        guard !witness.isSuspecting, witness.absences.isEmpty, !peer.machine.hasBacklog else { return }
        let start = peer.timings.pingAlways ? witness.lastPingAt : max(witness.lastPingAt, witness.proofAt)
        let shortest = peer.timings.interval.wholeNanoseconds / 4 * 3
        if peer.time - start < shortest - 1_000 {
            self.complain("pings after \(Duration.nanoseconds(peer.time - start).text)", peer)
        }
    }

    // MARK: - The bound

    /// A peer from which nothing comes is declared dead within the bound.
    ///
    /// Allowed on top: the time in which this end was absent; the time to answer, where a ping had to be promised after
    /// that; for bytes that moved, the bound or the write deadline from then on (with evidence that is known of the kernel's
    /// bytes too: an answer that was acknowledged counts from its acknowledgement, a round trip after its ping, and the
    /// acknowledgement of a probe puts off once what waits before a closed window); what a late timer exceeds the margin by.
    private func checkBound(_ witness: Witness) {
        let peer = witness.peer
        guard witness.pausedSince == nil, !peer.inputEnded, !(witness.isSlow && peer.canRead) else { return }
        let bound = peer.timings.bound.wholeNanoseconds
        guard peer.time > witness.proofAt + bound else { return }
        let truth = peer.surroundings.link.truth
        let reply = peer.timings.replyWithin.wholeNanoseconds
        let isQueued = peer.surroundings.link.queuedBytes(of: peer.end) > 0
        let write = peer.timings.writeWithin.wholeNanoseconds
        var start = witness.proofAt
        var due = witness.proofAt + bound
        if let movement = truth.lastQueueMovement(of: peer.end) {
            // A sample that comes late finds out late what moved.
            due = max(due, movement + (isQueued ? write : bound) + self.lateness(of: peer))
            start = min(start, movement)
        }
        if peer.configuration.showsEvidence {
            let progress = truth.lastProgress(of: peer.end) ?? witness.openedAt
            due = max(due, progress + (witness.hasSentMessages ? 2 * max(write, bound) : bound))
        }
        due = max(due, witness.timingsChangedAt) + witness.absence(since: start, until: peer.time)
        if witness.lastReturn(after: witness.proofAt, until: peer.time) != nil { due += reply }
        // A slow program of our own finds out late what its peer said long before.
        if witness.isSlow, witness.lastReadAt > witness.proofAt {
            due = max(due, witness.lastReadAt + bound + bound / 8)
        }
        due += max(0, self.lateness(of: peer) - peer.verdictMargin)
        if peer.time > due {
            self.complain("missed the bound by \(Duration.nanoseconds(peer.time - due).text)", peer)
        }
    }
}
