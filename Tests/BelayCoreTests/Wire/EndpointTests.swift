//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("where a listener listens and a client connects")
struct EndpointTests {
    @Test(
        "a URL is read into protocol, host and port",
        arguments: [
            ("lines://127.0.0.1:7400", .lines(host: "127.0.0.1", port: 7_400)),
            ("raw://localhost:0", .raw(host: "localhost", port: 0)),
            ("frames://gateway.example:65535", .frames(host: "gateway.example", port: 65_535)),
            ("lines://[::1]:7400", .lines(host: "::1", port: 7_400)),
            ("lines://[::]:1", .lines(host: "::", port: 1)),
            ("raw://[fe80::1%eth0]:80", .raw(host: "fe80::1%eth0", port: 80)),
            ("raw://[2001:db8::192.0.2.1]:80", .raw(host: "2001:db8::192.0.2.1", port: 80)),
            ("lines://a:007", .lines(host: "a", port: 7)),
        ] as [(String, Endpoint)]
    )
    func reads(url: String, expected: Endpoint) throws {
        #expect(try Endpoint(url: url) == expected)
    }

    @Test(
        "what is no URL of an endpoint is refused",
        arguments: [
            "", "lines", "lines:", "lines:/", "lines://", "://a:1", "lines://a", "lines://a:", "lines://:7400",
            "lines://[]:7400", "lines://a:b", "lines://a:-1", "lines://a:-0", "lines://a:+1", "lines://a:65536",
            "lines://a:99999999999999999999", "lines://a:1 ", " lines://a:1", "lines://a: 1", "lines://a b:1",
            "lines://a:1/", "lines://a/:1", "lines://a:1/path", "lines://a:1?x", "lines://a:0x10", "lines://a:1_000",
            "lines://a:\u{661}", "lines://::1:7400", "lines://::1", "lines://[::1]", "lines://[::1:7400",
            "lines://::1]:7400", "lines://[[::1]]:7400", "LINES://a:1", "lines:///a:1", "lines://a\u{0}b:1",
            "lines://user@a:1", "lines://a?x:1", "lines://a#x:1",
        ]
    )
    func refuses(url: String) {
        #expect(throws: Endpoint.ParseError.self) { try Endpoint(url: url) }
    }

    @Test(
        "an unknown scheme is answered with the ones there are",
        arguments: ["http", "ws", "tcp", "Lines", "lines+tls"]
    )
    func unknownScheme(scheme: String) {
        let error = #expect(throws: Endpoint.ParseError.self) { try Endpoint(url: "\(scheme)://a:1") }
        #expect(error?.description.contains("'\(scheme)'") == true)
        for format in WireFormat.allCases {
            #expect(error?.description.contains("\(format.rawValue)://") == true)
        }
    }

    @Test("each error names the part that is wrong, in one line")
    func errors() {
        let rows = [
            ("a:1", "SCHEME://HOST:PORT"), ("lines://a", "port"), ("lines://a:70000", "65535"),
            ("lines://::1:80", "brackets"), ("lines://:80", "host"), ("lines://[::1]", "port"),
        ]
        for (url, part) in rows {
            let error = #expect(throws: Endpoint.ParseError.self) { try Endpoint(url: url) }
            #expect(error?.description.contains(part) == true, "\(url)")
            #expect(error?.description.contains("\n") == false, "\(url)")
        }
    }

    @Test(
        "an error quotes nothing that a terminal obeys, and not much",
        arguments: ["%", "%://a:1", "lines://a:%", "lines://%", "lines://%:1:2", "lines://[a%]:1"]
    )
    func harmlessErrors(url: String) {
        let url = url.replacing("%", with: "\u{1B}[2J\n\u{85}\u{202E}" + String(repeating: "x", count: 1_000))
        let error = #expect(throws: Endpoint.ParseError.self) { try Endpoint(url: url) }
        let text = error?.description ?? ""
        #expect(text.unicodeScalars.allSatisfy { ![.control, .format].contains($0.properties.generalCategory) })
        #expect(text.count < 200)
    }

    @Test("a mark that combines with a delimiter does not hide it", arguments: ["a/%", "a?%", "a:%b", "a@%b"])
    func combiningMarks(host: String) {
        let host = host.replacing("%", with: "\u{301}")
        #expect(throws: Endpoint.ParseError.self) { try Endpoint(url: "lines://\(host):1") }
    }

    @Test("an endpoint written as URL reads back as itself", arguments: WireFormat.allCases)
    func roundTrip(format: WireFormat) throws {
        for host in ["127.0.0.1", "localhost", "::", "::1", "2001:db8::1", "fe80::1%eth0", "gateway.example"] {
            for port in [0, 1, 7_400, 65_535] {
                let endpoint = Endpoint(format, host: host, port: port)
                #expect(try Endpoint(url: endpoint.description) == endpoint)
            }
        }
        #expect(Endpoint(format, host: "::1", port: 7).description == "\(format.rawValue)://[::1]:7")
        #expect(Endpoint(format, host: "a", port: 7).description == "\(format.rawValue)://a:7")
    }
}
