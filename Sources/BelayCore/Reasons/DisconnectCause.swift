//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What happened to a connection, before it is judged: the input of the one function that names reasons.
///
/// Indirect, because a connection may hold one for its whole life and none of them is made on a hot path.
public indirect enum DisconnectCause: Hashable, Sendable {
    /// The peer's FIN was read.
    case endOfStream
    /// A system call on the socket failed, or the kernel reported an error for it.
    case failed(ErrorNumber)
    /// An error that is no error of the kernel, described in one short line.
    case otherError(String)
    /// Nothing proved the peer alive for the whole bound, the last look found nothing unread, and concluded this.
    case silence(Diagnosis)
    /// Bytes wait in our queue and none moved for the write deadline; what the last look concluded.
    case noWriteProgress(Diagnosis, unsentBytes: Int)
    /// The handshake deadline passed.
    case handshakeDeadlinePassed
    /// The idle limit passed without a message.
    case idleLimitPassed
    /// Our own program did not read for longer than is tolerated.
    case readPauseLimitPassed(Duration)
    /// The peer said farewell.
    case goodbye(code: String?, retryAfter: Duration?)
    /// The peer's bytes break the protocol; one short line says how.
    case protocolViolation(String)
    /// A message is over the limit.
    case messageTooLarge(size: UInt64, limit: Int)
    /// Pings beyond the permitted rate, strikes used up.
    case pingFlood
    /// Our queue for the peer passed its limit.
    case outboundLimitPassed(unsentBytes: Int, limit: Int)
    /// Our side decided: the code says why, a short line which limit or rule.
    case decided(DisconnectReason.Code, detail: String?)
}

extension DisconnectCause {
    /// The reason for this cause in the given phase.
    ///
    /// The one place where errors of the kernel, ends of stream, timeouts and protocol errors get their names.
    /// An error number that has no row of its own becomes `local.failed`; its name is kept in the evidence, always.
    public func reason(in phase: DisconnectReason.Phase) -> DisconnectReason {
        switch self {
        case .endOfStream:
            DisconnectReason(.peerClosed, phase: phase)
        case .failed(let errno):
            DisconnectReason(Self.code(for: errno), phase: phase, evidence: .init(errno: errno))
        case .otherError(let detail):
            DisconnectReason(.localFailed, phase: phase, evidence: .init(detail: detail))
        case .silence(let diagnosis):
            DisconnectReason(diagnosis.code ?? .peerSilent, phase: phase, evidence: .init(diagnosis: diagnosis))
        case .noWriteProgress(let diagnosis, let unsentBytes):
            DisconnectReason(
                diagnosis.codeOfStandstill,
                phase: phase,
                evidence: .init(diagnosis: diagnosis, unsentBytes: unsentBytes)
            )
        case .handshakeDeadlinePassed:
            DisconnectReason(.handshakeTimeout, phase: phase)
        case .idleLimitPassed:
            DisconnectReason(.idle, phase: phase)
        case .readPauseLimitPassed(let limit):
            DisconnectReason(
                .localFailed,
                phase: phase,
                evidence: .init(detail: "nothing was read for \(limit.text): the program does not consume")
            )
        case .goodbye(let code, let retryAfter):
            DisconnectReason(
                .peerGoodbye,
                phase: phase,
                evidence: .init(goodbyeCode: code, retryAfter: retryAfter),
                mayReconnect: code.flatMap(DisconnectReason.Code.init(rawValue:))?.mayReconnect
            )
        case .protocolViolation(let detail):
            DisconnectReason(.protocolViolation, phase: phase, evidence: .init(detail: detail))
        case .messageTooLarge(let size, let limit):
            DisconnectReason(
                .messageTooLarge,
                phase: phase,
                evidence: .init(detail: "a message of at least \(size) bytes, limit \(limit)")
            )
        case .pingFlood:
            DisconnectReason(.pingFlood, phase: phase)
        case .outboundLimitPassed(let unsentBytes, let limit):
            DisconnectReason(
                .slowConsumer,
                phase: phase,
                evidence: .init(detail: "the outbound queue passed \(limit) bytes", unsentBytes: unsentBytes)
            )
        case .decided(let code, let detail):
            DisconnectReason(code, phase: phase, evidence: .init(detail: detail))
        }
    }

    /// The code for an error number (Linux `net/ipv4/icmp.c`, `icmp_err_convert`, tells which ICMP gives which).
    static func code(for errno: ErrorNumber) -> DisconnectReason.Code {
        switch errno {
        case .connectionReset, .brokenPipe, .connectionAborted:
            .peerReset
        case .timedOut:
            .pathTimedOut
        case .hostUnreachable, .networkUnreachable, .connectionRefused, .hostDown, .notOnNetwork,
            .protocolNotAvailable:
            .pathUnreachable
        case .networkDown, .addressNotAvailable, .notPermitted, .permissionDenied, .noBufferSpace:
            .localCannotSend
        default:
            .localFailed
        }
    }
}

extension Diagnosis {
    /// The code where a queue of ours does not move: that the peer does not read, unless the evidence says more.
    fileprivate var codeOfStandstill: DisconnectReason.Code {
        switch self.code {
        case .pathLost: .pathLost
        case .pathUnreachable: .pathUnreachable
        case .localCannotSend: .localCannotSend
        default: .peerNotReading
        }
    }
}
