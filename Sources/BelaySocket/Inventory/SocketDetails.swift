//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What the kernel is asked to tell of each socket besides its addresses, queues and timer.
///
/// The default everywhere is ``all``. Each detail costs time and memory: of 20,000 sockets, `tcpInfo` is most of it.
public struct SocketDetails: OptionSet, Hashable, Sendable {
    /// The set as bits.
    public let rawValue: UInt8

    /// The set with these bits.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// ``SocketEntry/tcpInfo`` (INET_DIAG_INFO).
    public static let tcpInfo = SocketDetails(rawValue: 1)
    /// ``SocketEntry/memory`` (INET_DIAG_SKMEMINFO).
    public static let memory = SocketDetails(rawValue: 2)
    /// Everything.
    public static let all: SocketDetails = [.tcpInfo, .memory]
}
