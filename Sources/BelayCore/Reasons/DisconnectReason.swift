//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Why a connection ended: our conclusion, with the facts behind it.
///
/// A disconnect is a value and not an error. There is exactly one for each connection that was opened.
public struct DisconnectReason: Hashable, Sendable {
    /// The conclusion, as stable text.
    public var code: Code
    /// Where in its life the connection was.
    public var phase: Phase
    /// The facts that led to the conclusion.
    public var evidence: Evidence
    /// Whether the other side may connect again, as advice to it and to ourselves.
    ///
    /// Default: what the code says.
    public var mayReconnect: Bool

    /// A reason whose advice follows from its code unless given.
    public init(_ code: Code, phase: Phase, evidence: Evidence = Evidence(), mayReconnect: Bool? = nil) {
        self.code = code
        self.phase = phase
        self.evidence = evidence
        self.mayReconnect = mayReconnect ?? code.mayReconnect
    }

    /// Who ended the connection, or on whose side the cause lies.
    public var initiator: Initiator { self.code.initiator }

    /// Where the cause lies.
    public enum Initiator: String, CaseIterable, Hashable, Sendable {
        /// The other end.
        case peer
        /// Something between the ends.
        case path
        /// This process, its policies or its host.
        case local
    }

    /// The parts of a connection's life.
    public enum Phase: String, CaseIterable, Hashable, Sendable {
        /// Before the first complete element from the peer, or its hello where one is required.
        case handshake
        /// In normal use.
        case active
        /// While we say farewell, at a shutdown.
        case draining
    }

    /// The facts behind a reason.
    ///
    /// A fact that is not known is nil.
    public struct Evidence: Hashable, Sendable {
        /// The kernel's error, whatever the code is; never merged with another.
        public var errno: ErrorNumber?
        /// What the kernel told of the connection before the verdict; nil where none was due, or it does not tell.
        public var tcp: TCPEvidence?
        /// What was concluded from the kernel's figures.
        public var diagnosis: Diagnosis?
        /// One short line for people: which rule a peer's bytes broke, which limit was passed.
        public var detail: String?
        /// The code that the peer gave with its farewell.
        public var goodbyeCode: String?
        /// How long the peer asks us to wait before we connect again.
        public var retryAfter: Duration?
        /// Bytes of ours that the kernel had not taken yet.
        public var unsentBytes: Int?

        /// Evidence of the given facts; none by default.
        public init(
            errno: ErrorNumber? = nil,
            tcp: TCPEvidence? = nil,
            diagnosis: Diagnosis? = nil,
            detail: String? = nil,
            goodbyeCode: String? = nil,
            retryAfter: Duration? = nil,
            unsentBytes: Int? = nil
        ) {
            self.errno = errno
            self.tcp = tcp
            self.diagnosis = diagnosis
            self.detail = detail
            self.goodbyeCode = goodbyeCode
            self.retryAfter = retryAfter
            self.unsentBytes = unsentBytes
        }
    }
}

extension DisconnectReason: CustomStringConvertible {
    /// Code, errno and what the code means, in one line without payload or addresses.
    public var description: String {
        let errno = self.evidence.errno.map { " (\($0.name))" } ?? ""
        return "\(self.code.rawValue)\(errno): \(self.code.explanation)"
    }
}
