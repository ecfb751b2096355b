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
            self.checkHandshake(witness)
            self.checkIdleLimit(witness)
            self.checkPause(witness)
        }
    }

    /// What it judges by is what its policy promises and what was asked for.
    func checkTimings(_ peer: SimulatedPeer) {
        let promise = self.witnesses[peer.end.index].promise
        let timings = peer.machine.timings
        func check(_ name: String, _ duration: Duration, is nanoseconds: Int64) {
            guard abs(duration.wholeNanoseconds - nanoseconds) > 1_000 else { return }
            self.complain("its \(name) is \(duration.text), not \(Duration.nanoseconds(nanoseconds).text)", peer)
        }
        check("bound", timings.bound, is: promise.bound)
        check("interval", timings.interval, is: promise.interval)
        check("suspicion", timings.suspectAfter, is: promise.suspectAfter)
        check("write deadline", timings.writeWithin, is: promise.writeWithin)
        check("handshake deadline", timings.handshakeWithin, is: promise.handshakeWithin)
        if timings.replyWithin <= .zero || timings.replyWithin > timings.bound - timings.interval {
            self.complain("the time to answer is \(timings.replyWithin.text)", peer)
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
            if case .fixed = peer.timings.detector { Int64(0) } else { self.witnesses[peer.end.index].promise.interval }
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
            start + witness.promise.interval,
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
        let start = peer.timings.pingAlways ? witness.lastPingAt : max(witness.lastPingAt, witness.proofAt)
        // The first ping after an absence was promised, and is sent when it is needed.
        guard !witness.isSuspecting, !peer.machine.hasBacklog,
            witness.lastReturn(sinceOrAt: witness.lastPingAt) == nil
        else { return }
        let shortest = witness.promise.interval / 4 * 3
        if peer.time - start < shortest - 1_000 {
            self.complain("pings after \(Duration.nanoseconds(peer.time - start).text)", peer)
        }
    }

    // MARK: - The bound

    /// A peer from which nothing comes is declared dead within the bound.
    ///
    /// Allowed on top: the time in which this end was absent; the time to answer, where a ping had to be promised after
    /// that; for bytes that moved, the bound or the write deadline from then on; what the kernel tells, where it does
    /// (``putOff(_:)``); what a late timer exceeds the margin by.
    private func checkBound(_ witness: Witness) {
        let peer = witness.peer
        guard witness.pausedSince == nil, !peer.inputEnded, !(witness.isSlow && peer.canRead) else { return }
        let bound = witness.promise.bound
        guard peer.time > witness.proofAt + bound else { return }
        let link = peer.surroundings.link
        var start = witness.proofAt
        var due = witness.proofAt + bound
        if let movement = link.truth.lastQueueMovement(of: peer.end) {
            let patience = link.queuedBytes(of: peer.end) > 0 ? witness.promise.writeWithin : bound
            // A sample that comes late finds out late what moved, and a shorter patience begins with what waits.
            due = max(due, max(movement + patience, witness.backlogSince ?? .min) + self.lateness(of: peer))
            start = min(start, movement)
        }
        if peer.configuration.showsEvidence { due = max(due, self.putOff(witness)) }
        due = max(due, witness.timingsChangedAt) + witness.absence(since: start, until: peer.time)
        if witness.lastReturn(after: witness.proofAt, until: peer.time) != nil {
            // A suspension is noticed when the next timer goes off.
            due = max(due, witness.stalledAt ?? .min) + peer.timings.replyWithin.wholeNanoseconds
        } else if peer.timings.sendsPings,
            witness.lastReturn(sinceOrAt: witness.proofAt - witness.promise.interval) != nil
        {
            // The ping that was promised then may be as late as the verdict, and has the whole time to be answered.
            due += self.lateness(of: peer)
        }
        // A slow program of our own finds out late what its peer said long before.
        if witness.isSlow, witness.lastReadAt > witness.proofAt {
            due = max(due, witness.lastReadAt + bound + bound / 8)
        }
        due += max(0, self.lateness(of: peer) - witness.verdictMargin)
        if peer.time > due {
            self.complain("missed the bound by \(Duration.nanoseconds(peer.time - due).text)", peer)
        }
    }

    /// Until when what the kernel knows may put a verdict off: that it acknowledges a question is no reason to wait, for a
    /// program that stopped does not answer it.
    ///
    /// Bulk of our own before the question speaks for the peer while it moves, and once more when the probe of a closed
    /// window is acknowledged. A first question that may have had to be repeated, or waited behind messages, can be answered
    /// from its acknowledgement on, until which that of anything before it counts; what is found acknowledged at the bound
    /// gives that time once, and once more where another question was on its way then.
    private func putOff(_ witness: Witness) -> Int64 {
        var until = Int64.min
        if witness.hasSentMessages, let movedAt = witness.bulkMovedAt {
            until = movedAt + 2 * max(witness.promise.writeWithin, witness.promise.bound)
        }
        // Kernels tell times in milliseconds: an acknowledgement right before a backlog, but for an absence, may seem to be of
        // it. So may any earlier one, where bulk waited in the kernel alone when the peer was suspected.
        let millisecond: Int64 = 1_000_000
        if let since = witness.backlogSince {
            // The first thing that is acknowledged is the SYN.
            let ackedAt = witness.knownProgressAt ?? witness.openedAt
            // Its clock runs on while it does not read.
            let isPauseBetween = witness.pauses.contains { $0.lowerBound < since && $0.upperBound > ackedAt }
            let leftOut = isPauseBetween ? 0 : witness.absence(since: ackedAt, until: since)
            let seemsLater = ackedAt + millisecond + leftOut >= since
            if seemsLater || witness.isSuspecting && witness.suspectedAt < since {
                // What it was absent after the proof of life is allowed for all that is put off.
                let absence = witness.absence(since: ackedAt, until: witness.proofAt)
                until = max(until, ackedAt + millisecond + witness.promise.writeWithin + absence)
            }
        }
        let isImmediate = self.isLossless && self.outages.isEmpty && !witness.hasSentMessages
        guard !isImmediate, let first = witness.questions.first,
            let acknowledgedAt = first.acknowledgedAt ?? witness.knownProgressAt, acknowledgedAt > witness.proofAt
        else { return until }
        let reply = witness.peer.timings.replyWithin.wholeNanoseconds
        let from = max(acknowledgedAt, witness.proofAt + witness.promise.bound)
        until = max(until, from + reply)
        // Kernels tell when they last heard an acknowledgement, not of what: the newest one counts.
        let wasLate = acknowledgedAt - first.sentAt > 2 * (self.longestLatency[0] + self.longestLatency[1])
        let isOnItsWay = witness.questions.contains { $0.sentAt <= from && $0.acknowledgedAt ?? .min > from }
        if wasLate, isOnItsWay, let last = witness.questions.last(where: { $0.acknowledgedAt ?? .max <= from + reply })
        {
            until = max(until, (last.acknowledgedAt ?? .min) + reply)
        }
        return until
    }

    // MARK: - Other limits

    /// Rule R10: who does not say hello is not waited for.
    private func checkHandshake(_ witness: Witness) {
        let peer = witness.peer
        guard peer.configuration.policy.requiresHello, !witness.isGreeted, witness.pausedSince == nil,
            !peer.inputEnded, !(witness.isSlow && peer.canRead)
        else { return }
        let within = witness.promise.handshakeWithin
        guard peer.time > witness.openedAt + within else { return }
        var due = witness.openedAt + within + witness.absence(since: witness.openedAt, until: peer.time)
        // Each return promises a ping to a peer that has spoken since the one before.
        if let back = witness.lastReturn(after: witness.openedAt, until: peer.time) {
            due = max(due, back + witness.promise.bound) + peer.timings.replyWithin.wholeNanoseconds
        }
        due += self.lateness(of: peer)
        if peer.time > due {
            self.complain("missed the handshake deadline by \(Duration.nanoseconds(peer.time - due).text)", peer)
        }
    }

    /// Rule R7: not reading has a limit of its own.
    private func checkPause(_ witness: Witness) {
        let peer = witness.peer
        guard let since = witness.pausedSince else { return }
        let due = since + peer.timings.readPauseLimit.wholeNanoseconds + self.lateness(of: peer)
        guard peer.time > due else { return }
        if peer.time > due + witness.absence(since: since, until: peer.time) {
            self.complain("does not read for longer than the limit", peer)
        }
    }

    /// Who only sends heartbeats is not kept beyond the idle limit.
    private func checkIdleLimit(_ witness: Witness) {
        let peer = witness.peer
        guard let limit = peer.configuration.policy.idleLimit?.wholeNanoseconds, witness.pausedSince == nil else {
            return
        }
        let due = witness.lastMessageAt + limit + self.lateness(of: peer)
        guard peer.time > due else { return }
        if peer.time > due + witness.absence(since: witness.lastMessageAt, until: peer.time) {
            self.complain("missed the idle limit", peer)
        }
    }
}
