//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

// What is seen before anything is said about a peer.
extension ConnectionMachine {
    /// What a look is for.
    public enum Judgement: Hashable, Sendable {
        /// Whether to suspect the peer.
        case suspicion
        /// Whether to declare it dead.
        case death
        /// Whether a queue of ours that stands still means that the peer does not read (rule R8).
        case standstill
    }

    /// What a look at the receive queue of the kernel found; no byte is consumed by it.
    public enum ReceiveQueue: Hashable, Sendable {
        /// Nothing waits.
        case empty
        /// Bytes or a FIN wait to be read.
        case unread
        /// The kernel holds an error for the connection.
        case failed(ErrorNumber)
        /// It cannot be looked at on this transport.
        case unknown
    }

    /// One look at the socket.
    public struct Look: Hashable, Sendable {
        /// The receive queue of the kernel.
        public var receiveQueue: ReceiveQueue
        /// Bytes of ours that the kernel has not taken.
        public var queuedBytes: Int
        /// What the kernel knows of the connection; nil where it does not tell.
        public var tcp: TCPEvidence?
        /// When our bytes last were acknowledged, which the kernel tells as an age (``TCPEvidence/sinceProgress``), on the clock
        /// of the observer; nil where that clock left nothing out, so that the age can be taken from the time of the look.
        public var progressAt: Instant?
        /// What the network reported without ending the connection, before a verdict; nil where nothing.
        public var networkError: ErrorNumber?

        /// A look that found this.
        public init(
            receiveQueue: ReceiveQueue,
            queuedBytes: Int,
            tcp: TCPEvidence? = nil,
            progressAt: Instant? = nil,
            networkError: ErrorNumber? = nil
        ) {
            self.receiveQueue = receiveQueue
            self.queuedBytes = queuedBytes
            self.tcp = tcp
            self.progressAt = progressAt
            self.networkError = networkError
        }
    }

    /// What follows from a look.
    public enum LookAction: Hashable, Sendable {
        /// No verdict now: come back at ``ConnectionMachine/nextDeadline``.
        case doNothing
        /// Say that the peer is suspected, and write a ping if there is a token.
        case suspect(silence: Duration, ping: UInt64?)
        /// Write a ping; the peer is suspected already.
        case ask(ping: UInt64)
        /// Report and close.
        indirect case close(Close)
    }

    /// The look before anything is said about the peer (rules R4, R5 and R8).
    ///
    /// Unread bytes mean alive: they are read first, then judged. A backlog that moves means alive too, whether it waits
    /// here or is being acknowledged. What is said else is the conclusion of ``Diagnosis``.
    public mutating func looked(
        at now: Instant,
        for judgement: Judgement,
        _ look: Look,
        using generator: inout some RandomNumberGenerator
    ) -> LookAction {
        guard !self.isOver else { return .doNothing }
        self.noteOutbound(queuedBytes: look.queuedBytes, at: now)
        if let error = look.networkError, DisconnectCause.code(for: error) == .peerReset {
            // It came after the look at the queue, and the kernel tells it once.
            return self.close(.failed(error), look, at: now)
        }
        switch look.receiveQueue {
        case .failed(let errno):
            return self.close(.failed(errno), look, at: now)
        case .unread where judgement != .standstill && self.dueJudgement(at: now) != nil:
            return self.sawUnreadBytes(at: now)
        case .empty, .unread, .unknown:
            break
        }
        // What happened since the look was asked for, or what it showed of our queue, may have made it needless.
        guard self.isDue(judgement, at: now) else { return .doNothing }
        if judgement == .death, self.timings.requiresHello, now >= self.handshakeDeadline {
            // No evidence speaks for who says no hello.
            return self.close(.handshakeDeadlinePassed, look, at: now)
        }
        if judgement == .suspicion, self.suspectedEarly { return self.lookedAgain(at: now, look, using: &generator) }
        guard let diagnosis = self.conclusion(from: look, for: judgement, at: now) else { return .doNothing }
        switch judgement {
        case .suspicion:
            // An older look shows more, if it will still count at the verdict.
            let lookedAt = self.earlierLook?.takenAt ?? .distantPast
            if now.nanoseconds(since: lookedAt) > self.timings.suspectNanoseconds, let tcp = self.evidence(of: look) {
                self.remember(tcp, look, at: now)
            }
            self.suspectedSince = self.proof
            self.suspectedEarly = now < self.policySuspicion
            let ping = self.mayPing ? self.pingSent(at: now, using: &generator) : nil
            return .suspect(silence: self.silence(at: now), ping: ping)
        case .standstill:
            return self.close(.noWriteProgress(diagnosis, unsentBytes: look.queuedBytes), look, at: now)
        case .death where now >= self.handshakeDeadline:
            return self.close(.handshakeDeadlinePassed, look, at: now)
        case .death where look.queuedBytes > 0:
            return self.close(.noWriteProgress(diagnosis, unsentBytes: look.queuedBytes), look, at: now)
        case .death:
            return self.close(.silence(diagnosis), look, at: now)
        }
    }

    /// The time of the policy came for a peer that its detector suspected before.
    ///
    /// What the kernel tells from now on is compared with this look, as without a detector: what moved since the earlier one may
    /// only have been the acknowledgement of the ping that was late then.
    private mutating func lookedAgain(
        at now: Instant,
        _ look: Look,
        using generator: inout some RandomNumberGenerator
    ) -> LookAction {
        self.suspectedEarly = false
        if let tcp = self.evidence(of: look) {
            // What moved until now is in the look that is remembered, and no later one finds it.
            let earlier = self.earlierLook(at: now, orWithin: self.timings.writeNanoseconds)
            let hasMoved = earlier?.tcp.bytesAcked.map { $0 != tcp.bytesAcked } ?? true
            if look.queuedBytes > 0, hasMoved, tcp.mayBeMoving {
                self.noteAcknowledged(tcp, look, isBulk: true, at: now)
            }
            self.remember(tcp, look, at: now)
        }
        return self.mayPing ? .ask(ping: self.pingSent(at: now, using: &generator)) : .doNothing
    }

    /// What follows from the evidence; nil where it puts the judgement off.
    private mutating func conclusion(from look: Look, for judgement: Judgement, at now: Instant) -> Diagnosis? {
        guard let tcp = self.evidence(of: look) else { return .noEvidence }
        let patience = look.queuedBytes > 0 ? self.timings.writeNanoseconds : 0
        let earlier = self.earlierLook(at: now, orWithin: patience)
        let diagnosis = self.diagnosis(tcp, after: earlier, look, at: now)
        // The kernel takes our bytes in steps: what stands still here may have moved there. One look does not tell.
        let mayMove = look.queuedBytes > 0 || judgement == .death && self.askedAt != nil
        // Nor do two within a round trip or so.
        let tellsMovement = earlier.map { now.nanoseconds(since: $0.takenAt) >= Int64(tcp.roundTrip) * 2_000 } ?? false
        guard diagnosis == .ownBacklog || !tellsMovement && mayMove && tcp.mayBeMoving else { return diagnosis }
        let isBulk = look.queuedBytes > 0 || tcp.isBulk || earlier?.tcp.isBulk ?? false
        if judgement == .death, !isBulk, let earlier, earlier.hadYoungQuestion, !tcp.wasSentAgain(since: earlier.tcp) {
            return self.diagnosisAlone(tcp, after: earlier, look, at: now)
        }
        self.noteAcknowledged(tcp, look, isBulk: isBulk, at: now)
        if diagnosis == .ownBacklog || earlier == nil { self.remember(tcp, look, at: now) }
        guard self.isDue(judgement, at: now) else { return nil }
        // What moved did so too long ago, or tells nothing new of the program.
        guard diagnosis == .ownBacklog || earlier == nil else { return diagnosis }
        let alone = self.diagnosisAlone(tcp, after: earlier, look, at: now)
        let answerable = self.acknowledgedAt(tcp, look, at: now).advanced(byNanoseconds: self.timings.replyNanoseconds)
        return !isBulk && now < answerable && alone.code == .pathLost ? .inconclusive : alone
    }

    /// What one look says, where comparison with the figures of an earlier one would only put off.
    private func diagnosisAlone(
        _ tcp: TCPEvidence,
        after earlier: EarlierLook?,
        _ look: Look,
        at now: Instant
    ) -> Diagnosis {
        var record = self.record(tcp, after: earlier, look, at: now)
        if let earlier, tcp.wasSentAgain(since: earlier.tcp) { record.wasSentAgain = true }
        let alone = Diagnosis(record, now: self.asked(tcp, at: now))
        return alone == .ownBacklog ? .inconclusive : alone
    }

    /// The peer's host was alive when it last acknowledged something: what is queued gets the write deadline from then on,
    /// what is in the kernel alone a bound, a question alone the time for its answer, up to ``latestAnswer``.
    private mutating func noteAcknowledged(_ tcp: TCPEvidence, _ look: Look, isBulk: Bool, at now: Instant) {
        let ackedAt = self.acknowledgedAt(tcp, look, at: now)
        if isBulk {
            // What was acknowledged before anything waited is not what waits.
            if let backlog, ackedAt < backlog.since { return }
            self.movedAt = max(self.movedAt, ackedAt)
        } else {
            let answerable = ackedAt.advanced(byNanoseconds: self.timings.replyNanoseconds)
            self.judgeFrom = max(self.judgeFrom, min(answerable, self.latestAnswer))
        }
    }

    /// Until when acknowledgements of questions put a verdict off: for the time to answer, past the bound and past that of the
    /// question that the peer's kernel is known to have.
    ///
    /// That it learned of another one is no news of a program that had the time to answer the first.
    private var latestAnswer: Instant {
        guard let askedAt, let knewAt = self.earlierLook?.knewQuestionAt, knewAt >= askedAt else {
            return .distantFuture
        }
        let reply = self.timings.replyNanoseconds
        let bound = self.proof.advanced(byNanoseconds: self.timings.boundNanoseconds)
        return max(bound, knewAt.advanced(byNanoseconds: reply)).advanced(byNanoseconds: reply)
    }

    /// When something of ours was last acknowledged.
    private func acknowledgedAt(_ tcp: TCPEvidence, _ look: Look, at now: Instant) -> Instant {
        min(look.progressAt ?? now.advanced(by: .zero - tcp.sinceProgress), now)
    }

    private func isDue(_ judgement: Judgement, at now: Instant) -> Bool {
        guard judgement == .standstill else { return self.dueJudgement(at: now) == judgement }
        return self.backlog.map { now >= self.writeDeadline(of: $0) } ?? false
    }

    private mutating func close(_ cause: DisconnectCause, _ look: Look, at now: Instant) -> LookAction {
        guard var close = self.end(cause, at: now) else { return .doNothing }
        close.reason.evidence.tcp = look.tcp
        close.reason.evidence.errno = close.reason.evidence.errno ?? look.networkError
        return .close(close)
    }

    /// Bytes that stay unread although reading is on mean that the loop is behind, or that somebody above us paused it
    /// without a word: come back soon, and treat it as a pause of our own if it lasts.
    private mutating func sawUnreadBytes(at now: Instant) -> LookAction {
        let since = self.unreadSince ?? now
        self.unreadSince = since
        let waited = now.nanoseconds(since: since)
        if waited >= self.timings.readPauseNanoseconds {
            return self.end(.readPauseLimitPassed(self.timings.readPauseLimit), at: now).map { .close($0) }
                ?? .doNothing
        }
        let pause = min(max(waited, 1_000_000), max(self.timings.boundNanoseconds / 8, 1_000_000))
        self.lookAgainAt = now.advanced(byNanoseconds: pause)
        return .doNothing
    }
}

extension ConnectionMachine {
    /// A look with which a later one is compared.
    ///
    /// Apart, because few connections are ever suspected.
    final class EarlierLook: Sendable {
        let takenAt: Instant
        let tcp: TCPEvidence
        /// When the last ping had been sent.
        let pingedAt: Instant
        /// What the network had reported.
        let networkError: ErrorNumber?
        /// Whether anything had to be sent again before it, in the same silence.
        let wasSentAgain: Bool
        /// When the peer's kernel last acknowledged something, at the first look of the silence that showed it to have a question
        /// of ours; nil where none did.
        ///
        /// Kernels may tell a jiffy more than it was, therefore no earlier than the question.
        let knewQuestionAt: Instant?

        init(
            takenAt: Instant,
            tcp: TCPEvidence,
            pingedAt: Instant,
            networkError: ErrorNumber?,
            wasSentAgain: Bool,
            knewQuestionAt: Instant?
        ) {
            self.takenAt = takenAt
            self.tcp = tcp
            self.pingedAt = pingedAt
            self.networkError = networkError
            self.wasSentAgain = wasSentAgain
            self.knewQuestionAt = knewQuestionAt
        }

        /// The last ping could not have been acknowledged yet: that it was later is no movement, unless TCP had to repeat it.
        var hadYoungQuestion: Bool {
            self.takenAt.nanoseconds(since: self.pingedAt) < Int64(self.tcp.retransmissionTimeout) * 1_000
        }
    }

    /// What was seen within the last bound, or a longer time; what is older says nothing about this silence.
    private func earlierLook(at now: Instant, orWithin patience: Int64 = 0) -> EarlierLook? {
        guard let earlierLook else { return nil }
        let age = now.nanoseconds(since: earlierLook.takenAt)
        return age <= max(self.timings.boundNanoseconds, patience) ? earlierLook : nil
    }

    /// When the peer was asked first of all that it has not answered.
    private var askedAt: Instant? { self.unansweredSince > self.proof ? self.unansweredSince : nil }

    /// Keeps a look for comparison.
    private mutating func remember(_ tcp: TCPEvidence, _ look: Look, at now: Instant) {
        let before = self.earlierLook.flatMap { $0.takenAt > self.proof ? $0 : nil }
        self.earlierLook = EarlierLook(
            takenAt: now,
            tcp: tcp,
            pingedAt: self.lastPingAt,
            networkError: look.networkError,
            wasSentAgain: before.map { $0.wasSentAgain || tcp.wasSentAgain(since: $0.tcp) } ?? false,
            knewQuestionAt: before?.knewQuestionAt.flatMap { $0 >= self.unansweredSince ? $0 : nil }
                ?? (self.knowsQuestion(tcp) ? max(self.acknowledgedAt(tcp, look, at: now), self.unansweredSince) : nil)
        )
    }

    /// Whether the peer's kernel has acknowledged one of the questions that it has not answered.
    private func knowsQuestion(_ tcp: TCPEvidence) -> Bool {
        guard let askedAt, let acked = tcp.bytesAcked, let questionEnd = tcp.questionEnd else { return false }
        // Where the last ping is not the first, what was sent before it is enough; one byte less of that, where the SYN counts.
        return acked >= (askedAt < self.lastPingAt ? self.lastPingPosition : questionEnd)
    }

    /// What the kernel told, and where our question ends: with the last ping.
    ///
    /// One byte of it that is acknowledged is enough, and the SYN counts as a byte: two where it does not, at who accepted.
    private func evidence(of look: Look) -> TCPEvidence? {
        guard var tcp = look.tcp else { return nil }
        if self.figures.pingsSent > 0, self.figures.bytesOut > 0 { tcp.questionEnd = self.lastPingPosition &+ 2 }
        return tcp
    }

    private func diagnosis(
        _ tcp: TCPEvidence,
        after earlier: EarlierLook?,
        _ look: Look,
        at now: Instant
    ) -> Diagnosis {
        let record = self.record(tcp, after: earlier, look, at: now)
        return Diagnosis(record, first: earlier?.tcp, now: self.asked(tcp, at: now))
    }

    private func record(
        _ tcp: TCPEvidence,
        after earlier: EarlierLook?,
        _ look: Look,
        at now: Instant
    ) -> Diagnosis.Record {
        Diagnosis.Record(
            silence: self.silence(at: now),
            unansweredFor: self.askedAt?.duration(to: now),
            queuedBytes: look.queuedBytes,
            // The kernel tells it once, and an acknowledgement disproves it.
            networkError: look.networkError
                ?? (tcp.bytesAcked == earlier?.tcp.bytesAcked ? earlier?.networkError : nil),
            sinceFirst: earlier?.takenAt.duration(to: now) ?? .zero,
            wasSentAgain: earlier?.wasSentAgain ?? false,
            isOverdue: true
        )
    }

    /// What the kernel told, with the question that the peer has known of since the look before, where it has not answered it.
    ///
    /// Kernels hold acknowledgements back for tens of milliseconds: that of the last ping may be missing although its program has
    /// been silent for long.
    private func asked(_ tcp: TCPEvidence, at now: Instant) -> TCPEvidence {
        guard let earlier = self.earlierLook(at: now), earlier.pingedAt > self.proof,
            let questionEnd = earlier.tcp.questionEnd
        else { return tcp }
        var tcp = tcp
        tcp.questionEnd = questionEnd
        return tcp
    }
}

extension TCPEvidence {
    /// Whether anything was sent again since a look.
    fileprivate func wasSentAgain(since earlier: TCPEvidence) -> Bool {
        self.totalRetransmits != earlier.totalRetransmits || self.retransmits > 0
    }

    /// Whether something waits that may have moved: not where the window closed over what is in flight.
    fileprivate var mayBeMoving: Bool {
        self.unacked > 0 ? self.sendWindow != 0 : self.notSentBytes ?? 0 > 0
    }

    /// Whether more is on its way than a ping or two.
    fileprivate var isBulk: Bool {
        // After an outage pings wait in the kernel as well.
        if self.notSentBytes ?? 0 > 4_096 || self.unacked > 3 { return true }
        guard let bytesHandedOver, let bytesAcked else { return false }
        return bytesHandedOver > bytesAcked && bytesHandedOver - bytesAcked > 4_096
    }
}
