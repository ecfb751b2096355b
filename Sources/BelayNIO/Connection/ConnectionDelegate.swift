//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore
public import NIOCore

/// Who is told what happens on connections, directly on their event loops.
///
/// The level for those who hold many thousands of connections and count bytes; ``BelayServer/run(_:)`` is the comfortable
/// one. Nothing here may block or take long: every connection of the loop waits meanwhile. For one connection the calls
/// come in order: ``opened(_:)`` first, ``closed(_:reason:)`` last and exactly once.
public protocol ConnectionDelegate: Sendable {
    /// A connection was opened.
    func opened(_ connection: Connection)
    /// The peer said who it is: ``Connection/peer`` and ``Connection/epoch`` are known from now on.
    func introduced(_ connection: Connection)
    /// A message was received. The bytes may be kept; what is sent from here is flushed after the batch.
    func received(_ message: ByteBuffer, on connection: Connection)
    /// The peer has been silent for so long that it is suspected.
    func suspected(_ connection: Connection, silence: Duration)
    /// The suspected peer spoke again.
    func recovered(_ connection: Connection, silence: Duration)
    /// Our queue for the peer passed its high mark, or fell below its low one.
    func writabilityChanged(_ connection: Connection)
    /// The connection is over.
    func closed(_ connection: Connection, reason: DisconnectReason)
}

extension ConnectionDelegate {
    /// Does nothing.
    public func opened(_ connection: Connection) {}
    /// Does nothing.
    public func introduced(_ connection: Connection) {}
    /// Drops the message.
    public func received(_ message: ByteBuffer, on connection: Connection) {}
    /// Does nothing.
    public func suspected(_ connection: Connection, silence: Duration) {}
    /// Does nothing.
    public func recovered(_ connection: Connection, silence: Duration) {}
    /// Does nothing.
    public func writabilityChanged(_ connection: Connection) {}
    /// Does nothing.
    public func closed(_ connection: Connection, reason: DisconnectReason) {}
}
