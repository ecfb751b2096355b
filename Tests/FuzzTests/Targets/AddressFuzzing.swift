//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket

/// Reads the URL of an endpoint and an address with port, and writes what they were.
enum AddressFuzzing {
    static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        let text = String(decoding: bytes, as: UTF8.self)
        let obvious = Self.endpoint(Array(text.utf8))
        switch Result(catching: { () throws(Endpoint.ParseError) in try Endpoint(url: text) }) {
        case .success(let endpoint):
            try Self.check(endpoint, is: obvious, text)
        case .failure(let error):
            try mustHold(obvious == nil, "'\(text)' is refused: \(error)")
            try mustBeHarmless(error.description)
        }
        switch Result(catching: { () throws(TransportAddress.ParseError) in try TransportAddress(text: text) }) {
        case .success(let address): try Self.check(address)
        case .failure(let error): try mustBeHarmless(error.description)
        }
        if bytes.count >= 18, let address = TransportAddress(bytes: bytes[2..<18], port: UInt16(bytes[0])) {
            try Self.check(address)
        }
    }

    private static func check(_ endpoint: Endpoint, is obvious: Endpoint?, _ text: String) throws(FuzzFinding) {
        try mustHold(endpoint == obvious, "'\(text)' is \(endpoint), not \(String(describing: obvious))")
        let again = try? Endpoint(url: endpoint.description)
        try mustHold(again == endpoint, "\(endpoint) is \(String(describing: again)) when it comes back")
    }

    private static func check(_ address: TransportAddress) throws(FuzzFinding) {
        let again = try? TransportAddress(text: address.description)
        try mustHold(again == address, "\(address) is \(String(describing: again)) when it comes back")
        let copy = TransportAddress(bytes: address.bytes, port: address.port)
        try mustHold(copy == address, "\(address) is \(String(describing: copy)) by its bytes")
    }

    /// `SCHEME://HOST:PORT`, read from both ends.
    private static func endpoint(_ bytes: [UInt8]) -> Endpoint? {
        for format in WireFormat.allCases where bytes.starts(with: "\(format.rawValue)://".utf8) {
            let parts = ObviousText.split(Array(bytes.dropFirst(format.rawValue.utf8.count + 3)), at: UInt8(ascii: ":"))
            guard parts.count >= 2, let port = ObviousText.number(parts[parts.count - 1]), port <= 65_535 else {
                return nil
            }
            var host = Array(parts.dropLast().joined(separator: [UInt8(ascii: ":")]))
            if host.first == UInt8(ascii: "["), host.last == UInt8(ascii: "]"), host.count >= 2 {
                host = Array(host.dropFirst().dropLast())
            } else if host.contains(UInt8(ascii: ":")) {
                return nil
            }
            guard ObviousText.isWord(host), !host.contains(where: { Array("/?#@[]".utf8).contains($0) }) else {
                return nil
            }
            return Endpoint(format, host: String(decoding: host, as: UTF8.self), port: Int(port))
        }
        return nil
    }
}
