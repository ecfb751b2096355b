//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore
public import NIOCore

/// One connection, as it is seen on its event loop.
///
/// Not `Sendable`: use it where a ``ConnectionDelegate`` got it. ``handle`` can be carried elsewhere.
public struct Connection {
    let handler: ConnectionHandler

    /// The name of the connection; never used again.
    public var id: ConnectionID { self.handler.id }

    /// The identity of the peer, once it said hello.
    public var peer: String? { self.handler.peer }

    /// The number of the peer's connection, once it said hello.
    public var epoch: UInt64? { self.handler.epoch }

    /// What is known of the connection now.
    public var summary: ConnectionSummary { self.handler.summary }

    /// Whether more may be sent without the queue growing past its high mark.
    public var isWritable: Bool { self.handler.context?.channel.isWritable ?? false }

    /// A place for the program's own state.
    public var attachment: AnyObject? {
        get { self.handler.attachment }
        nonmutating set { self.handler.attachment = newValue }
    }

    /// Something that stands for this connection on any thread.
    public var handle: ConnectionHandle { ConnectionHandle(handler: self.handler) }

    /// Sends a message.
    ///
    /// The queue is bounded: past ``ConnectionLimits/outboundBytes`` the connection is closed as `policy.slow-consumer`.
    ///
    /// - Throws: ``SendError`` when the connection is over or the protocol cannot carry the message.
    public func send(_ message: ByteBuffer) throws(SendError) {
        try self.handler.send(message)
    }

    /// Stops reading from the peer, until ``resumeReading()``.
    ///
    /// No verdict on silence meanwhile (rule R7). Messages that were read together with the last one are still delivered, and so
    /// is, before the FIN or the reset of the peer is told, all that the kernel holds: as much as its receive buffer.
    public func pauseReading() { self.handler.pauseReading() }

    /// Reads again.
    public func resumeReading() { self.handler.resumeReading() }

    /// Says goodbye and closes.
    ///
    /// A second call does nothing.
    ///
    /// - Parameters:
    ///   - code: the reason that is reported. Default: `local.closed`.
    ///   - detail: one short line of evidence.
    public func close(_ code: DisconnectReason.Code = .localClosed, detail: String? = nil) {
        self.handler.end(.decided(code, detail: detail))
    }
}

@available(*, unavailable)
extension Connection: Sendable {}

/// One connection, as it is held on any thread.
public struct ConnectionHandle: Sendable {
    /// The name of the connection.
    public let id: ConnectionID
    /// The loop that serves it.
    public let eventLoop: any EventLoop
    private let bound: NIOLoopBound<ConnectionHandler>

    init(handler: ConnectionHandler) {
        self.id = handler.id
        self.eventLoop = handler.timekeeper.eventLoop
        self.bound = NIOLoopBound(handler, eventLoop: handler.timekeeper.eventLoop)
    }

    /// Runs `body` on the connection's event loop, now if that is the current one.
    public func execute(_ body: @escaping @Sendable (Connection) -> Void) {
        let bound = self.bound
        if self.eventLoop.inEventLoop {
            body(Connection(handler: bound.value))
        } else {
            self.eventLoop.execute { body(Connection(handler: bound.value)) }
        }
    }

    /// Why the connection ended; nil while it has not.
    func closeReason() async -> DisconnectReason? {
        let bound = self.bound
        // Fails when the loop is shut down, and then nothing is known any more.
        return try? await self.eventLoop.submit { bound.value.reason }.get()
    }

    /// Says goodbye and closes.
    ///
    /// A second call does nothing.
    public func close(_ code: DisconnectReason.Code = .localClosed, detail: String? = nil) {
        self.execute { $0.close(code, detail: detail) }
    }
}

/// Why a message was not sent.
public enum SendError: Error, Hashable, Sendable {
    /// The connection is over and the message was not sent; the reason, where it is known already.
    case closed(DisconnectReason?)
    /// The connection ended while the message was queued: nobody knows how much of it arrived.
    case interrupted(DisconnectReason)
    /// The protocol cannot carry the message; one line that says why.
    case notRepresentable(String)
}

extension SendError: CustomStringConvertible {
    /// The error in one line.
    public var description: String {
        switch self {
        case .closed(let reason): "the connection is over" + (reason.map { ": \($0)" } ?? "")
        case .interrupted(let reason): "the connection ended before all was sent: \(reason)"
        case .notRepresentable(let why): why
        }
    }
}
