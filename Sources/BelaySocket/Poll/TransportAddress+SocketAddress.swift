//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension TransportAddress {
    /// Calls `body` with the address as the socket calls take it: `sockaddr_in` or `sockaddr_in6`.
    func withSocketAddress(
        _ body: (UnsafeRawBufferPointer) throws(ErrorNumber) -> Void
    ) throws(ErrorNumber) {
        let words = self.words(mapped: false)
        switch self.family {
        case .ipv4:
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = self.port.bigEndian
            address.sin_addr.s_addr = words.0
            try withUnsafeBytes(of: &address) { (bytes) throws(ErrorNumber) in try body(bytes) }
        case .ipv6:
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = self.port.bigEndian
            withUnsafeBytes(of: words) { words in
                withUnsafeMutableBytes(of: &address.sin6_addr) { $0.copyMemory(from: words) }
            }
            try withUnsafeBytes(of: &address) { (bytes) throws(ErrorNumber) in try body(bytes) }
        }
    }

    /// The address that a socket call filled in.
    ///
    /// - Returns: nil when it is neither IPv4 nor IPv6, or too short.
    init?(socketAddress bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= MemoryLayout<sockaddr_in>.size else { return nil }
        let short = bytes.loadUnaligned(as: sockaddr_in.self)
        if Int32(short.sin_family) == AF_INET {
            self.init(ipv4: UInt32(bigEndian: short.sin_addr.s_addr), port: UInt16(bigEndian: short.sin_port))
            return
        }
        guard Int32(short.sin_family) == AF_INET6, bytes.count >= MemoryLayout<sockaddr_in6>.size else { return nil }
        let long = bytes.loadUnaligned(as: sockaddr_in6.self)
        let host = withUnsafeBytes(of: long.sin6_addr) { Array($0) }
        self.init(bytes: host, port: UInt16(bigEndian: long.sin6_port))
    }
}
