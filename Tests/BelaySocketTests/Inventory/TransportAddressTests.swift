//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelaySocket
import Testing

/// Addresses as values, and as text.
@Suite struct TransportAddressTests {
    @Test(
        "a text that is read is written as it was",
        arguments: [
            "192.0.2.1:7400", "0.0.0.0:0", "255.255.255.255:65535", "[2001:db8::1]:7400", "[::]:0", "[::1]:80",
            "[1:2:3:4:5:6:7:8]:9", "[fe80::a:0:0:1]:1",
        ]
    )
    func roundTrip(text: String) throws {
        #expect(try TransportAddress(text: text).description == text)
    }

    @Test("IPv6 is written as RFC 5952 has it")
    func canonical() throws {
        #expect(try TransportAddress(text: "[2001:DB8:0:0:0:0:0:1]:1").host == "2001:db8::1")
        #expect(try TransportAddress(text: "[2001:db8:0:1:1:1:1:1]:1").host == "2001:db8:0:1:1:1:1:1")
    }

    @Test("an address that is mapped into IPv6 is the IPv4 address")
    func mapped() throws {
        let mapped = try TransportAddress(text: "[::ffff:192.0.2.1]:7400")
        #expect(mapped == (try TransportAddress(text: "192.0.2.1:7400")))
        #expect(mapped.family == .ipv4)
        #expect(mapped.description == "192.0.2.1:7400")
        let bytes: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1]
        #expect(TransportAddress(bytes: bytes, port: 7400) == mapped)
        #expect(mapped.bytes == [192, 0, 2, 1])
    }

    @Test("the same number is another address in the other family")
    func families() throws {
        let ipv4 = TransportAddress(ipv4: 1, port: 1)
        let ipv6 = try TransportAddress(text: "[::1]:1")
        #expect(ipv4 != ipv6)
        #expect(ipv6.family == .ipv6)
        #expect(ipv4.host == "0.0.0.1")
    }

    @Test("bytes are in network order, 4 or 16 of them")
    func bytes() throws {
        #expect(TransportAddress(bytes: [127, 0, 0, 1], port: 1) == TransportAddress(ipv4: 0x7F00_0001, port: 1))
        let bytes = (1...16).map(UInt8.init)
        let address = try #require(TransportAddress(bytes: bytes, port: 1))
        #expect(address.host == "102:304:506:708:90a:b0c:d0e:f10")
        #expect(address.bytes == bytes)
        for count in [0, 3, 5, 15, 17] {
            #expect(TransportAddress(bytes: [UInt8](repeating: 1, count: count), port: 1) == nil)
        }
    }

    @Test("only 0.0.0.0 and :: are unspecified")
    func unspecified() throws {
        #expect(try TransportAddress(text: "0.0.0.0:80").isUnspecified)
        #expect(try TransportAddress(text: "[::]:80").isUnspecified)
        #expect(try !TransportAddress(text: "[::1]:80").isUnspecified)
        #expect(try !TransportAddress(text: "[1::]:80").isUnspecified)
    }

    @Test(
        "what is no address says in one line what is wrong",
        arguments: [
            ("", "'' has no port: write ADDRESS:PORT or [ADDRESS]:PORT"),
            ("192.0.2.1", "'192.0.2.1' has no port: write ADDRESS:PORT or [ADDRESS]:PORT"),
            ("192.0.2.1:", "the port '' is not a number from 0 to 65535"),
            ("192.0.2.1:65536", "the port '65536' is not a number from 0 to 65535"),
            ("192.0.2.1:+1", "the port '+1' is not a number from 0 to 65535"),
            ("192.0.2.1:-1", "the port '-1' is not a number from 0 to 65535"),
            ("[::1]", "the port '1]' is not a number from 0 to 65535"),
            ("::1:80", "the IPv6 address '::1' must stand in brackets"),
            ("[192.0.2.1]:80", "'192.0.2.1' is not an IPv4 address, or an IPv6 address in brackets"),
            ("[]:80", "'[]' is not an IPv4 address, or an IPv6 address in brackets"),
            ("[fe80::1%lo]:80", "'fe80::1%lo' is not an IPv4 address, or an IPv6 address in brackets"),
            ("localhost:80", "'localhost' is not an IPv4 address, or an IPv6 address in brackets"),
            ("127.0.0.1\u{0}x:80", "'127.0.0.1x' is not an IPv4 address, or an IPv6 address in brackets"),
            ("\u{1B}[2J:80", "'[2J' is not an IPv4 address, or an IPv6 address in brackets"),
            ("1.2.3.4:\n\u{85}x", "the port 'x' is not a number from 0 to 65535"),
            (":80", "'' is not an IPv4 address, or an IPv6 address in brackets"),
        ]
    )
    func wrong(text: String, message: String) {
        let error = #expect(throws: TransportAddress.ParseError.self) { try TransportAddress(text: text) }
        #expect(error?.description == message)
    }

    @Test("an address takes 24 bytes in a list")
    func size() {
        #expect(MemoryLayout<TransportAddress>.stride == 24)
    }
}
