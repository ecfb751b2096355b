//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

// Whether what a machine says of the other end is true.
extension Oracle {
    private static let verdicts: Set<DisconnectReason.Code> = [
        .peerSilent, .peerFrozen, .peerNotReading, .pathLost, .handshakeTimeout,
    ]

    /// The slack that a token in microseconds has.
    static let tokenSlack: Int64 = 1_000

    func suspected(_ peer: SimulatedPeer) {
        let witness = self.witnesses[peer.end.index]
        self.witnesses[peer.end.index].isSuspecting = true
        self.witnesses[peer.end.index].suspectedAt = peer.time
        // One ping waits behind bytes of our own, not two.
        self.witnesses[peer.end.index].owesPing = peer.timings.sendsPings && !peer.machine.hasBacklog
        guard !witness.isSuspecting else { return self.complain("suspects a peer that it suspects already", peer) }
        guard case .fixed = peer.timings.detector else { return }
        let silence = witness.fairSilence
        let earliest = min(witness.promise.suspectAfter, witness.earliestVerdict) - Self.tokenSlack
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
        let witness = self.witnesses[index]
        self.checkTold(close, witness)
        let code = close.reason.code
        switch code {
        case _ where Self.verdicts.contains(code): self.checkVerdict(close, peer)
        case .peerClosed, .peerGoodbye, .peerReset: self.checkPeersEnd(code, peer)
        case .localClosed, .localShutdown, .localFailed: self.checkOwnDecision(code, witness)
        case .idle, .slowConsumer, .pingFlood: self.checkPolicy(code, witness)
        case .protocolViolation where self.isViolated(close.reason, witness): break
        default: self.complain("\(code.rawValue), for which there is no cause", peer)
        }
    }

    // MARK: - What is told with an end

    /// The silence and the phase.
    private func checkTold(_ close: ConnectionMachine.Close, _ witness: Witness) {
        let silence = witness.fairSilence
        if abs(close.silence.wholeNanoseconds - silence) > 2 * Self.tokenSlack {
            self.complain(
                "tells of \(close.silence.text) of silence, it was \(Duration.nanoseconds(silence).text)",
                witness.peer
            )
        }
        let began: DisconnectReason.Phase = witness.isGreeted ? .active : .handshake
        let phase = close.reason.code == .localShutdown ? .draining : began
        if close.reason.phase != phase {
            self.complain("tells of the phase \(close.reason.phase.rawValue), it was \(phase.rawValue)", witness.peer)
        }
    }

    // MARK: - What ends a connection, other than a verdict

    private func checkPeersEnd(_ code: DisconnectReason.Code, _ peer: SimulatedPeer) {
        let other = self.witnesses[peer.end.other.index]
        switch code {
        case .peerClosed where !peer.inputEnded: self.complain("peer.closed without a FIN", peer)
        case .peerGoodbye where other.closeCount == 0: self.complain("peer.goodbye, but nobody said it", peer)
        case .peerReset where !other.peer.isGone: self.complain("peer.reset, but nobody reset", peer)
        default: break
        }
    }

    private func checkOwnDecision(_ code: DisconnectReason.Code, _ witness: Witness) {
        let peer = witness.peer
        switch code {
        case .localClosed where !witness.isToClose, .localShutdown where !witness.isToDrain:
            self.complain("\(code.rawValue), but nobody asked for it", peer)
        case .localFailed:
            let limit = peer.timings.readPauseLimit.wholeNanoseconds
            let since = witness.pausedSince ?? (witness.isSlow ? witness.openedAt : peer.time)
            if peer.time - since < limit { self.complain("gave up reading without a pause of the limit", peer) }
        default:
            break
        }
    }

    private func checkPolicy(_ code: DisconnectReason.Code, _ witness: Witness) {
        let peer = witness.peer
        switch code {
        case .idle:
            guard let limit = peer.configuration.policy.idleLimit?.wholeNanoseconds else {
                return self.complain("idle, for which there is no limit", peer)
            }
            let idle = witness.fairTime(since: witness.lastMessageAt)
            if idle < limit - Self.tokenSlack {
                self.complain("idle \(Duration.nanoseconds(idle).text) after a message", peer)
            }
        case .slowConsumer:
            let queued = peer.surroundings.link.queuedBytes(of: peer.end)
            if queued <= peer.configuration.outboundLimit { self.complain("slow-consumer with \(queued) bytes", peer) }
        default:
            // Who reads slower than the peer speaks, and does not say so by a pause, reads its pings in a heap.
            if !self.witnesses[peer.end.other.index].pingsTooOften, !witness.isSlow {
                self.complain("ping-flood, but the peer never pinged too often", peer)
            }
        }
    }

    private func isViolated(_ reason: DisconnectReason, _ witness: Witness) -> Bool {
        // A program of our own that reads that slowly does not see the end of the message.
        if witness.isSlow, reason.evidence.detail?.contains("unfinished") == true { return true }
        let other = self.witnesses[witness.peer.end.other.index]
        return witness.peer.configuration.policy.requiresHello && !witness.isGreeted && other.hasSentMessages
            && other.peer.configuration.asksFor == nil
    }

    // MARK: - At the end

    /// Exactly one close for each connection that was opened, unless its process is not there to tell.
    func checkEnds() {
        for witness in self.witnesses where witness.peer.isGone && !witness.leftWithoutClose && witness.closeCount != 1
        {
            self.complain("is gone, and told \(witness.closeCount) ends", witness.peer)
        }
    }
}
