//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

// Whether a verdict is true.
extension Oracle {
    func checkVerdict(_ close: ConnectionMachine.Close, _ peer: SimulatedPeer) {
        let witness = self.witnesses[peer.end.index]
        let code = close.reason.code
        let link = peer.surroundings.link
        let isStandstill = close.reason.evidence.unsentBytes != nil
        if !isStandstill, witness.pausedSince == nil, link.hasUnread(at: peer.end) {
            self.complain("\(code.rawValue), although something unread waits", peer)
        }
        if witness.pausedSince != nil, !isStandstill { self.complain("\(code.rawValue) while it did not read", peer) }
        if code == .handshakeTimeout {
            self.checkHandshakeTimeout(witness)
        } else if isStandstill {
            self.checkStandstill(close.reason, witness)
        } else {
            let silence = witness.fairSilence
            if silence < witness.earliestVerdict - Oracle.tokenSlack {
                self.complain("\(code.rawValue) after \(Duration.nanoseconds(silence).text) of silence", peer)
            }
            if !witness.isSuspecting { self.complain("\(code.rawValue) without having suspected", peer) }
            self.checkQuestionAfterStall(witness)
        }
        // Who need not say hello is dead when it says nothing; who must may be alive and answer all it is asked.
        if code != .handshakeTimeout || !peer.configuration.policy.requiresHello {
            self.checkFairness(code, peer, isStandstill: isStandstill)
        }
        if !isStandstill { self.checkReason(close.reason, peer) }
    }

    /// Rules R6 and R7: after an absence the other end gets a ping that it can answer.
    private func checkQuestionAfterStall(_ witness: Witness) {
        let peer = witness.peer
        guard witness.stalledAt != nil, peer.timings.sendsPings, witness.lastBacklogAt < witness.proofAt else { return }
        let reply = peer.timings.replyWithin.wholeNanoseconds
        if let askedAt = witness.askedAfterStallAt, peer.time - askedAt >= reply - witness.verdictMargin - 1_000 {
            return
        }
        self.complain("no time to answer after an absence", peer)
    }

    /// Rule R10: only who has said nothing, or no hello where one is required, and not before the deadline.
    private func checkHandshakeTimeout(_ witness: Witness) {
        let peer = witness.peer
        let within = witness.promise.handshakeWithin
        if witness.fairTime(since: witness.openedAt) < within - min(witness.verdictMargin, within / 25 * 2) {
            self.complain("handshake-timeout too early", peer)
        }
        if witness.isGreeted { self.complain("handshake-timeout, although the peer was heard", peer) }
    }

    /// Rule R8: bytes that move keep a slow peer alive; before the first of them moves, the time since they began to wait
    /// does, unless it is silent as well.
    private func checkStandstill(_ reason: DisconnectReason, _ witness: Witness) {
        let peer = witness.peer
        let code = reason.code
        let truth = peer.surroundings.link.truth
        var movement = truth.lastQueueMovement(of: peer.end) ?? .min
        // What moves in its kernel alone is seen by who looks there, as old as what was sent last where all of that was acknowledged:
        // by as much too old as the acknowledgement took longer than a round trip does.
        if peer.configuration.showsEvidence, let progress = truth.lastBacklogProgress(of: peer.end) {
            movement = max(movement, progress - self.longestLatency[0] - self.longestLatency[1])
        }
        guard peer.surroundings.link.queuedBytes(of: peer.end) > 0 else {
            return self.complain("\(code.rawValue), although nothing waits", peer)
        }
        let backlogSince = witness.backlogSince ?? peer.time
        let isSilent = witness.isSuspecting && witness.fairSilence >= witness.earliestVerdict - Oracle.tokenSlack
        let since = max(isSilent ? .min : backlogSince, movement)
        let patience = witness.promise.writeWithin
        if since > peer.time - patience + patience / 16 + witness.verdictMargin {
            let duration = Duration.nanoseconds(peer.time - since)
            self.complain("\(code.rawValue), although bytes moved, or began to wait, \(duration.text) before", peer)
        }
        let isPathWell = self.isLossless && self.outages.isEmpty
        if code != .peerNotReading, isPathWell || !peer.configuration.showsEvidence {
            self.complain("\(code.rawValue) of a standstill: \(Self.diagnosis(of: reason))", peer)
        }
    }

    /// A peer that has answered whatever reached it, and whose answers all arrived, is alive.
    private func checkFairness(_ code: DisconnectReason.Code, _ peer: SimulatedPeer, isStandstill: Bool) {
        let witness = self.witnesses[peer.end.index]
        let other = self.witnesses[peer.end.other.index]
        let (time, truth) = (peer.time, peer.surroundings.link.truth)
        guard peer.timings.sendsPings, other.peer.timings.answersPings || other.peer.timings.sendsPings else { return }
        guard !other.peer.isGone, other.closeCount == 0, !other.isSlow, other.pausedSince == nil,
            !other.absences.contains(where: { $0.contains(time) }), !peer.inputEnded
        else { return }
        let queued = peer.surroundings.link.queuedBytes(of: peer.end)
        // Part of a first message is a sign of life, and ends no handshake; who was heard so lately is not to be asked yet.
        let mayBeUnasked = code == .handshakeTimeout && time - witness.proofAt <= witness.promise.interval
        let askedSince = mayBeUnasked ? witness.openedAt : witness.proofAt
        if !isStandstill, witness.lastPingAt <= askedSince, queued == 0 {
            self.complain("\(code.rawValue), but the peer was not asked", peer)
        }
        guard other.peer.timings.answersPings else { return }
        if truth.oldestUndelivered(to: peer.end) == nil, truth.oldestUndelivered(to: peer.end.other) == nil,
            !other.peer.canRead, !peer.surroundings.link.hasUnread(at: peer.end)
        {
            self.complain("\(code.rawValue), but the peer has answered everything", peer)
        }
        // On a path that loses nothing every question is answered within a round trip.
        let lateness = (peer.configuration.wakeUpLateness + other.peer.configuration.wakeUpLateness).wholeNanoseconds
        let roundTrip = self.longestLatency[0] + self.longestLatency[1] + lateness + 2 * SimulatedLoop.tickNanoseconds
        guard self.isLossless, self.outages.isEmpty, !witness.hasSentMessages, !other.hasSentMessages,
            peer.timings.replyWithin.wholeNanoseconds >= 2 * roundTrip, !witness.isSlow
        else { return }
        if other.lastReturn(after: time - roundTrip, until: time) == nil {
            self.complain("\(code.rawValue), but the peer answers", peer)
        }
    }

    private static func diagnosis(of reason: DisconnectReason) -> String {
        reason.evidence.diagnosis?.rawValue ?? "no diagnosis"
    }

    /// The reason, where only one thing has happened that can have led to it.
    private func checkReason(_ reason: DisconnectReason, _ peer: SimulatedPeer) {
        let code = reason.code
        let witness = self.witnesses[peer.end.index]
        let other = self.witnesses[peer.end.other.index]
        guard code != .handshakeTimeout else { return }
        guard peer.configuration.showsEvidence, peer.timings.sendsPings else {
            if !peer.configuration.showsEvidence, code != .peerSilent {
                self.complain("\(code.rawValue) by no evidence", peer)
            }
            return
        }
        let isQuiet = !witness.hasSentMessages && !other.hasSentMessages && self.isLossless
        guard isQuiet, peer.timings.bound >= .seconds(1), !other.leftWithoutClose, other.closeCount == 0,
            witness.absences.isEmpty
        else { return }
        // A last question that is on its way can leave the kernel's figures without an answer.
        if code == .peerSilent, let tcp = reason.evidence.tcp, tcp.unacked > 0,
            Int64(tcp.lastDataSent) * 1_000_000 <= self.longestLatency[0] + self.longestLatency[1]
        {
            return
        }
        if self.outages.isEmpty, !other.absences.isEmpty || other.isSlow || other.pausedSince != nil {
            // Pings alone fill the window of a program that reads nothing for an hour.
            let isFull = other.pausedSince != nil && reason.evidence.tcp?.sendWindow == 0
            if code != .peerFrozen, !(isFull && code == .peerNotReading) {
                self.complain("\(code.rawValue), but its program stopped: \(Self.diagnosis(of: reason))", peer)
            }
        } else if other.absences.isEmpty, !self.outages.isEmpty, other.pausedSince == nil, !other.isSlow {
            if code != .pathLost, !self.mayHaveHealed(reason, witness) {
                self.complain("\(code.rawValue), but the path is gone: \(Self.diagnosis(of: reason))", peer)
            }
        }
    }
}

extension Oracle {
    /// The path carries again, but what was lost has not been repeated yet: kernels double the time between repetitions
    /// (RFC 6298 section 5.5), and tell how often something was repeated, not when.
    ///
    /// Where it carried at both looks already, they tell nothing of it at all. Nor do they of a failure after which nothing was
    /// sent.
    private func mayHaveHealed(_ reason: DisconnectReason, _ witness: Witness) -> Bool {
        let now = witness.peer.time
        let isSilent = reason.code == .peerSilent
        var outages = self.outages
        if isSilent, let tcp = reason.evidence.tcp, tcp.unacked == 0, tcp.notSentBytes == 0 {
            let acknowledgedAt = now - Int64(tcp.lastAckReceived) * 1_000_000
            outages = outages.filter { $0.lowerBound <= acknowledgedAt }
        }
        let isOver = outages.allSatisfy { $0.upperBound <= (isSilent ? now : witness.suspectedAt) }
        return isOver && outages.contains { now - $0.upperBound <= max($0.upperBound - $0.lowerBound, 400_000_000) }
    }
}
