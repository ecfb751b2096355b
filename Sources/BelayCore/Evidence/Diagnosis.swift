//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What the kernel's evidence says about a peer that is silent: one rule, the first that matches.
///
/// Measured on Linux 6.18 with the fault made for each rule. Of the rules of the reference two stand elsewhere: an
/// acknowledgement since the first look comes before all, because it contradicts what each of them says, and what our own host
/// swallows before what nobody answers. The evidence reaches as far as the first TCP hop: a proxy
/// acknowledges for itself.
public enum Diagnosis: String, CaseIterable, Hashable, Sendable {
    /// Our own data stands before the ping and is being acknowledged: no verdict (rule R5).
    case ownBacklog
    /// The peer's window is closed, and its kernel answers the probes.
    case closedWindow
    /// The peer's window is closed, and nobody answers the probes any more.
    case closedWindowUnanswered
    /// The timer fired, but nothing left this host again.
    case retransmissionSwallowed
    /// Bytes wait although the window is open and nothing is in flight.
    case transmissionSwallowed
    /// Nobody answers, and a router or host says that the peer cannot be reached.
    case reportedUnreachable
    /// What is in flight was sent again and is not acknowledged.
    case retransmissionUnanswered
    /// What is in flight is not acknowledged for longer than a kernel takes.
    case unacknowledged
    /// Nobody answers the kernel's keepalive probes.
    case keepaliveUnanswered
    /// The peer's kernel acknowledged everything, its program did not answer.
    case acknowledgedUnanswered
    /// The peer's kernel acknowledged everything, but only after a failure of the path.
    case acknowledgedLate
    /// The peer spoke a moment ago, or has only just been asked: no verdict.
    case tooEarly
    /// Nothing is outstanding that could have been acknowledged.
    case nothingOutstanding
    /// Something is outstanding, and the figures do not say why.
    case inconclusive
    /// This system does not tell.
    case noEvidence

    /// Our own record, beside the kernel's.
    public struct Record: Hashable, Sendable {
        /// How long nothing was received.
        public var silence: Duration
        /// How long the peer has known of a question of ours without an answer; nil when it was asked nothing.
        public var unansweredFor: Duration?
        /// Bytes of ours that the kernel has not taken.
        public var queuedBytes: Int
        /// What the network reported without ending the connection (ICMP; `sk_err_soft` of Linux, which an acknowledgement
        /// clears).
        public var networkError: ErrorNumber?
        /// The time since the first look; zero where there was none.
        public var sinceFirst: Duration
        /// Whether anything had to be sent again in the same silence, before the first look where there was one.
        public var wasSentAgain: Bool
        /// Whether the time in which the peer had to answer is over.
        ///
        /// Without it two retransmission timeouts are allowed for an answer.
        public var isOverdue: Bool

        /// A record; by default of a peer that was asked nothing.
        public init(
            silence: Duration,
            unansweredFor: Duration? = nil,
            queuedBytes: Int = 0,
            networkError: ErrorNumber? = nil,
            sinceFirst: Duration = .zero,
            wasSentAgain: Bool = false,
            isOverdue: Bool = false
        ) {
            self.silence = silence
            self.unansweredFor = unansweredFor
            self.queuedBytes = queuedBytes
            self.networkError = networkError
            self.sinceFirst = sinceFirst
            self.wasSentAgain = wasSentAgain
            self.isOverdue = isOverdue
        }
    }

    /// Concludes from two looks and our own record.
    ///
    /// - Parameters:
    ///   - record: what we know ourselves.
    ///   - first: the look when the peer was suspected; nil if there was none.
    ///   - tcp: the look now; nil where the system does not tell.
    public init(_ record: Record, first: TCPEvidence? = nil, now tcp: TCPEvidence?) {
        self = tcp.map { Facts(record: record, first: first, tcp: $0).diagnosis } ?? .noEvidence
    }
}

/// What the rules are made of.
private struct Facts {
    let record: Diagnosis.Record
    let first: TCPEvidence?
    let tcp: TCPEvidence

    /// The first rule that matches.
    var diagnosis: Diagnosis {
        if self.progresses { return .ownBacklog }
        if self.isWindowClosed, self.tcp.probes < 2 { return .closedWindow }
        if self.isRetransmissionSwallowed { return .retransmissionSwallowed }
        if self.isTransmissionSwallowed { return .transmissionSwallowed }
        if let unanswered = self.unanswered { return self.isReportedUnreachable ? .reportedUnreachable : unanswered }
        if self.isBeingAcknowledged { return .ownBacklog }
        if self.isAcknowledged { return self.isAcknowledgedLate ? .acknowledgedLate : .acknowledgedUnanswered }
        if self.isTooEarly { return .tooEarly }
        return self.tcp.unacked == 0 && self.notSent == 0 ? .nothingOutstanding : .inconclusive
    }

    /// What nobody answers.
    private var unanswered: Diagnosis? {
        if self.isWindowClosed { return .closedWindowUnanswered }
        if self.isRetransmitting { return .retransmissionUnanswered }
        if self.isUnacknowledged { return .unacknowledged }
        if self.isKeepaliveUnanswered { return .keepaliveUnanswered }
        return nil
    }

    private var isReportedUnreachable: Bool {
        self.record.networkError.map { DisconnectCause.code(for: $0) == .pathUnreachable } ?? false
    }

    private var notSent: UInt32 { self.tcp.notSentBytes ?? 0 }
    private var timeout: Duration { .microseconds(Int64(self.tcp.retransmissionTimeout)) }
    private var sinceAck: Duration { .milliseconds(Int64(self.tcp.lastAckReceived)) }
    private var sinceSent: Duration { .milliseconds(Int64(self.tcp.lastDataSent)) }

    /// More was acknowledged since the look before, at which our question had not reached the peer.
    ///
    /// A queue that moves is taken by somebody. A peer that is asked nothing has to speak by itself.
    private var progresses: Bool {
        guard let first,
            Self.isMore(self.tcp.bytesAcked, than: first.bytesAcked)
                || Self.isMore(self.tcp.delivered, than: first.delivered)
        else { return false }
        if self.record.queuedBytes > 0 { return true }
        guard self.record.unansweredFor != nil else { return false }
        guard let before = first.bytesAcked, let questionEnd = first.questionEnd else {
            return first.notSentBytes ?? 0 > 0
        }
        return before < questionEnd
    }

    private static func isMore<Number: Comparable>(_ now: Number?, than before: Number?) -> Bool {
        guard let now, let before else { return false }
        return now > before
    }

    /// An acknowledged probe sets their number back; one may be on its way.
    ///
    /// Data in flight beyond a window that closed is the path's matter, unless its kernel speaks.
    private var isWindowClosed: Bool {
        guard self.tcp.sendWindow == 0, self.notSent > 0 || self.record.queuedBytes > 0 else { return false }
        return self.tcp.unacked == 0 || self.sinceAck <= self.sinceSent + self.timeout
    }

    /// A retransmission that left this host is in flight again.
    ///
    /// One that a packet filter threw away is counted and is not (measured on Linux 6.18); without a route or a link it is
    /// not even counted.
    private var isRetransmissionSwallowed: Bool {
        guard self.tcp.unacked > 0, self.tcp.retransmits >= 1 else { return false }
        if self.tcp.lost > 0, self.tcp.sentAgain == 0 { return true }
        if self.tcp.totalRetransmits < UInt32(self.tcp.retransmits) { return true }
        if let first, self.tcp.retransmits > first.retransmits, self.tcp.totalRetransmits == first.totalRetransmits {
            return true
        }
        return self.sinceSent > self.timeout * 12 / 10
    }

    /// What the window has room for is sent at once, unless it does not leave this host.
    ///
    /// Probes that nobody answers tell it at the first look. Later it is enough that nothing has moved: what the peer
    /// repeats, because our own acknowledgements are swallowed too, sets the number of probes back.
    private var isTransmissionSwallowed: Bool {
        guard Self.holdsBack(self.tcp) else { return false }
        if self.tcp.probes >= 2 || self.tcp.probes == 1 && self.sinceAck > self.timeout { return true }
        guard let first, let before = first.bytesAcked else { return false }
        return Self.holdsBack(first) && self.tcp.bytesAcked == before
    }

    private static func holdsBack(_ tcp: TCPEvidence) -> Bool {
        guard tcp.unacked == 0, let notSent = tcp.notSentBytes, notSent > 0, let window = tcp.sendWindow else {
            return false
        }
        return window >= min(notSent, 16_384)
    }

    private var isRetransmitting: Bool { self.tcp.unacked > 0 && self.tcp.retransmits >= 1 }

    /// Kernels acknowledge within 200 ms at most, most of them within 40 ms (RFC 9293 section 3.8.6.3).
    ///
    /// What was sent a moment ago is not meant. Where round trips differ much, the kernel's own timeout, which has 200 ms on
    /// top of the mean if they do not (`TCP_RTO_MIN` of Linux), tells by how much.
    private var isUnacknowledged: Bool {
        guard self.tcp.unacked > 0, self.record.unansweredFor != nil else { return false }
        let roundTrip = Duration.microseconds(Int64(self.tcp.roundTrip))
        let variation = max(.zero, self.timeout - roundTrip - .milliseconds(200))
        let longest = min(.milliseconds(100) + roundTrip * 2 + variation, self.timeout)
        guard self.sinceAck > longest else { return false }
        if self.sinceSent > longest { return true }
        // What waited at the first look, sent or not, is not.
        guard let first, first.unacked > 0 || first.notSentBytes ?? 0 > 0 else { return false }
        return first.bytesAcked == self.tcp.bytesAcked && self.record.sinceFirst > longest
    }

    /// The answer to a single probe may be on its way.
    private var isKeepaliveUnanswered: Bool {
        guard self.tcp.unacked == 0, self.notSent == 0 else { return false }
        return self.tcp.probes >= 2 || self.tcp.probes == 1 && self.first?.probes ?? 0 >= 1
    }

    /// With one look: bytes wait behind others, and acknowledgements come.
    private var isBeingAcknowledged: Bool {
        guard self.first == nil, self.notSent > 0, self.tcp.probes == 0,
            self.record.unansweredFor != nil || self.record.queuedBytes > 0
        else { return false }
        return self.sinceAck <= self.timeout * 2
    }

    /// All that we sent is acknowledged, or at least our question.
    private var isAcknowledged: Bool {
        guard self.record.queuedBytes == 0, let unanswered = self.record.unansweredFor,
            self.record.isOverdue || unanswered > self.timeout * 2
        else { return false }
        if self.tcp.unacked == 0, self.notSent == 0 { return self.sinceAck <= self.sinceSent + self.timeout }
        // What was handed over before the first look has the first question in it.
        guard let acked = self.tcp.bytesAcked, let asked = self.tcp.questionEnd ?? self.first?.bytesHandedOver else {
            return false
        }
        return acked >= asked
    }

    /// Something had to be sent again, and the question was acknowledged less than half of the silence ago.
    ///
    /// The peer repeats what it said as seldom as the failure was long (RFC 6298 section 5.5), which may have begun right after
    /// its last sign of life: its answer may still be on its way. A failure after a first look at which the question had been
    /// acknowledged can have begun no earlier than that was asked.
    private var isAcknowledgedLate: Bool {
        guard let unanswered = self.record.unansweredFor else { return false }
        var (wasSentAgain, acknowledgedFor, failure) = (self.record.wasSentAgain, self.sinceAck, self.record.silence)
        if let first {
            wasSentAgain = wasSentAgain || first.retransmits > 0
            // Times of pings are whole microseconds: what was asked after the look may seem to be of a little before.
            if unanswered - self.record.sinceFirst >= .microseconds(1), let acked = first.bytesAcked,
                let asked = first.questionEnd, acked >= asked
            {
                acknowledgedFor = self.record.sinceFirst + .milliseconds(Int64(first.lastAckReceived))
                if !wasSentAgain { failure = unanswered }
            }
            wasSentAgain = wasSentAgain || self.tcp.totalRetransmits > first.totalRetransmits
        }
        return wasSentAgain && acknowledgedFor * 2 < failure
    }

    private var isTooEarly: Bool {
        !self.record.isOverdue && (self.record.unansweredFor != nil || self.record.silence <= self.timeout * 2)
    }
}

extension Diagnosis {
    /// The code of the reason that this rule leads to; nil where there is no verdict.
    public var code: DisconnectReason.Code? {
        switch self {
        case .ownBacklog, .tooEarly: nil
        case .closedWindow: .peerNotReading
        case .closedWindowUnanswered, .retransmissionUnanswered, .unacknowledged, .keepaliveUnanswered: .pathLost
        case .reportedUnreachable: .pathUnreachable
        case .retransmissionSwallowed, .transmissionSwallowed: .localCannotSend
        case .acknowledgedUnanswered: .peerFrozen
        case .acknowledgedLate, .nothingOutstanding, .inconclusive, .noEvidence: .peerSilent
        }
    }

    /// Why, in one sentence for people.
    public var explanation: String {
        switch self {
        case .ownBacklog: "our own data stands before the question and is being acknowledged, so the peer is alive"
        case .closedWindow:
            "the peer's window is closed and its kernel answers our probes, so its program does not read"
        case .closedWindowUnanswered: "the peer's window is closed and nobody answers our probes any more"
        case .retransmissionSwallowed: "what had to be sent again did not leave this host"
        case .transmissionSwallowed: "data waits although the peer's window is open and nothing is in flight"
        case .reportedUnreachable: "nobody answers, and a router or host says that the peer cannot be reached"
        case .retransmissionUnanswered: "what we sent was sent again and nobody acknowledges it"
        case .unacknowledged: "what we sent is not acknowledged for longer than a kernel takes"
        case .keepaliveUnanswered: "nobody answers the kernel's keepalive probes"
        case .acknowledgedUnanswered: "the peer's kernel acknowledged what we sent, its program did not answer"
        case .acknowledgedLate:
            "the peer's kernel acknowledged what we sent only after a failure of the path, so an answer may be on its way"
        case .tooEarly: "the peer spoke or was asked a moment ago, which is too early to say more"
        case .nothingOutstanding: "nothing is outstanding that the peer's kernel could have acknowledged"
        case .inconclusive: "what we sent is not acknowledged yet, and the figures do not say why"
        case .noEvidence: "this system tells nothing about the connection"
        }
    }
}
