//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// Looks at a TCP connection by its descriptor, without touching it: is it open, who closed it, what broke it.
///
/// ```swift
/// switch try ConnectionProbe.state(of: descriptor) {
/// case .open: break
/// case .closedByPeer: print("the peer has closed")
/// case .failed(let errno): print("broken: \(errno)")
/// case let other: print(other)
/// }
/// ```
///
/// A look is a handful of system calls. It consumes no byte, never waits (not on a blocking socket either), works while
/// data is waiting unread, and may be taken while another part of the program reads and writes. Whoever owns the
/// descriptor must keep it open during the look: a number that is closed meanwhile may be given to another file.
///
/// **What it cannot see.** It tells what this host's kernel knows. A peer whose power failed or whose cable was pulled
/// has sent nothing, so that its connection stays ``State/open`` until the kernel gives up on data that was sent to it:
/// after a quarter of an hour by default, and never if none is sent. A heartbeat finds that out in time.
///
/// **What it takes.** The kernel tells the error that ended a connection once, to whoever asks first (SO_ERROR, `read`
/// or `write`; `sock_error()` in `include/net/sock.h`). A look that finds an error takes it: the program then reads an
/// end of stream where it would have read the error. A probe that is kept remembers the error and goes on telling it;
/// ``state(of:)-(Descriptor)`` forgets it. A connection without an error is left as it was.
public struct ConnectionProbe: Sendable {
    /// The descriptor that is looked at; somebody else owns it.
    public let descriptor: Descriptor
    /// The error that ended the connection, once a look has taken it from the kernel.
    public internal(set) var error: ErrorNumber?

    /// A probe of this descriptor, which has not looked yet.
    public init(of descriptor: Descriptor) {
        self.descriptor = descriptor
    }

    /// A probe of the descriptor with this number, which has not looked yet.
    public init(of descriptor: Int32) {
        self.init(of: Descriptor(rawValue: descriptor))
    }

    /// Looks once, and remembers the error that it takes.
    ///
    /// - Returns: the state of the connection, and what else there was to see.
    /// - Throws: ``Failure`` where the number is no open descriptor, or this system answers no such question.
    public mutating func look() throws(Failure) -> Look { try self.look(through: .system) }

    /// The state of the connection now: a single look, which forgets the error that it takes.
    ///
    /// The first look at a reset connection tells ``State/reset``, the next one ``State/over``. Keep a probe, and call
    /// ``look()``, to look more than once.
    ///
    /// - Returns: the state.
    /// - Throws: ``Failure`` where the number is no open descriptor, or this system answers no such question.
    public static func state(of descriptor: Descriptor) throws(Failure) -> State {
        var probe = ConnectionProbe(of: descriptor)
        return try probe.look().state
    }

    /// The state of the connection now, by the number of its descriptor: a single look.
    ///
    /// See ``state(of:)-(Descriptor)``.
    ///
    /// - Returns: the state.
    /// - Throws: ``Failure`` where the number is no open descriptor, or this system answers no such question.
    public static func state(of descriptor: Int32) throws(Failure) -> State {
        try self.state(of: Descriptor(rawValue: descriptor))
    }
}

extension ConnectionProbe {
    /// What one look saw.
    public struct Look: Hashable, Sendable {
        /// The state of the connection.
        public var state: State
        /// Whether bytes wait to be read; they may wait before the peer's FIN or a reset, too.
        ///
        /// Where the program has set SO_PEEK_OFF on its socket (Linux 6.9 on), a FIN counts as unread: to look closer
        /// would move the program's offset.
        public var hasUnreadBytes: Bool
        /// The error that this look took, or that an earlier one of the same probe took if it ended the connection.
        ///
        /// With ``State/reset`` and ``State/failed(_:)`` it is what ended the connection. With another state it did not
        /// end it: a program that set IP_RECVERR is told of unreachable hosts while the kernel goes on trying.
        public var error: ErrorNumber?
        /// What the kernel tells of the connection; nil where this system does not tell, and of what is not TCP.
        public var tcpInfo: TCPInfo?
    }

    /// Why a look was not possible; as text, one line.
    public enum Failure: Error, Hashable, Sendable {
        /// The number is no open descriptor (EBADF): it was closed, or never opened.
        case notOpen(Descriptor)
        /// This system refused a call that no look can do without, for instance by a filter on system calls.
        case unsupported(call: String, ErrorNumber)
    }
}

extension ConnectionProbe.Failure: CustomStringConvertible {
    /// What is wrong, in one line.
    public var description: String {
        switch self {
        case .notOpen(let descriptor): "\(descriptor.rawValue) is no open descriptor (EBADF)"
        case .unsupported(let call, let errno): "this system does not let a socket be looked at: \(call) gave \(errno)"
        }
    }
}
