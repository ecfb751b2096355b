//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

// Whether a verdict is true.
extension Oracle {
    private static let verdicts: Set<DisconnectReason.Code> = [
        .peerSilent, .peerFrozen, .peerNotReading, .pathLost, .pathUnreachable, .localCannotSend, .handshakeTimeout,
    ]

    /// The slack that a token in microseconds has.
    private static let tokenSlack: Int64 = 1_000

    func suspected(_ peer: SimulatedPeer) {
        let witness = self.witnesses[peer.end.index]
        self.witnesses[peer.end.index].isSuspecting = true
        self.witnesses[peer.end.index].suspectedAt = peer.time
        // One ping waits behind bytes of our own, not two.
        self.witnesses[peer.end.index].owesPing = peer.timings.sendsPings && !peer.machine.hasBacklog
        guard !witness.isSuspecting else { return self.complain("suspects a peer that it suspects already", peer) }
        guard case .fixed = peer.timings.detector else { return }
        let silence = witness.fairSilence
        let earliest = min(peer.timings.suspectAfter.wholeNanoseconds, peer.earliestVerdict) - Self.tokenSlack
        if silence < earliest { self.complain("suspects after \(Duration.nanoseconds(silence).text)", peer) }
    }

    func recovered(_ peer: SimulatedPeer) {
        if !self.witnesses[peer.end.index].isSuspecting {
            self.complain("recovered without having been suspected", peer)
        }
        self.witnesses[peer.end.index].isSuspecting = false
    }

    /// The machine decided; nothing of it has been carried out.
    func closed(_ close: ConnectionMachine.Close, by peer: SimulatedPeer) {
        let index = peer.end.index
        self.witnesses[index].closeCount += 1
        self.witnesses[index].closedAt = self.witnesses[index].closedAt ?? peer.time
        if self.witnesses[index].closeCount > 1 { self.complain("closed twice", peer) }
        let other = self.witnesses[peer.end.other.index]
        let witness = self.witnesses[index]
        let code = close.reason.code
        switch code {
        case _ where Self.verdicts.contains(code):
            self.checkVerdict(close, peer)
        case .peerClosed:
            if !peer.inputEnded { self.complain("peer.closed without a FIN", peer) }
        case .peerGoodbye:
            if other.closeCount == 0 { self.complain("peer.goodbye, but nobody said it", peer) }
        case .peerReset:
            if !other.peer.isGone { self.complain("peer.reset, but nobody reset", peer) }
        case .slowConsumer:
            let queued = peer.surroundings.link.queuedBytes(of: peer.end)
            if queued <= peer.configuration.outboundLimit { self.complain("slow-consumer with \(queued) bytes", peer) }
        case .protocolViolation where witness.isSlow && close.reason.evidence.detail?.contains("unfinished") == true:
            // A program of our own that reads that slowly does not see the end of the message.
            break
        case .localClosed, .localFailed, .idle:
            self.checkOwnDecision(code, peer)
        default:
            self.complain("\(code.rawValue), for which there is no cause", peer)
        }
    }

    private func checkOwnDecision(_ code: DisconnectReason.Code, _ peer: SimulatedPeer) {
        let witness = self.witnesses[peer.end.index]
        guard code == .localFailed else { return }
        let limit = peer.timings.readPauseLimit.wholeNanoseconds
        let since = witness.pausedSince ?? (witness.isSlow ? witness.openedAt : peer.time)
        if peer.time - since < limit { self.complain("gave up reading without a pause of the limit", peer) }
    }

    // MARK: - Verdicts

    private func checkVerdict(_ close: ConnectionMachine.Close, _ peer: SimulatedPeer) {
        let witness = self.witnesses[peer.end.index]
        let code = close.reason.code
        let link = peer.surroundings.link
        let isStandstill = close.reason.evidence.unsentBytes != nil
        if !isStandstill, witness.pausedSince == nil, link.hasUnread(at: peer.end) {
            self.complain("\(code.rawValue), although something unread waits", peer)
        }
        if witness.pausedSince != nil, !isStandstill { self.complain("\(code.rawValue) while it did not read", peer) }
        if code == .handshakeTimeout {
            let within = peer.timings.handshakeWithin.wholeNanoseconds
            if peer.time - witness.openedAt < within - min(peer.verdictMargin, within / 25 * 2) {
                self.complain("handshake-timeout too early", peer)
            }
        } else if isStandstill {
            self.checkStandstill(code, peer)
        } else {
            let silence = witness.fairSilence
            if silence < peer.earliestVerdict - Self.tokenSlack {
                self.complain("\(code.rawValue) after \(Duration.nanoseconds(silence).text) of silence", peer)
            }
            if !witness.isSuspecting { self.complain("\(code.rawValue) without having suspected", peer) }
            self.checkQuestionAfterStall(witness)
        }
        self.checkFairness(code, peer, isStandstill: isStandstill)
        if !isStandstill { self.checkReason(close.reason, peer) }
    }

    /// Rules R6 and R7: after an absence the other end gets a ping that it can answer.
    private func checkQuestionAfterStall(_ witness: Witness) {
        let peer = witness.peer
        guard witness.stalledAt != nil, peer.timings.sendsPings, witness.lastBacklogAt < witness.proofAt else { return }
        let reply = peer.timings.replyWithin.wholeNanoseconds
        if let askedAt = witness.askedAfterStallAt, peer.time - askedAt >= reply - peer.verdictMargin - 1_000 { return }
        self.complain("no time to answer after an absence", peer)
    }

    /// Rule R8: bytes that move keep a slow peer alive.
    private func checkStandstill(_ code: DisconnectReason.Code, _ peer: SimulatedPeer) {
        guard let movement = peer.surroundings.link.truth.lastQueueMovement(of: peer.end) else { return }
        let patience = peer.timings.writeWithin.wholeNanoseconds
        if peer.time - movement < patience - patience / 16 - peer.verdictMargin {
            let since = Duration.nanoseconds(peer.time - movement)
            self.complain("\(code.rawValue), although bytes moved \(since.text) before", peer)
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
        if !isStandstill, witness.lastPingAt <= witness.proofAt, queued == 0 {
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
            if code != .peerFrozen {
                self.complain("\(code.rawValue), but its program stopped: \(reason.evidence)", peer)
            }
        } else if other.absences.isEmpty, !self.outages.isEmpty, other.pausedSince == nil, !other.isSlow {
            if code != .pathLost, !self.mayHaveHealed(code, witness) {
                self.complain("\(code.rawValue), but the path is gone: \(reason.evidence)", peer)
            }
        }
    }
}

extension Oracle {
    /// The path carries again, but what was lost has not been repeated yet: kernels double the time between repetitions
    /// (RFC 6298 section 5.5), and tell how often something was repeated, not when.
    ///
    /// Where it carried at both looks already, they tell nothing of it at all.
    private func mayHaveHealed(_ code: DisconnectReason.Code, _ witness: Witness) -> Bool {
        let now = witness.peer.time
        let isOver = self.outages.allSatisfy { $0.upperBound <= (code == .peerSilent ? now : witness.suspectedAt) }
        return isOver
            && self.outages.contains { now - $0.upperBound <= max($0.upperBound - $0.lowerBound, 400_000_000) }
    }
}

extension SimulatedPeer {
    /// How much before the bound a verdict may fall: see ``BelayCore/LivenessTimings``.
    var verdictMargin: Int64 {
        let bound = self.timings.bound.wholeNanoseconds
        return min(
            min(max(bound / 100, 2_000_000), 10_000_000),
            bound / 25 * 2,
            self.timings.replyWithin.wholeNanoseconds / 3
        )
    }

    /// The shortest silence of a verdict.
    var earliestVerdict: Int64 { self.timings.bound.wholeNanoseconds - self.verdictMargin }
}
