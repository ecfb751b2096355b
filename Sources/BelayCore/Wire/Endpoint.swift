//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Where a listener listens or a client connects, and which protocol is spoken there.
public struct Endpoint: Hashable, Sendable {
    /// The protocol.
    public var format: WireFormat
    /// A name or address; an IPv6 address without brackets.
    public var host: String
    /// The port, 0 to 65,535; 0 lets the system choose where a listener listens.
    public var port: Int

    /// A place where `format` is spoken.
    public init(_ format: WireFormat, host: String, port: Int) {
        self.format = format
        self.host = host
        self.port = port
    }

    /// Text lines (DESIGN section 6).
    public static func lines(host: String, port: Int) -> Endpoint { Endpoint(.lines, host: host, port: port) }

    /// Bare `ping` and `pong` without delimiters.
    public static func raw(host: String, port: Int) -> Endpoint { Endpoint(.raw, host: host, port: port) }

    /// Binary frames with a length in front.
    public static func frames(host: String, port: Int) -> Endpoint { Endpoint(.frames, host: host, port: port) }
}

extension Endpoint: CustomStringConvertible {
    /// The endpoint as URL, such as `lines://[::1]:7400`.
    public var description: String {
        let host = self.host.utf8.contains(UInt8(ascii: ":")) ? "[\(self.host)]" : self.host
        return "\(self.format.rawValue)://\(host):\(self.port)"
    }
}

extension Endpoint {
    /// Why a text is not the URL of an endpoint, in one line.
    public struct ParseError: Error, Hashable, Sendable, CustomStringConvertible {
        /// What is wrong and what is allowed.
        public let description: String

        fileprivate init(_ description: String) {
            self.description = description
        }
    }

    /// Reads `SCHEME://HOST:PORT`, with an IPv6 address in brackets.
    ///
    /// - Throws: ``ParseError`` that names the part that is wrong.
    public init(url: String) throws(ParseError) {
        let schemes = WireFormat.allCases.map { "\($0.rawValue)://" }.joined(separator: ", ")
        // Scalars, not characters: a mark that combines with a delimiter must not hide it.
        let scalars = url.unicodeScalars
        guard let separator = scalars.firstRange(of: "://".unicodeScalars) else {
            throw ParseError("'\(Self.shown(url))' is not SCHEME://HOST:PORT with one of \(schemes)")
        }
        let scheme = String(url[..<separator.lowerBound])
        guard let format = WireFormat(rawValue: scheme) else {
            throw ParseError("the scheme '\(Self.shown(scheme))' is not one of \(schemes)")
        }
        let authority = scalars[separator.upperBound...]
        guard let colon = authority.lastIndex(of: ":") else {
            throw ParseError("'\(Self.shown(url))' has no port: write SCHEME://HOST:PORT")
        }
        let portText = String(authority[authority.index(after: colon)...])
        guard portText.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let port = Int(portText), port <= 65_535
        else {
            throw ParseError("the port '\(Self.shown(portText))' is not a number from 0 to 65535")
        }
        var host = authority[..<colon]
        if host.first == "[", host.last == "]" {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw ParseError("the IPv6 address '\(Self.shown(host))' must stand in brackets")
        }
        guard Substring(host).isVisibleWord, !host.contains(where: { "/?#@[]".unicodeScalars.contains($0) }) else {
            throw ParseError("'\(Self.shown(host))' is not a host: write SCHEME://HOST:PORT")
        }
        self.init(format, host: String(host), port: port)
    }

    /// What an error may quote: one line, and nothing that a terminal obeys.
    private static func shown(_ text: some StringProtocol) -> String { text.visible(atMost: 80) }

    private static func shown(_ text: Substring.UnicodeScalarView) -> String { Self.shown(Substring(text)) }
}
