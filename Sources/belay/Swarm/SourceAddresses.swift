//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelaySocket

/// Our addresses for connections to a server on this host: one address has only some 28,000 ports to give.
///
/// The server must be in 127.0.0.0/8, all of which is ours; towards any other, the kernel chooses.
struct SourceAddresses {
    /// Of the usual 28,000 ports half are looked at first, and near the end of a half each connection costs a long search.
    static let connectionsOfEach = 10_000
    /// 127.0.0.1 to 127.255.255.254.
    private static let range: ClosedRange<UInt32> = 0x7F00_0001...0x7FFF_FFFE

    private let isLoopback: Bool
    private var current: UInt32
    private var used = 0
    /// How many addresses in a row had no port left.
    private var failures = 0

    /// - Parameters:
    ///   - server: who is connected to.
    ///   - skipping: how many addresses others use, from 127.0.0.1 on.
    init(server: TransportAddress, skipping: Int = 0) {
        self.isLoopback = server.family == .ipv4 && server.bytes.first == 127
        self.current = Self.range.lowerBound + UInt32(clamping: min(max(0, skipping), 1 << 20))
    }

    /// Our address for the next connection; nil leaves it to the kernel.
    mutating func next() -> TransportAddress? {
        guard self.isLoopback else { return nil }
        if self.used >= Self.connectionsOfEach { self.goOn() }
        self.used += 1
        return TransportAddress(ipv4: self.current, port: 0)
    }

    /// The address had no port left.
    ///
    /// - Returns: whether there is another one to try.
    mutating func ranOut() -> Bool {
        guard self.isLoopback, self.failures < 64 else { return false }
        self.failures += 1
        self.goOn()
        return true
    }

    /// The address had a port left.
    mutating func succeeded() {
        self.failures = 0
    }

    private mutating func goOn() {
        self.current = self.current < Self.range.upperBound ? self.current + 1 : Self.range.lowerBound
        self.used = 0
    }
}
