//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

// What the peer sent.
extension ConnectionMachine {
    /// Bytes arrived.
    ///
    /// Counts them; whether they prove life now is told by what they turn out to be.
    public mutating func bytesReceived(_ count: Int) {
        self.figures.bytesIn &+= UInt64(count)
    }

    /// Bytes arrived that are no pong naming its ping: their arrival proves the peer alive (rule R1).
    public mutating func heard(at now: Instant) {
        self.proof = max(self.proof, now)
        self.detector?.learning.heard(at: now)
    }

    /// What to do about a ping.
    public enum PingReceivedAction: Hashable, Sendable {
        /// Answer it; of several that are owed at once the latest is enough where they have tokens.
        case answer
        /// It proved life and is not answered.
        case doNothing
        /// The peer pings too often.
        indirect case close(Close)
    }

    /// The peer pinged (rules R1 and R12).
    ///
    /// The rate is judged over time (generic cell rate algorithm, ITU-T I.371), so that pings which were held up on
    /// the way and arrive together are no flood.
    public mutating func pingReceived(at now: Instant) -> PingReceivedAction {
        guard self.elementReceived(at: now) else { return .doNothing }
        // Before an end all that waits is read, also while the program does not read.
        if let pausedSince { self.expectPiledUpPings(since: pausedSince, at: now) }
        let spacing = self.timings.minimumPeerIntervalNanoseconds
        let burst = max(self.timings.boundNanoseconds * 2, spacing * 10, 1_000_000_000)
        if now < self.pingsPardonedUntil {
            // What piled up during a stall is no flood (rule R6), and is read soon after it. What a pause left to be read stays.
            self.peerPingDueAt = min(self.peerPingDueAt, now)
        } else if now.advanced(byNanoseconds: burst) < self.peerPingDueAt {
            self.strikes += 1
            if Int(self.strikes) > self.timings.pingStrikes {
                return self.end(.pingFlood, at: now).map { .close($0) } ?? .doNothing
            }
        } else {
            // Nor is what piled up while we did not read (rule R7), as far as the peer may send it in that time.
            let isCatchingUp = self.catchingUpUntil.map { now < $0 } ?? false
            let from = isCatchingUp ? self.peerPingDueAt : max(self.peerPingDueAt, now)
            self.peerPingDueAt = from.advanced(byNanoseconds: spacing)
        }
        return self.timings.answersPings && !self.outputEnded ? .answer : .doNothing
    }

    /// The peer answered a ping.
    ///
    /// - Parameters:
    ///   - token: the token of the ping, where the answer names it. It proves life at the time at which that
    ///     ping was sent (rule R15). Without a token, or with one that was never sent, the arrival counts.
    ///   - now: the observer's time.
    /// - Returns: the round trip, where it is known which ping was answered.
    @discardableResult
    public mutating func pongReceived(token: UInt64?, at now: Instant) -> Duration? {
        guard !self.isOver else { return nil }
        self.figures.pongsReceived &+= 1
        if let token, let sentAt = self.sendTime(ofPing: token) {
            self.endHandshakeIfAllowed()
            self.unfinishedSince = nil
            self.proof = max(self.proof, self.pausesLeftOut(sentAt))
            if self.unansweredSince <= self.proof, self.lastPingAt > self.proof {
                // One of the pings after it; each was due an interval after the one before.
                let due = self.proof.advanced(byNanoseconds: self.timings.intervalNanoseconds)
                self.unansweredSince = min(self.lastPingAt, due)
            }
            // Said again, an answer tells nothing.
            guard sentAt > self.lastAnsweredAt else { return nil }
            self.lastAnsweredAt = sentAt
            // A sign of life, though it may prove no later time than the end of a pause did.
            self.promisedAfter = .distantPast
            return self.answered(pingSentAt: sentAt, at: now)
        }
        defer { self.elementReceived(at: now) }
        if self.figures.pongsReceived == self.figures.pingsSent {
            return self.answered(pingSentAt: self.lastPingAt, at: now)
        }
        return nil
    }

    /// What to do with a message.
    public enum MessageReceivedAction: Hashable, Sendable {
        /// Give it to the program.
        case deliver
        /// Drop it: the connection is over.
        case discard
        /// It came before the hello that is required.
        indirect case close(Close)
    }

    /// The peer sent a message.
    public mutating func messageReceived(at now: Instant) -> MessageReceivedAction {
        if self.state == .handshake, self.timings.requiresHello {
            self.heard(at: now)
            return self.end(.protocolViolation("a message came before the hello"), at: now).map { .close($0) }
                ?? .discard
        }
        guard self.elementReceived(at: now) else { return .discard }
        self.lastMessageAt = now
        self.figures.messagesIn &+= 1
        return .deliver
    }

    /// What to do about a hello.
    public enum HelloReceivedAction: Hashable, Sendable {
        /// Welcome the peer with the interval and bound that are now in force.
        case welcome(every: Duration, within: Duration)
        /// It is out of order.
        indirect case close(Close)
        /// The connection is over.
        case doNothing
    }

    /// The peer introduced itself and may have asked for an interval and a bound (rule R12).
    ///
    /// A second one asks for others, and counts as a ping (rule R12); whether it is of the same peer is for the shell to check.
    public mutating func helloReceived(every: Duration?, within: Duration?, at now: Instant) -> HelloReceivedAction {
        guard !self.isOver else { return .doNothing }
        if self.greeted {
            guard every != nil || within != nil else {
                let cause = DisconnectCause.protocolViolation("a second hello that asks for nothing")
                return self.end(cause, at: now).map { .close($0) } ?? .doNothing
            }
            if case .close(let close) = self.pingReceived(at: now) { return .close(close) }
        } else {
            self.elementReceived(at: now)
        }
        self.greeted = true
        self.state = .active
        self.adopt(self.timings.negotiated(every: every, within: within), at: now)
        return .welcome(every: self.timings.interval, within: self.timings.bound)
    }

    /// The server accepted our hello and says which interval and bound are in force.
    ///
    /// A side that pings keeps its own bound, which its program chose, and pings at least as often as the server says, which
    /// may depend on it. One that does not ping depends on the server's pings and detects by the server's bound.
    public mutating func welcomeReceived(every: Duration, within: Duration, at now: Instant) {
        guard self.elementReceived(at: now) else { return }
        self.state = .active
        self.adopt(
            self.timings.sendsPings
                ? self.timings.pinging(atLeastEvery: every) : self.timings.adopting(every: every, within: within),
            at: now
        )
    }

    /// Both ends agreed on another interval: pings go out at it, and the time to answer them stays.
    public mutating func intervalAgreed(_ every: Duration) {
        self.adopt(self.timings.pinging(every: every))
    }

    /// What to do after a batch of received bytes has been handled.
    public enum ReadEndedAction: Hashable, Sendable {
        /// Nothing changed.
        case doNothing
        /// What a look had found unread is read: what waited for that may be due before the look was to be taken again.
        case caughtUp
        /// The peer was suspected and is alive; it had been silent for this long.
        case recovered(silence: Duration)
    }

    /// A batch of received bytes has been handled.
    ///
    /// - Parameters:
    ///   - unfinishedBytes: bytes of a line or frame whose end has not come.
    ///   - now: the observer's time.
    /// - Returns: what follows.
    public mutating func readEnded(unfinishedBytes: Int, at now: Instant) -> ReadEndedAction {
        if unfinishedBytes > 0 {
            self.heard(at: now)
            if self.unfinishedSince == nil { self.unfinishedSince = now }
        } else {
            self.unfinishedSince = nil
        }
        let hasCaughtUp = self.lookAgainAt != nil
        self.unreadSince = nil
        self.lookAgainAt = nil
        if let until = self.catchingUpUntil, now >= until { self.catchingUpUntil = nil }
        if let lastPause = self.circumstances?.pauses.last, self.proof >= lastPause.endedAt { self.pauses = [] }
        guard let since = self.suspectedSince,
            now.nanoseconds(since: self.proof) < self.timings.suspectNanoseconds,
            now < self.detector?.learning.suspicionAt ?? .distantFuture
        else { return hasCaughtUp ? .caughtUp : .doNothing }
        self.suspectedSince = nil
        self.suspectedEarly = false
        self.earlierLook = nil
        self.detector?.quietUntil = now.advanced(byNanoseconds: self.timings.intervalNanoseconds)
        return .recovered(silence: since.duration(to: self.proof))
    }

    /// Whether our program has stopped reading.
    public var areReadsPaused: Bool { self.pausedSince != nil }

    /// Our program stopped reading (rule R7).
    public mutating func readsPaused(at now: Instant) {
        guard self.pausedSince == nil, !self.isOver else { return }
        self.pausedSince = now
    }

    /// Our program reads again: the pause is nobody's silence, and the peer gets a ping it can answer.
    public mutating func readsResumed(at now: Instant) {
        guard let since = self.pausedSince else { return }
        self.pausedSince = nil
        let pause = now.nanoseconds(since: since)
        self.handshakeFrom = min(self.handshakeFrom.advanced(byNanoseconds: pause), now)
        self.suspectedSince = self.suspectedSince.map { min($0.advanced(byNanoseconds: pause), now) }
        let wasPromised = self.promisedAfter == self.proof
        if self.unansweredSince > self.proof {
            // Else it would seem that nothing was asked since the proof.
            self.unansweredSince = min(self.unansweredSince.advanced(byNanoseconds: pause), now)
        }
        self.proof = min(self.proof.advanced(byNanoseconds: pause), now)
        self.lastMessageAt = min(self.lastMessageAt.advanced(byNanoseconds: pause), now)
        self.unfinishedSince = self.unfinishedSince.map { min($0.advanced(byNanoseconds: pause), now) }
        self.expectPiledUpPings(since: since, at: now)
        self.pauses = self.pauses.suffix(Self.pausesKept - 1) + [Pause(since: since, endedAt: now)]
        self.detector?.learning.discard(until: now)
        // Once for each silence, as after a stall: who pauses again and again would put a verdict off for ever.
        self.promisedAfter = self.proof
        if !wasPromised { self.promiseFreshPing(at: now) }
    }

    /// The pings of the whole pause wait in the kernel; they are read soon, or being read.
    private mutating func expectPiledUpPings(since: Instant, at now: Instant) {
        // A stall within it is left out of its length, but the peer pinged on. One before it is no reason to pardon more.
        if self.pingsPardonedUntil >= since.advanced(byNanoseconds: self.pardonNanoseconds) {
            self.pardonPings(at: now)
        }
        // Those of pauses just before this one may wait there as well, as far as pauses can last.
        let wasCatchingUp = self.catchingUpUntil.map { since < $0 } ?? false
        let oldest = now.advanced(byNanoseconds: -self.timings.readPauseNanoseconds)
        self.peerPingDueAt = max(self.peerPingDueAt, wasCatchingUp ? oldest : since)
        self.catchingUpUntil = now.advanced(byNanoseconds: self.timings.boundNanoseconds)
    }

    /// An answer may be read so many pauses after its ping and still count for its time; an older one counts for less.
    private static var pausesKept: Int { 8 }

    /// A time of before the end of a pause of ours, moved on as the proof of life was: the answer to a ping of that time may be
    /// read after it.
    private func pausesLeftOut(_ time: Instant) -> Instant {
        guard let pauses = self.circumstances?.pauses, !pauses.isEmpty else { return time }
        return pauses.reduce(time) { moved, pause in
            moved.advanced(byNanoseconds: max(0, pause.endedAt.nanoseconds(since: max(pause.since, time))))
        }
    }

    /// Takes note of a complete element; false when the connection is over.
    @discardableResult
    private mutating func elementReceived(at now: Instant) -> Bool {
        guard !self.isOver else { return false }
        self.heard(at: now)
        // What is unfinished after this element began behind it.
        self.unfinishedSince = nil
        self.endHandshakeIfAllowed()
        return true
    }

    private mutating func endHandshakeIfAllowed() {
        if self.state == .handshake, !self.timings.requiresHello {
            self.state = .active
        }
    }

    private mutating func adopt(_ timings: LivenessTimings, at now: Instant) {
        self.adopt(timings)
        // What a stall or a pause before promised was the time to answer of then.
        self.judgeFrom = min(self.judgeFrom, now.advanced(byNanoseconds: timings.replyNanoseconds))
    }

    private mutating func adopt(_ timings: LivenessTimings) {
        self.timings = timings
        self.pingDelayNanoseconds = min(
            max(self.pingDelayNanoseconds, timings.shortestIntervalNanoseconds),
            timings.intervalNanoseconds
        )
        self.detector?.learning.intervalChanged(to: timings.interval)
    }

    private mutating func answered(pingSentAt sentAt: Instant, at now: Instant) -> Duration? {
        self.figures.add(roundTripNanoseconds: now.nanoseconds(since: sentAt))
        self.detector?.learning.arrived(sentAt: sentAt, at: now)
        return self.figures.roundTrip
    }
}
