//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelaySocket

/// What `belay probe` looks at.
enum ProbeTarget: Equatable {
    /// A service: connects.
    case service(host: String, port: Int)
    /// A descriptor of a process.
    case descriptor(pid: Int32, descriptor: Int32)
    /// A connection of this host by its two addresses.
    case pair(TransportAddress, TransportAddress)

    /// Why a text is no target, in one line.
    struct ParseError: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    private static let usage = "write tcp://HOST:PORT, pid:PID/fd:FD or LOCAL:PORT,REMOTE:PORT"

    /// Reads `tcp://HOST:PORT`, `pid:PID/fd:FD` or `SRC,DST`.
    init(text: String) throws(ParseError) {
        guard text.utf8.count <= 300, text.visible == text, !text.contains(where: \.isWhitespace) else {
            throw ParseError(description: "'\(text.prefix(60).visible)' is no target: \(Self.usage)")
        }
        if text.hasPrefix("tcp://") {
            try self.init(service: text.dropFirst(6))
        } else if let match = text.wholeMatch(of: /pid:([0-9]+)\/fd:([0-9]+)/) {
            guard let pid = Int32(match.output.1), pid > 0, let descriptor = Int32(match.output.2) else {
                throw ParseError(description: "'\(text)' is out of range: PID 1 to \(Int32.max), FD 0 to \(Int32.max)")
            }
            self = .descriptor(pid: pid, descriptor: descriptor)
        } else {
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw ParseError(description: "'\(text)' is no target: \(Self.usage)") }
            let local: TransportAddress
            let remote: TransportAddress
            do throws(TransportAddress.ParseError) {
                local = try TransportAddress(text: String(parts[0]))
                remote = try TransportAddress(text: String(parts[1]))
            } catch {
                throw ParseError(description: error.description)
            }
            guard local.port > 0, remote.port > 0 else {
                throw ParseError(description: "the ports of '\(text)' must be 1 to 65535")
            }
            self = .pair(local, remote)
        }
    }

    private init(service: Substring) throws(ParseError) {
        guard let colon = service.lastIndex(of: ":") else {
            throw ParseError(description: "'tcp://\(service)' has no port: write tcp://HOST:PORT")
        }
        var host = service[..<colon]
        let isBracketed = host.first == "[" && host.last == "]"
        if isBracketed { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, isBracketed || !host.contains(":"), !host.contains("/"), !host.contains(" ") else {
            throw ParseError(description: "'tcp://\(service)' has no host: write tcp://HOST:PORT or tcp://[IPV6]:PORT")
        }
        let digits = service[service.index(after: colon)...]
        guard digits.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = UInt16(digits), port > 0 else {
            throw ParseError(description: "the port of 'tcp://\(service)' must be 1 to 65535")
        }
        self = .service(host: String(host), port: Int(port))
    }
}
