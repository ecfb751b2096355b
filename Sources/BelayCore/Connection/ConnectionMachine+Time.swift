//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

// How time passes.
extension ConnectionMachine {
    /// What is due.
    public enum TickAction: Hashable, Sendable {
        /// Nothing: come back at ``ConnectionMachine/nextDeadline``.
        case doNothing
        /// Write a ping with this token; tick again.
        case sendPing(token: UInt64)
        /// Look at the socket and call ``ConnectionMachine/looked(at:for:_:using:)``; tick again.
        case look(Judgement)
        /// Look at our own queue, call ``ConnectionMachine/outboundObserved(queuedBytes:at:)``; tick again.
        case observeOutbound
        /// Report and close.
        indirect case close(Close)
        /// The farewell took too long: reset and release.
        case abort
    }

    /// Time passed.
    ///
    /// Legal in every state; the first thing that is due is returned.
    @specialized(where Generator == SplitMix64)
    public mutating func tick<Generator: RandomNumberGenerator>(
        at now: Instant,
        using generator: inout Generator
    ) -> TickAction {
        switch self.state {
        case .closed:
            return .doNothing
        case .farewell(let until):
            guard now >= until else { return .doNothing }
            self.state = .closed
            return .abort
        case .handshake, .active:
            break
        }
        if let cause = self.passedLimit(at: now) {
            return self.end(cause, at: now).map { .close($0) } ?? .doNothing
        }
        if let backlog, now >= self.nextSample(of: backlog) {
            return .observeOutbound
        }
        let judgement = self.dueJudgement(at: now)
        if self.owesFreshPing, judgement != nil || now >= self.freshPingDeadline {
            return .sendPing(token: self.pingSent(at: now, using: &generator))
        }
        if let judgement { return .look(judgement) }
        if self.mayPing, now >= self.earliestPing {
            return .sendPing(token: self.pingSent(at: now, using: &generator))
        }
        return .doNothing
    }

    /// When to call ``tick(at:using:)`` next; nil when there is nothing to wait for.
    ///
    /// What is received can only make it later, which the tick finds out. It may make it earlier only by a hello or a welcome,
    /// whose interval may be shorter, by part of an element or the report of an error, which end no handshake, and as
    /// ``ReadEndedAction`` says. A detector that learned something may too; that takes effect at the next tick. Everything else may
    /// make it earlier, so a shell arms its timer again after it.
    public var nextDeadline: Instant? {
        switch self.state {
        case .closed:
            return nil
        case .farewell(let until):
            return until
        case .handshake, .active:
            break
        }
        var next = min(self.handshakeDeadline, self.messageDeadline, self.idleDeadline, self.pauseDeadline)
        if let backlog { next = min(next, self.nextSample(of: backlog)) }
        if self.judgesSilence {
            next = min(next, self.deathDeadline)
            if self.suspectedSince == nil { next = min(next, self.suspicionDeadline) }
            if self.suspectedEarly { next = min(next, self.policySuspicion) }
            if self.owesFreshPing { next = min(next, self.freshPingDeadline) }
        }
        if self.mayPing { next = min(next, self.scheduledPing) }
        return next == .distantFuture ? nil : next
    }

    /// How late this node is itself: suspicion waits longer for it, no verdict does.
    ///
    /// To be told before ``tick(at:using:)`` whenever it changed.
    public mutating func localHealthChanged(to localHealth: LocalHealth) {
        self.localHealth = localHealth
    }

    /// A stall was noticed: this process could not hear the peer for a while (rule R6).
    ///
    /// The observer clock leaves the time out; here the peer is promised a ping that it can still answer.
    public mutating func stallNoticed(at now: Instant) {
        self.pardonPings(at: now)
        // Once for each silence: stalls must not put a verdict off again and again. What a living peer answered meanwhile waits
        // in the receive queue, where the last look finds it.
        guard self.promisedAfter != self.proof else { return }
        self.promisedAfter = self.proof
        self.promiseFreshPing(at: now)
    }

    /// The pings that are read soon came while this process stood still, and are no flood.
    mutating func pardonPings(at now: Instant) {
        self.pingsPardonedUntil = now.advanced(byNanoseconds: self.pardonNanoseconds)
    }

    /// How long pings are pardoned: not for as long as the peer is owed a ping, for one that talks without a break is not pinged,
    /// and pings at will.
    var pardonNanoseconds: Int64 { min(self.timings.replyNanoseconds, 1_000_000_000) }

    /// The peer gets a ping that it can still answer; where none can be sent, the same time to be heard, from now on.
    mutating func promiseFreshPing(at now: Instant) {
        self.owesFreshPing = self.mayPing
        guard !self.owesFreshPing else { return }
        self.judgeFrom = max(self.judgeFrom, now.advanced(byNanoseconds: self.timings.replyNanoseconds))
    }
}

// Inlined: a call would copy the machine, as it does with every value that fits into registers in principle, and each
// heartbeat asks for all of these twice.
extension ConnectionMachine {
    /// A limit that is not about silence and needs no look.
    @inline(__always)
    private func passedLimit(at now: Instant) -> DisconnectCause? {
        if now >= self.pauseDeadline { return .readPauseLimitPassed(self.timings.readPauseLimit) }
        if now >= self.messageDeadline {
            return .protocolViolation(
                "a message was unfinished for \(Duration.nanoseconds(self.timings.messageNanoseconds).text)"
            )
        }
        if now >= self.idleDeadline { return .idleLimitPassed }
        return nil
    }

    @inline(__always)
    func dueJudgement(at now: Instant) -> Judgement? {
        guard self.judgesSilence else { return nil }
        if now >= self.handshakeDeadline { return .death }
        // However late or long the suspicion is, it comes before the verdict (rule R4).
        if self.suspectedSince == nil {
            return now >= min(self.suspicionDeadline, self.deathDeadline) ? .suspicion : nil
        }
        if now >= self.deathDeadline { return .death }
        return self.suspectedEarly && now >= self.policySuspicion ? .suspicion : nil
    }

    /// While nothing is read, or nothing can come any more, silence means nothing (rules R7 and R9).
    @inline(__always)
    private var judgesSilence: Bool { self.pausedSince == nil && !self.isHalfClosed }

    @inline(__always)
    private var deathDeadline: Instant {
        let bound = self.askedInTime(self.proof.advanced(byNanoseconds: self.timings.boundNanoseconds))
        let earliest = max(bound, self.judgeFrom, self.movementBound)
        return self.notBeforeLook(earliest.advanced(byNanoseconds: -self.timings.marginNanoseconds))
    }

    /// A deadline of the silence of a peer that is to be asked, or later if we asked it late (rule R6).
    ///
    /// A loop that has more to do than it can is late without ever standing still, which is no stall; whom it has not asked
    /// it cannot judge. Three quarters of the time to answer are enough, so that ordinary lateness puts no verdict off.
    @inline(__always)
    private func askedInTime(_ deadline: Instant) -> Instant {
        guard self.mayPing else { return deadline }
        // A handshake may be over before the first ping is due.
        guard self.proof.advanced(byNanoseconds: self.timings.intervalNanoseconds) < deadline else { return deadline }
        guard self.unansweredSince > self.proof else { return .distantFuture }
        return max(deadline, self.unansweredSince.advanced(byNanoseconds: self.timings.replyNanoseconds / 4 * 3))
    }

    /// The time of a promised ping at which its answer can still come before the bound; a later one delays the verdict.
    @inline(__always)
    private var freshPingDeadline: Instant {
        guard self.judgesSilence else { return .distantFuture }
        return self.proof.advanced(byNanoseconds: self.timings.boundNanoseconds - self.timings.replyNanoseconds)
    }

    /// Until when bytes that moved speak for the peer: for the write deadline while others wait, else for the bound.
    ///
    /// Movement is noticed up to one sample late.
    @inline(__always)
    private var movementBound: Instant {
        let patience = self.backlog == nil ? self.timings.boundNanoseconds : self.timings.writeNanoseconds
        return self.movedAt.advanced(byNanoseconds: patience - self.timings.backlogSampleNanoseconds)
    }

    @inline(__always)
    private var suspicionDeadline: Instant { self.fairSuspicion(self.stretchedSuspicion) }

    /// When the policy alone would suspect the peer.
    @inline(__always)
    var policySuspicion: Instant {
        self.fairSuspicion(self.proof.advanced(byNanoseconds: self.timings.suspectNanoseconds))
    }

    @inline(__always)
    private func fairSuspicion(_ suspicion: Instant) -> Instant {
        // Half of the time to answer is left after a ping that was promised.
        let fair = self.judgeFrom.advanced(byNanoseconds: -self.timings.replyNanoseconds / 2)
        let moved = self.movedAt.advanced(byNanoseconds: self.timings.suspectNanoseconds)
        return self.notBeforeLook(max(self.putOffByLatePing(suspicion), fair, moved))
    }

    /// Suspicion of a peer that we asked late is as much later: where a loop has too much to do, a look and two events for
    /// each of its connections would leave it even more behind.
    @inline(__always)
    private func putOffByLatePing(_ suspicion: Instant) -> Instant {
        let due = self.proof.advanced(byNanoseconds: self.timings.intervalNanoseconds)
        guard self.mayPing, due < suspicion else { return suspicion }
        guard self.unansweredSince > self.proof else { return .distantFuture }
        let late = self.unansweredSince.nanoseconds(since: due) - self.timings.replyNanoseconds / 4
        return suspicion.advanced(byNanoseconds: max(0, late))
    }

    /// The suspicion of the policy or of the detector, whichever is earlier, stretched by our own lateness.
    @inline(__always)
    private var stretchedSuspicion: Instant {
        var silence = self.timings.suspectNanoseconds
        if let detector { silence = min(silence, max(0, detector.suspicionAt.nanoseconds(since: self.proof))) }
        if self.localHealth.multiplier > 1 {
            let stretched = self.localHealth.scaled(.nanoseconds(silence)).wholeNanoseconds
            silence = min(stretched, max(silence, self.timings.latestSuspicionNanoseconds))
        }
        return self.proof.advanced(byNanoseconds: silence)
    }

    @inline(__always)
    var handshakeDeadline: Instant {
        guard self.state == .handshake, self.judgesSilence else { return .distantFuture }
        let latest = self.handshakeFrom.advanced(byNanoseconds: self.timings.handshakeNanoseconds)
        let margin = min(self.timings.marginNanoseconds, self.timings.handshakeNanoseconds / 25 * 2)
        // A hello needs no ping. Nor does what the peer's kernel acknowledges say one.
        let deadline =
            self.timings.requiresHello
            // A ping behind bytes that move has not been answered because it has not left.
            ? latest : max(self.askedInTime(latest), self.judgeFrom, self.movementBound)
        return self.notBeforeLook(deadline.advanced(byNanoseconds: -margin))
    }

    @inline(__always)
    private func notBeforeLook(_ deadline: Instant) -> Instant {
        self.lookAgainAt.map { max(deadline, $0) } ?? deadline
    }

    @inline(__always)
    private var pauseDeadline: Instant {
        self.pausedSince?.advanced(byNanoseconds: self.timings.readPauseNanoseconds) ?? .distantFuture
    }

    @inline(__always)
    private var messageDeadline: Instant {
        guard self.pausedSince == nil else { return .distantFuture }
        return self.unfinishedSince?.advanced(byNanoseconds: self.timings.messageNanoseconds) ?? .distantFuture
    }

    @inline(__always)
    private var idleDeadline: Instant {
        guard self.pausedSince == nil, let limit = self.timings.idleNanoseconds else { return .distantFuture }
        return self.lastMessageAt.advanced(byNanoseconds: limit)
    }

    private func nextSample(of backlog: Backlog) -> Instant {
        min(
            backlog.sampledAt.advanced(byNanoseconds: self.timings.backlogSampleNanoseconds),
            self.writeDeadline(of: backlog)
        )
    }
}

// MARK: - Pings

extension ConnectionMachine {
    @inline(__always)
    var mayPing: Bool { self.timings.sendsPings && !self.outputEnded && !(self.backlog?.holdsPing ?? false) }

    /// From when the current interval counts (rule R2).
    ///
    /// A stale proof must not hold pings back (rule R15).
    @inline(__always)
    private var intervalStart: Instant {
        self.timings.pingAlways ? self.lastPingAt : max(self.lastPingAt, self.proof)
    }

    /// Every length from 75 % of the interval on is as good as the drawn one.
    ///
    /// Sending at the first wake-up past it spares the second wake-up that a pong shortly after its ping would
    /// otherwise cause.
    @inline(__always)
    private var earliestPing: Instant {
        self.intervalStart.advanced(byNanoseconds: self.timings.shortestIntervalNanoseconds)
    }

    /// The drawn time of the next ping, moved up to the grid where that is not beyond the interval.
    @inline(__always)
    private var scheduledPing: Instant {
        let start = self.intervalStart
        let drawn = start.advanced(byNanoseconds: self.pingDelayNanoseconds)
        let grid = self.timings.pingGridNanoseconds
        guard grid > 1 else { return drawn }
        let beyond = drawn.nanoseconds % grid
        let aligned = beyond == 0 ? drawn : drawn.advanced(byNanoseconds: grid - beyond)
        return aligned.nanoseconds(since: start) <= self.timings.intervalNanoseconds ? aligned : drawn
    }

    /// Takes note of a ping, draws the next interval, and gives the ping its token.
    ///
    /// The token is the time of sending, in microseconds since the connection was opened. The answer brings it back, so
    /// that no list of pings in flight is kept, however many there are.
    mutating func pingSent(at now: Instant, using generator: inout some RandomNumberGenerator) -> UInt64 {
        self.figures.pingsSent &+= 1
        let token = UInt64(max(0, now.nanoseconds(since: self.openedAt))) / 1_000
        // As the answer will tell it: by a fraction of a microsecond later, a ping would seem to be newer than its answer.
        let sentAt = self.openedAt.advanced(byNanoseconds: Int64(token) * 1_000)
        if self.unansweredSince <= self.proof { self.unansweredSince = sentAt }
        self.lastPingAt = sentAt
        self.lastPingPosition = self.figures.bytesOut
        if self.owesFreshPing {
            self.owesFreshPing = false
            self.judgeFrom = now.advanced(byNanoseconds: self.timings.replyNanoseconds)
        }
        if self.backlog != nil { self.backlog?.holdsPing = true }
        self.drawPingDelay(using: &generator)
        self.detector?.learning.asked(at: sentAt)
        return token
    }

    /// When the ping with this token was sent; nil when none with it can have been.
    func sendTime(ofPing token: UInt64) -> Instant? {
        guard self.figures.pingsSent > 0, token <= UInt64(Int64.max / 1_000) else { return nil }
        let sentAt = self.openedAt.advanced(byNanoseconds: Int64(token) * 1_000)
        return sentAt <= self.lastPingAt ? sentAt : nil
    }

    /// Multiplies in place of dividing (Lemire, "Fast Random Integer Generation in an Interval", 2019, without the step that
    /// removes a bias of one in 2^30): each heartbeat draws one.
    mutating func drawPingDelay(using generator: inout some RandomNumberGenerator) {
        let shortest = self.timings.shortestIntervalNanoseconds
        let range = UInt64(max(0, self.timings.intervalNanoseconds - shortest)) + 1
        self.pingDelayNanoseconds = shortest + Int64(generator.next().multipliedFullWidth(by: range).high)
    }
}
