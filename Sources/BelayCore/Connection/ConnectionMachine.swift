//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Every decision about one connection: when to ping, whom to suspect, when to close and why.
///
/// The machine is told what happened and answers what to do; it reads no clock, draws from no generator of its own and
/// performs nothing. A shell (`BelayNIO`, or another on epoll or io_uring) feeds it events with the time of the observer
/// clock, carries the actions out, and calls ``tick(at:using:)`` at ``nextDeadline``, repeatedly until the answer is to
/// do nothing.
///
/// A received heartbeat is one store: deadlines are lazy. They are computed when the timer fires, and the timer is
/// never moved because something was received. Rejected alternative: re-arming a timer with each byte, which costs more
/// than all the rest of handling a heartbeat.
///
/// The machine is split over several files: this one holds its state and its life cycle, the extensions hold
/// what is received (`+Receiving`), what is sent (`+Sending`), how time passes (`+Time`) and what is seen before anything is said
/// about the peer (`+Look`).
public struct ConnectionMachine: ~Copyable {
    /// Where the connection is in its life.
    enum State: Hashable {
        /// Nothing complete was received yet, or no hello where one is required.
        ///
        /// Can transition to: `active`, `farewell`, `closed`.
        case handshake
        /// In use.
        ///
        /// Can transition to: `farewell`, `closed`.
        case active
        /// The reason is reported; we said goodbye and wait for the peer's FIN until the deadline.
        ///
        /// Can transition to: `closed`.
        case farewell(until: Instant)
        /// Over. Every event is legal and does nothing.
        case closed
    }

    /// What the connection has done, for people and events.
    public struct Figures: Hashable, Sendable {
        /// Bytes received.
        public internal(set) var bytesIn: UInt64 = 0
        /// Bytes handed to the transport.
        public internal(set) var bytesOut: UInt64 = 0
        /// Bytes in both directions.
        package var bytes: UInt64 { self.bytesIn &+ self.bytesOut }
        /// Messages received.
        public internal(set) var messagesIn: UInt64 = 0
        /// Pings sent.
        public internal(set) var pingsSent: UInt64 = 0
        /// Pongs received.
        public internal(set) var pongsReceived: UInt64 = 0
        /// The last round trip that was measured, in nanoseconds; 0 while there is none.
        var roundTripNanoseconds: Int64 = 0

        /// Mean and variance of the last round trips, in nanoseconds and their square.
        ///
        /// Single precision, as no more than three digits of them mean anything.
        var roundTripMean: Float = 0
        var roundTripVariance: Float = 0

        /// The last round trip that was measured.
        public var roundTrip: Duration? {
            self.roundTripNanoseconds > 0 ? .nanoseconds(self.roundTripNanoseconds) : nil
        }

        /// The mean of the round trips; older ones weigh less, the last one an eighth (as in RFC 6298 section 2).
        public var meanRoundTrip: Duration? {
            self.roundTrip.map { _ in .nanoseconds(Int64(self.roundTripMean)) }
        }

        /// The standard deviation of the round trips, weighted as their mean.
        public var roundTripDeviation: Duration? {
            self.roundTrip.map { _ in .nanoseconds(Int64(self.roundTripVariance.squareRoot())) }
        }

        /// How many were measured, as far as it matters to their weight.
        private var measured: UInt8 = 0

        mutating func add(roundTripNanoseconds nanoseconds: Int64) {
            self.roundTripNanoseconds = max(1, nanoseconds)
            self.measured = min(self.measured + 1, 8)
            let weight = 1 / Float(self.measured)
            let difference = Float(self.roundTripNanoseconds) - self.roundTripMean
            self.roundTripMean += weight * difference
            self.roundTripVariance = (1 - weight) * (self.roundTripVariance + weight * difference * difference)
        }
    }

    /// What this connection is judged by; a hello or welcome may change it.
    public internal(set) var timings: LivenessTimings
    /// Counts and measurements.
    public internal(set) var figures = Figures()

    // Small fields stand together, behind the figures and the state: a connection that is at rest has 224 bytes here.
    var strikes: UInt32 = 0
    var state: State
    /// The detector suspected the peer before the policy would have, whose time is still to come.
    var suspectedEarly = false
    /// Time passed in which the peer could not be heard, and it has not been pinged since (rules R6 and R7).
    var owesFreshPing = false
    var greeted = false
    /// One direction is closed: the peer can say nothing any more, or cannot be asked.
    var isHalfClosed = false
    /// Whether our own writing half is closed: nothing can be sent any more.
    var outputEnded = false
    /// How late this node is itself.
    var localHealth = LocalHealth()

    var openedAt: Instant
    /// Since when the handshake lasts, pauses of ours left out.
    var handshakeFrom: Instant
    /// The last proof of life (rules R1 and R15).
    var proof: Instant
    var lastPingAt: Instant
    /// When the first of the pings was sent that the peer has not answered; before ``proof`` while there is none.
    var unansweredSince: Instant = .distantPast
    /// How many bytes had been handed to the transport before the last ping.
    var lastPingPosition: UInt64 = 0
    /// When the newest ping that was answered by its name was sent.
    var lastAnsweredAt: Instant = .distantPast
    /// The drawn length of the current interval.
    var pingDelayNanoseconds: Int64
    /// The proof of life after which a fresh ping was promised, because of a stall or a pause.
    var promisedAfter: Instant = .distantPast
    /// No verdict before this, because a fresh ping must be answerable.
    var judgeFrom: Instant
    var lastMessageAt: Instant
    /// When bytes of a backlog last moved: the peer made room for them, so it was alive then (rule R8).
    var movedAt: Instant = .distantPast
    /// The earliest time at which the next ping of the peer is in order (generic cell rate algorithm).
    var peerPingDueAt: Instant
    /// Until when pings may be read that piled up during a stall.
    var pingsPardonedUntil: Instant = .distantPast
    let outboundLimit: Int
    /// What may suspect the peer earlier than the policy's time.
    let detector: AdaptiveDetector?
    /// What is out of the ordinary; nil while nothing is.
    var circumstances: Circumstances?

    /// A machine for a connection that is about to be opened; ``opened(at:using:)`` must be its first event.
    ///
    /// - Parameters:
    ///   - timings: what it is judged by.
    ///   - outboundLimit: bytes that may wait for the peer before it is a slow consumer.
    public init(timings: LivenessTimings, outboundLimit: Int) {
        let origin = Instant(nanoseconds: 0)
        self.timings = timings
        self.detector = AdaptiveDetector(timings)
        self.outboundLimit = outboundLimit
        self.state = .handshake
        self.openedAt = origin
        self.handshakeFrom = origin
        self.proof = origin
        self.lastPingAt = origin
        self.judgeFrom = origin
        self.lastMessageAt = origin
        self.peerPingDueAt = origin
        self.pingDelayNanoseconds = timings.intervalNanoseconds
    }

    /// The connection was opened: all deadlines count from now.
    ///
    /// - Parameters:
    ///   - now: the observer's time.
    ///   - generator: the source of the jitter of the first ping.
    public mutating func opened(at now: Instant, using generator: inout some RandomNumberGenerator) {
        self.openedAt = now
        self.handshakeFrom = now
        self.proof = now
        self.lastPingAt = now
        self.judgeFrom = now
        self.lastMessageAt = now
        self.peerPingDueAt = now
        self.drawPingDelay(using: &generator)
    }
}

// MARK: - Life cycle

extension ConnectionMachine {
    /// How the transport is to be closed.
    public enum CloseManner: Hashable, Sendable {
        /// Discard what is queued, reset, release. Nothing waits for a peer that is not there.
        case abort
        /// Say goodbye if the protocol has a word for it, flush, send FIN, and wait for the peer's until the deadline.
        case farewell(sayGoodbye: Bool)
    }

    /// A close that was decided: report the reason now, then close the transport in this manner.
    ///
    /// Returned at most once in the life of a machine.
    public struct Close: Hashable, Sendable {
        /// Why.
        public var reason: DisconnectReason
        /// How.
        public var manner: CloseManner
        /// How long nothing had proved the peer alive, by the observer clock.
        public var silence: Duration
    }

    /// The phase of the connection, as reasons name it.
    public var phase: DisconnectReason.Phase {
        switch self.state {
        case .handshake: .handshake
        case .active: .active
        case .farewell, .closed: .draining
        }
    }

    /// Whether the reason of the end has been given.
    public var isOver: Bool {
        switch self.state {
        case .handshake, .active: false
        case .farewell, .closed: true
        }
    }

    /// Whether the transport may be released: nothing is waited for.
    public var isClosed: Bool { self.state == .closed }

    /// Whether the peer is suspected.
    public var isSuspected: Bool { self.suspectedSince != nil }

    /// What the detector of this connection thinks.
    public func detectorState(at now: Instant) -> DetectorState {
        let multiplier = self.localHealth.multiplier
        return self.detector?.learning.state(at: now, localHealth: multiplier)
            ?? DetectorState(name: Detector.fixed.name, localHealth: multiplier)
    }

    /// The time since the last proof of life.
    public func silence(at now: Instant) -> Duration { self.proof.duration(to: now) }

    /// Something ended the connection: an error, a verdict, or a decision of our side.
    ///
    /// - Returns: the close to carry out, or nil when one was decided before.
    public mutating func end(_ cause: DisconnectCause, at now: Instant) -> Close? {
        let phase: DisconnectReason.Phase
        switch self.state {
        case .handshake: phase = .handshake
        case .active: phase = .active
        case .farewell, .closed: return nil
        }
        let reason = cause.reason(in: cause.isDrain ? .draining : phase)
        let manner = cause.manner
        switch manner {
        case .abort: self.state = .closed
        case .farewell: self.state = .farewell(until: now.advanced(byNanoseconds: self.timings.closeNanoseconds))
        }
        self.suspectedSince = nil
        self.suspectedEarly = false
        return Close(reason: reason, manner: manner, silence: self.silence(at: now))
    }

    /// The local program closes the connection.
    public mutating func closeRequested(
        _ code: DisconnectReason.Code = .localClosed,
        detail: String? = nil,
        at now: Instant
    ) -> Close? {
        self.end(.decided(code, detail: detail), at: now)
    }

    /// The process is shutting down.
    public mutating func drainRequested(at now: Instant) -> Close? {
        self.end(.decided(.localShutdown, detail: nil), at: now)
    }

    /// What to do when the peer's FIN was read.
    public enum PeerClosedAction: Hashable, Sendable {
        /// Report and close.
        indirect case close(Close)
        /// Go on writing; the peer only reads from now on.
        case keepWriting
        /// Both directions are finished: release the transport.
        case release
        /// It is released already.
        case doNothing
    }

    /// The peer's FIN was read (rule R9); everything before it has been delivered.
    public mutating func peerClosed(at now: Instant) -> PeerClosedAction {
        switch self.state {
        case .handshake, .active:
            // Who never said anything, and can no longer, has nothing to stay for (rule R10).
            if self.timings.allowHalfClosure, self.state == .active {
                self.isHalfClosed = true
                self.unfinishedSince = nil
                // Nothing is left that a pause could leave unread.
                self.pausedSince = nil
                return .keepWriting
            }
            return self.end(.endOfStream, at: now).map { .close($0) } ?? .doNothing
        case .farewell:
            self.state = .closed
            return .release
        case .closed:
            return .doNothing
        }
    }

    /// Our own program closed its writing half: nobody can be asked any more, and silence means nothing.
    public mutating func outputClosed() {
        self.isHalfClosed = true
        self.outputEnded = true
        self.owesFreshPing = false
    }

    /// The transport is gone.
    ///
    /// - Returns: a close to report when nobody had said why before; this is then the end of the stream.
    public mutating func transportClosed(at now: Instant) -> Close? {
        let close = self.end(.endOfStream, at: now)
        self.state = .closed
        return close
    }
}

extension DisconnectCause {
    fileprivate var isDrain: Bool {
        guard case .decided(.localShutdown, _) = self else { return false }
        return true
    }

    /// A peer that may be alive is told; for one that is dead, or that floods us, nothing is waited for.
    fileprivate var manner: ConnectionMachine.CloseManner {
        switch self {
        case .failed, .otherError, .silence, .noWriteProgress, .readPauseLimitPassed, .pingFlood,
            .outboundLimitPassed:
            .abort
        case .endOfStream, .goodbye:
            .farewell(sayGoodbye: false)
        case .handshakeDeadlinePassed, .idleLimitPassed, .protocolViolation, .messageTooLarge, .decided:
            .farewell(sayGoodbye: true)
        }
    }
}
