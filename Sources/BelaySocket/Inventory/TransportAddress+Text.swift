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

extension TransportAddress: CustomStringConvertible {
    /// The address without the port, as in RFC 5952: `192.0.2.1`, `2001:db8::1`.
    public var host: String {
        var words = self.words(mapped: false)
        let family = self.family == .ipv4 ? AF_INET : AF_INET6
        // INET6_ADDRSTRLEN, which not every C library declares for Swift.
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 46) { text in
            guard let start = text.baseAddress, inet_ntop(family, &words, start, 46) != nil else { return "" }
            return String(cString: start)
        }
    }

    /// The address with the port: `192.0.2.1:7400`, `[2001:db8::1]:7400`.
    public var description: String {
        self.family == .ipv4 ? "\(self.host):\(self.port)" : "[\(self.host)]:\(self.port)"
    }
}

extension TransportAddress {
    /// Why a text is not an address with a port, in one line.
    public struct ParseError: Error, Hashable, Sendable, CustomStringConvertible {
        /// What is wrong and what is allowed.
        public let description: String
    }

    /// Reads `192.0.2.1:7400` or `[2001:db8::1]:7400`; no name is looked up.
    ///
    /// The port is a number from 0 to 65,535.
    ///
    /// - Throws: ``ParseError`` that names the part that is wrong.
    public init(text: String) throws(ParseError) {
        // What an error may quote: one line, and nothing that a terminal obeys.
        func shown(_ text: Substring) -> String { text.visible(atMost: 80) }
        guard let colon = text.utf8.lastIndex(of: UInt8(ascii: ":")) else {
            throw ParseError(description: "'\(shown(text[...]))' has no port: write ADDRESS:PORT or [ADDRESS]:PORT")
        }
        let portText = text[text.utf8.index(after: colon)...]
        guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(portText) else {
            throw ParseError(description: "the port '\(shown(portText))' is not a number from 0 to 65535")
        }
        var host = text.utf8[..<colon]
        let isBracketed = host.first == UInt8(ascii: "[") && host.last == UInt8(ascii: "]") && host.count > 2
        if isBracketed {
            host = host.dropFirst().dropLast()
        } else if host.contains(UInt8(ascii: ":")) {
            throw ParseError(description: "the IPv6 address '\(shown(Substring(host)))' must stand in brackets")
        }
        guard let address = TransportAddress(host: String(Substring(host)), port: port),
            isBracketed == host.contains(UInt8(ascii: ":"))
        else {
            throw ParseError(
                description: "'\(shown(Substring(host)))' is not an IPv4 address, or an IPv6 address in brackets"
            )
        }
        self = address
    }

    /// Reads an address without brackets: `192.0.2.1` or `2001:db8::1`.
    ///
    /// - Returns: nil for anything else, names and zones (`fe80::1%eth0`) included.
    public init?(host: String, port: UInt16) {
        // The C library would stop at a NUL and take what comes before it.
        guard !host.utf8.contains(0) else { return nil }
        var words: Words = (0, 0, 0, 0)
        if inet_pton(AF_INET, host, &words) == 1 {
            self.init(words: words, family: .ipv4, port: port)
        } else if inet_pton(AF_INET6, host, &words) == 1 {
            self.init(words: words, family: .ipv6, port: port)
        } else {
            return nil
        }
    }
}
