//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Glibc
public import NIOCore

/// Counts, and the connections that ended: kept in memory by one event loop, written once when the process ends.
public final class PeerRecord {
    /// Why a connection ended.
    public enum Kind: String {
        /// The peer closed.
        case fin
        /// The peer reset.
        case rst
        /// Nothing was heard for the bound.
        case silent
    }

    /// Connections accepted.
    public var accepted = 0
    /// Pings sent.
    public var pings = 0
    /// Pongs received.
    public var pongs = 0

    private var ends: [(at: UInt64, address: UInt32, port: UInt16, kind: Kind, lateness: UInt64)] = []

    /// An empty record.
    public init() { self.ends.reserveCapacity(65536) }

    /// A connection ended, so much after its bound where it was silent.
    public func end(of remote: SocketAddress?, _ kind: Kind, lateness: UInt64) {
        guard case .v4(let v4)? = remote else { return }
        let address = UInt32(bigEndian: v4.address.sin_addr.s_addr)
        self.ends.append((monotonicNanoseconds(), address, UInt16(bigEndian: v4.address.sin_port), kind, lateness))
    }

    /// Writes lines of `D at address:port kind lateness` and one of counts.
    public func write(to path: String) {
        guard let file = fopen(path, "w") else { return }
        for end in self.ends {
            fputs("D \(end.at) \(end.address):\(end.port) \(end.kind.rawValue) \(end.lateness)\n", file)
        }
        func count(_ kind: Kind) -> Int { self.ends.count { $0.kind == kind } }
        fputs(
            "Z accepted=\(self.accepted) pings=\(self.pings) pongs=\(self.pongs) fin=\(count(.fin)) "
                + "rst=\(count(.rst)) silent=\(count(.silent))\n",
            file
        )
        fclose(file)
    }
}

/// CLOCK_MONOTONIC, the clock of all logs.
@inline(__always)
public func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}

/// What an environment variable says, or else `standard`.
public func environment(_ name: String, default standard: Int) -> Int {
    getenv(name).flatMap { Int(String(cString: $0)) } ?? standard
}
