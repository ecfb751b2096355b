//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension DisconnectReason {
    /// The stable codes of reasons.
    ///
    /// Their text is part of the contract; it never changes its meaning.
    public enum Code: String, CaseIterable, Hashable, Sendable {
        /// Orderly end: the peer sent FIN. Usual cause: its program closed or ended. Nothing to do.
        case peerClosed = "peer.closed"
        /// The peer said farewell first; its own code is in the evidence.
        case peerGoodbye = "peer.goodbye"
        /// The peer aborted (RST). Usual cause: its program crashed or was killed with unread data.
        case peerReset = "peer.reset"
        /// The peer's kernel answers, its program does not. Look for a deadlock or SIGSTOP on its host.
        case peerFrozen = "peer.frozen"
        /// The peer does not read: its window is closed or our queue for it makes no progress. Look at its consumer.
        case peerNotReading = "peer.not-reading"
        /// Nothing for the whole bound, and no evidence to say more.
        case peerSilent = "peer.silent"
        /// Nobody at the far end answers: power, cable, NAT entry, route. Data stays unacknowledged.
        case pathLost = "path.lost"
        /// A router or host said that the peer cannot be reached.
        case pathUnreachable = "path.unreachable"
        /// The kernel gave up first: keepalive or user timeout.
        case pathTimedOut = "path.timed-out"
        /// No first element, or no hello where one is required, within the handshake deadline.
        case handshakeTimeout = "policy.handshake-timeout"
        /// Heartbeats were fine, but no message came for the idle limit.
        case idle = "policy.idle"
        /// Bytes that break the protocol. The evidence names the rule.
        case protocolViolation = "policy.protocol-violation"
        /// A message over the limit. The evidence names size and limit.
        case messageTooLarge = "policy.message-too-large"
        /// The peer pings too often and its strikes are used up.
        case pingFlood = "policy.ping-flood"
        /// Our queue for the peer passed its limit.
        case slowConsumer = "policy.slow-consumer"
        /// Bad or missing credentials.
        case unauthorized = "policy.unauthorized"
        /// A limit on connections was reached. The evidence names which.
        case tooManyConnections = "policy.too-many-connections"
        /// Refused for a while, because the peer connects and disconnects too often.
        case flapping = "policy.flapping"
        /// Our own code closed it.
        case localClosed = "local.closed"
        /// An operator closed it.
        case localKicked = "local.kicked"
        /// The same peer connected again and took over.
        case localReplaced = "local.replaced"
        /// This process is shutting down.
        case localShutdown = "local.shutdown"
        /// Our own link, route or packet filter swallows what we send.
        case localCannotSend = "local.cannot-send"
        /// Our own error; errno or detail tell which.
        case localFailed = "local.failed"
        /// The gateway that held the connection vanished.
        case nodeLost = "node.lost"
    }
}

extension DisconnectReason.Code {
    /// Where the cause lies (DESIGN section 4, second column).
    public var initiator: DisconnectReason.Initiator {
        switch self {
        case .peerClosed, .peerGoodbye, .peerReset, .peerFrozen, .peerNotReading, .peerSilent: .peer
        case .pathLost, .pathUnreachable, .pathTimedOut: .path
        case .handshakeTimeout, .idle, .protocolViolation, .messageTooLarge, .pingFlood, .slowConsumer, .unauthorized,
            .tooManyConnections, .flapping, .localClosed, .localKicked, .localReplaced, .localShutdown,
            .localCannotSend, .localFailed, .nodeLost:
            .local
        }
    }

    /// Whether connecting again makes sense: false where the next attempt would end the same way.
    public var mayReconnect: Bool {
        switch self {
        case .protocolViolation, .messageTooLarge, .pingFlood, .unauthorized, .localKicked, .localReplaced:
            false
        case .peerClosed, .peerGoodbye, .peerReset, .peerFrozen, .peerNotReading, .peerSilent, .pathLost,
            .pathUnreachable, .pathTimedOut, .handshakeTimeout, .idle, .slowConsumer, .tooManyConnections, .flapping,
            .localClosed, .localShutdown, .localCannotSend, .localFailed, .nodeLost:
            true
        }
    }

    /// What the code means, in a few words for people.
    public var explanation: String {
        switch self {
        case .peerClosed: "the peer closed the connection"
        case .peerGoodbye: "the peer said goodbye"
        case .peerReset: "the peer reset the connection"
        case .peerFrozen: "the peer's kernel answers, its program does not"
        case .peerNotReading: "the peer does not read what we send"
        case .peerSilent: "the peer was silent for the whole bound"
        case .pathLost: "nobody at the far end answers"
        case .pathUnreachable: "a router or host says the peer cannot be reached"
        case .pathTimedOut: "the kernel gave the connection up"
        case .handshakeTimeout: "the handshake was not complete in time"
        case .idle: "no message for the idle limit"
        case .protocolViolation: "the peer broke the protocol"
        case .messageTooLarge: "a message was over the limit"
        case .pingFlood: "the peer pings too often"
        case .slowConsumer: "the queue for the peer passed its limit"
        case .unauthorized: "bad or missing credentials"
        case .tooManyConnections: "a limit on connections was reached"
        case .flapping: "the peer connects and disconnects too often"
        case .localClosed: "closed by our own code"
        case .localKicked: "closed by an operator"
        case .localReplaced: "the same peer connected again"
        case .localShutdown: "this node is shutting down"
        case .localCannotSend: "our own host swallows what we send"
        case .localFailed: "an error of our own"
        case .nodeLost: "the node that held the connection vanished"
        }
    }
}
