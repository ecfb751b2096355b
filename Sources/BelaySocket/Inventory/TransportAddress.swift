//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The address and port of one end of a TCP connection (the "transport address" of RFC 8445), IPv4 or IPv6.
///
/// A value of 24 bytes; text is made only when it is asked for. An IPv4 address that is mapped into IPv6
/// (`::ffff:192.0.2.1`, RFC 4291 section 2.5.5.2) is turned into the IPv4 address that it stands for, so that the two
/// compare equal. The zone of a link-local address is not part of it: see ``SocketEntry/interface``.
public struct TransportAddress: Hashable, Sendable {
    /// The protocol that an address belongs to.
    public enum Family: UInt8, CaseIterable, Hashable, Sendable {
        /// IPv4.
        case ipv4
        /// IPv6.
        case ipv6
    }

    // The address as a number, most significant byte first. An IPv4 address is the lowest 32 bits.
    private var high: UInt64
    private var low: UInt64
    /// The port.
    public var port: UInt16
    /// The protocol that the address belongs to.
    public private(set) var family: Family

    /// The address with these bytes in network order, 4 for IPv4 or 16 for IPv6.
    ///
    /// - Returns: nil for any other number of bytes.
    public init?(bytes: some Collection<UInt8>, port: UInt16) {
        var high: UInt64 = 0
        var low: UInt64 = 0
        for byte in bytes {
            high = high << 8 | low >> 56
            low = low << 8 | UInt64(byte)
        }
        switch bytes.count {
        case 4: self.init(ipv4: UInt32(truncatingIfNeeded: low), port: port)
        case 16: self.init(high: high, low: low, port: port)
        default: return nil
        }
    }

    /// The IPv4 address with this number, as in 0x7F00_0001 for 127.0.0.1.
    public init(ipv4 number: UInt32, port: UInt16) {
        self.high = 0
        self.low = UInt64(number)
        self.port = port
        self.family = .ipv4
    }

    private init(high: UInt64, low: UInt64, port: UInt16) {
        let isMapped = high == 0 && low >> 32 == 0xFFFF
        self.high = high
        self.low = isMapped ? low & 0xFFFF_FFFF : low
        self.port = port
        self.family = isMapped ? .ipv4 : .ipv6
    }

    /// The address in network order: 4 bytes or 16.
    public var bytes: [UInt8] {
        let all = self.words(mapped: false)
        return withUnsafeBytes(of: all) { Array(self.family == .ipv4 ? $0.prefix(4) : $0[...]) }
    }

    /// Whether the address is `0.0.0.0` or `::`, which stands for every address of the host, or for none.
    public var isUnspecified: Bool { self.high == 0 && self.low == 0 }
}

extension TransportAddress {
    /// Four words in network order, as the kernel has them: an IPv4 address is the first.
    typealias Words = (UInt32, UInt32, UInt32, UInt32)

    /// The address of a socket of this family as the kernel tells it.
    init(words: Words, family: Family, port: UInt16) {
        func joined(_ first: UInt32, _ second: UInt32) -> UInt64 {
            UInt64(UInt32(bigEndian: first)) << 32 | UInt64(UInt32(bigEndian: second))
        }
        switch family {
        case .ipv4: self.init(ipv4: UInt32(bigEndian: words.0), port: port)
        case .ipv6: self.init(high: joined(words.0, words.1), low: joined(words.2, words.3), port: port)
        }
    }

    /// The address as the kernel has it: of an IPv6 socket that speaks IPv4, `mapped`.
    func words(mapped: Bool) -> Words {
        let lowest = UInt32(truncatingIfNeeded: self.low).bigEndian
        if self.family == .ipv4 { return mapped ? (0, 0, UInt32(0xFFFF).bigEndian, lowest) : (lowest, 0, 0, 0) }
        return (
            UInt32(truncatingIfNeeded: self.high >> 32).bigEndian, UInt32(truncatingIfNeeded: self.high).bigEndian,
            UInt32(truncatingIfNeeded: self.low >> 32).bigEndian, lowest
        )
    }
}
