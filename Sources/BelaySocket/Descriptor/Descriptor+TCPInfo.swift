//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

#if os(Linux)
import CBelayLinux
#endif

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension Descriptor {
    /// What the kernel tells of the connection now, without consuming a byte (TCP_INFO).
    ///
    /// - Returns: nil where this system does not tell, or the descriptor is no TCP socket.
    public func tcpInfo() -> TCPInfo? { self.tcpInfo(through: .system) }

    func tcpInfo(through calls: SystemCalls) -> TCPInfo? {
        #if os(Linux)
        // Room for what newer kernels add, so that they need not cut it off.
        return withUnsafeTemporaryAllocation(byteCount: 512, alignment: 8) { room in
            guard let length = try? calls.getOption(self.rawValue, Int32(IPPROTO_TCP), Self.tcpInfoOption, room) else {
                return nil
            }
            return TCPInfo(kernelBytes: .init(rebasing: room.prefix(max(0, length))))
        }
        #else
        return nil
        #endif
    }

    #if os(Linux)
    /// TCP_INFO of include/uapi/linux/tcp.h.
    private static let tcpInfoOption: Int32 = 11
    #endif
}
