//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What one connection and one listener may use.
public struct ConnectionLimits: Hashable, Sendable {
    /// Connections in all.
    ///
    /// Default: nil, as many as the process may have files open, less a reserve. At least 1.
    public var connections: Int?
    /// Connections of one remote address.
    ///
    /// Default: nil, no limit. At least 1.
    public var connectionsPerAddress: Int?
    /// Bytes of one message.
    ///
    /// Default: nil, what the protocol says (64 KiB for lines, 1 MiB for frames). 64 B to 64 MiB.
    public var messageBytes: Int?
    /// Bytes that may wait for one peer before it is a slow consumer.
    ///
    /// Default: 4 MiB. 4 KiB to 1 GiB.
    public var outboundBytes: Int = 4 << 20

    /// The default limits.
    public init() {}

    /// Checks the limits.
    ///
    /// - Throws: ``ConfigurationError`` with every problem at once.
    public func validate() throws(ConfigurationError) {
        var problems = ProblemCollector()
        problems.check("connections", self.connections, in: 1...10_000_000)
        problems.check("connectionsPerAddress", self.connectionsPerAddress, in: 1...10_000_000)
        problems.check("messageBytes", self.messageBytes, in: 64...(64 << 20))
        problems.check("outboundBytes", self.outboundBytes, in: 4_096...(1 << 30))
        try problems.throwIfAny()
    }
}
