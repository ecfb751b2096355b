//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// What is to go wrong with a swarm, as the user writes it: `KIND=PERCENT@TIME[+SPREAD]` or `freeze=D@TIME`.
struct SwarmFault: Hashable, Codable, Sendable {
    /// What goes wrong with a connection.
    enum Kind: String, CaseIterable, Codable, Sendable {
        /// It says and answers nothing more; its kernel goes on.
        case silence
        /// FIN.
        case close
        /// RST.
        case reset
        /// The goodbye of the protocol, then FIN.
        case bye
        /// It reads nothing more.
        case stopReading = "stop-reading"
        /// Bytes that break the protocol.
        case babble
        /// FIN, and soon a new connection in its place.
        case flap
        /// The whole process stands still for a while.
        case freeze
    }

    var kind: Kind
    /// Which share of all connections it strikes, above 0 and up to 100; 100 for ``Kind/freeze``.
    var percent: Double
    /// For how long the process stands still; zero for all other kinds.
    var lasts: Duration
    /// When it begins, from the end of the ramp.
    var at: Duration
    /// Over which time it is spread evenly.
    var spread: Duration

    /// Why a text is no fault, in one line.
    struct ParseError: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    private static let usage = "write KIND=PERCENT@TIME[+SPREAD] such as silence=5%@10s+2s, or freeze=3s@10s"
    private static let longest: Duration = .seconds(86_400)

    /// Reads a fault.
    ///
    /// - Throws: ``ParseError`` that names the part that is wrong and its range.
    init(text: String) throws(ParseError) {
        let name = text.prefix { $0 != "=" }
        let kinds = Kind.allCases.map(\.rawValue).joined(separator: ", ")
        guard let separator = text.firstIndex(of: "="), let at = text.lastIndex(of: "@"), separator < at else {
            throw ParseError(description: "'\(text.prefix(60).visible)' is no fault: \(Self.usage)")
        }
        guard let kind = Kind(rawValue: String(name)) else {
            throw ParseError(description: "'\(name.prefix(60).visible)' is no kind of fault: \(kinds)")
        }
        let amount = text[text.index(after: separator)..<at]
        let times = text[text.index(after: at)...].split(separator: "+", omittingEmptySubsequences: false)
        guard times.count <= 2 else { throw ParseError(description: "'\(text.visible)' is no fault: \(Self.usage)") }
        self.kind = kind
        self.at = try Self.time(times[0], of: kind, "TIME")
        self.spread = times.count == 2 ? try Self.time(times[1], of: kind, "SPREAD") : .zero
        if kind == .freeze {
            guard times.count == 1 else {
                throw ParseError(description: "freeze stops everything at once: it has no SPREAD")
            }
            self.percent = 100
            self.lasts = try Self.time(amount, of: kind, "D")
            guard self.lasts >= .milliseconds(1), self.lasts <= .seconds(3_600) else {
                throw ParseError(description: "D of freeze is \(self.lasts.text), allowed are 1ms to 1h")
            }
        } else {
            self.percent = try Self.percent(amount, of: kind)
            self.lasts = .zero
        }
    }

    private static func percent(_ text: Substring, of kind: Kind) throws(ParseError) -> Double {
        let digits = text.last == "%" ? text.dropLast() : text
        guard let percent = Double(digits), percent > 0, percent <= 100 else {
            throw ParseError(
                description: "PERCENT of \(kind.rawValue) is '\(text.prefix(30).visible)', allowed are above 0 to 100"
            )
        }
        return percent
    }

    private static func time(_ text: Substring, of kind: Kind, _ part: String) throws(ParseError) -> Duration {
        guard let time = Duration(text: text), time >= .zero, time <= Self.longest else {
            throw ParseError(
                description: "\(part) of \(kind.rawValue) is '\(text.prefix(30).visible)', allowed are 0s to 24h"
            )
        }
        return time
    }

    /// When the last of it is over, from the end of the ramp.
    var end: Duration { self.at + self.spread + self.lasts }

    /// Whether it can be done where this is spoken: `raw` has no goodbye, and no bytes can break it.
    func isPossible(on format: WireFormat) -> Bool {
        format != .raw || (self.kind != .bye && self.kind != .babble)
    }
}
