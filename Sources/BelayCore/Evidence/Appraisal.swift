//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What the kernel's tables say about a socket of any program, from outside: a verdict, and why.
///
/// From outside one cannot know what a program expects of its peer, and when. Therefore silence alone is never held
/// against a peer here, and "dead" needs probes or retransmissions that nobody answered, several in a row: with a loss of
/// 5 % three retransmissions in vain happen by chance once in 160,000 times.
public struct Appraisal: Hashable, Sendable {
    /// Alive, suspect or dead.
    public var verdict: Verdict
    /// The reason that fits; nil where nothing is wrong, or none of the reasons names it.
    public var code: DisconnectReason.Code?
    /// Why, in one line for people.
    public var explanation: String

    /// An appraisal that was made elsewhere.
    public init(verdict: Verdict, code: DisconnectReason.Code?, explanation: String) {
        self.verdict = verdict
        self.code = code
        self.explanation = explanation
    }

    private init(_ verdict: Verdict, _ code: DisconnectReason.Code?, _ explanation: String) {
        self.init(verdict: verdict, code: code, explanation: explanation)
    }

    /// One look at a socket in the kernel's tables.
    public struct Look: Hashable, Sendable {
        /// What the kernel tells of the connection.
        public var tcp: TCPEvidence
        /// Bytes that its program has not read.
        public var receiveQueueBytes: UInt32

        /// A look that found this.
        public init(tcp: TCPEvidence, receiveQueueBytes: UInt32 = 0) {
            self.tcp = tcp
            self.receiveQueueBytes = receiveQueueBytes
        }
    }

    /// How many probes or retransmissions in a row must be in vain.
    private static let enough: UInt8 = 3

    /// Appraises a connection.
    ///
    /// - Parameters:
    ///   - look: the look now.
    ///   - first: an earlier look at the same connection; nil if there was none.
    ///   - elapsed: the time between the two.
    public init(of look: Look, after first: Look? = nil, elapsed: Duration = .zero) {
        switch look.tcp.state {
        case .listen:
            self.init(.alive, nil, "listens")
        case .closeWait:
            self.init(.suspect, .peerClosed, "the peer closed, the program here has not")
        case .synSent, .synReceived, .newSynReceived:
            self.init(opening: look.tcp)
        case .timeWait, .closed:
            self.init(.alive, nil, "over")
        case .established, .finWait1, .finWait2, .lastAck, .closing:
            self.init(connection: look, after: first, elapsed: elapsed)
        }
    }

    /// Appraises a listening socket by the queue of connections that its program has not accepted.
    public init(acceptQueueLength length: UInt32, limit: UInt32) {
        if length > limit {
            self.init(
                .suspect,
                nil,
                "the accept queue is full (\(length), limit \(limit)): new connections are dropped"
            )
        } else if limit > 0, length >= max(1, limit / 2) {
            self.init(.alive, nil, "\(length) connections wait to be accepted, limit \(limit)")
        } else {
            self.init(.alive, nil, "listens")
        }
    }

    private init(opening tcp: TCPEvidence) {
        if tcp.retransmits == 0 {
            self.init(.alive, nil, "opening")
        } else {
            let times = tcp.retransmits == 1 ? "once" : "\(tcp.retransmits) times"
            // Who does not complete a connection to us may be a scanner; it is no peer that died.
            self.init(
                tcp.retransmits >= Self.enough && tcp.state == .synSent ? .dead : .suspect,
                .pathLost,
                "opening, sent again \(times), nobody answers"
            )
        }
    }

    private init(connection look: Look, after first: Look?, elapsed: Duration) {
        let tcp = look.tcp
        let record = Diagnosis.Record(
            silence: .milliseconds(Int64(tcp.lastDataReceived)),
            unansweredFor: Self.unansweredFor(look, first, elapsed),
            sinceFirst: first == nil ? .zero : elapsed
        )
        let diagnosis = Diagnosis(record, first: first?.tcp, now: tcp)
        let inVain = max(tcp.retransmits, tcp.probes)
        switch diagnosis {
        case .closedWindow, .unacknowledged:
            self.init(.suspect, diagnosis.code, diagnosis.explanation)
        case .closedWindowUnanswered, .retransmissionSwallowed, .transmissionSwallowed, .reportedUnreachable,
            .retransmissionUnanswered,
            .keepaliveUnanswered:
            self.init(inVain >= Self.enough ? .dead : .suspect, diagnosis.code, diagnosis.explanation)
        case .ownBacklog, .acknowledgedUnanswered, .acknowledgedLate, .tooEarly, .nothingOutstanding, .inconclusive,
            .noEvidence:
            self = Self.withoutAccusation(look, first, diagnosis)
        }
    }

    /// What is to be said of a connection whose peer is not accused.
    private static func withoutAccusation(_ look: Look, _ first: Look?, _ diagnosis: Diagnosis) -> Appraisal {
        if look.receiveQueueBytes > 0, let first, first.receiveQueueBytes > 0, Self.readNothing(look, since: first) {
            return Appraisal(.suspect, nil, "\(look.receiveQueueBytes) bytes wait, the program here does not read")
        }
        switch diagnosis {
        case .ownBacklog:
            return Appraisal(.alive, nil, "data is on its way and being acknowledged")
        case .inconclusive,
            .tooEarly where look.tcp.unacked > 0:
            return Appraisal(.alive, nil, "data is on its way")
        case .acknowledgedUnanswered, .acknowledgedLate:
            return Appraisal(.alive, nil, "everything is acknowledged, nothing came back yet")
        default:
            let isEnding = look.tcp.state != .established
            return Appraisal(.alive, nil, isEnding ? "closed here, the peer has not" : "nothing is outstanding")
        }
    }

    private static func readNothing(_ look: Look, since first: Look) -> Bool {
        guard let received = look.tcp.bytesReceived, let before = first.tcp.bytesReceived else { return false }
        return received &- UInt64(look.receiveQueueBytes) == before &- UInt64(first.receiveQueueBytes)
    }

    /// How long at least something that was sent has had no answer: what was sent after the peer last spoke asked it.
    private static func unansweredFor(_ look: Look, _ first: Look?, _ elapsed: Duration) -> Duration? {
        if let first, first.tcp.lastDataSent < first.tcp.lastDataReceived,
            .milliseconds(Int64(look.tcp.lastDataReceived)) >= elapsed
        {
            return .milliseconds(Int64(first.tcp.lastDataSent)) + elapsed
        }
        return look.tcp.lastDataSent < look.tcp.lastDataReceived
            ? .milliseconds(Int64(look.tcp.lastDataSent)) : nil
    }
}
