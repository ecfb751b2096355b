//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// What a server's event says of a connection, as far as a swarm needs it.
struct ServerEvent: Equatable {
    enum Kind: Equatable {
        case opened
        case closed(reason: String)
    }

    /// An event has some 1,500 bytes; what is longer than this is none.
    static let maximumSize = 65_536

    var kind: Kind
    /// The server's name for the connection.
    var connection: String
    /// Our end of it.
    var remote: String
    /// Where the server listened, `PROTOCOL://HOST:PORT`; nil where that is not said.
    var listener: String?
    /// When it happened and when the connection was opened, in milliseconds since 1970.
    var time: Int64
    var openedAt: Int64
    /// The bound in force.
    var boundMilliseconds: Double?

    /// Reads a line of an events file.
    ///
    /// - Returns: nil for an event of another kind, or one that is not understood.
    init?(line: RawSpan) {
        guard let value = try? JSONReader(maximumSize: Self.maximumSize).read(line), case .object(let envelope) = value,
            case .string(let type)? = envelope["type"], case .string(let time)? = envelope["time"],
            case .object(let data)? = envelope["data"], case .string(let connection)? = data["connection"],
            case .string(let remote)? = data["remote"], case .string(let openedAt)? = data["openedAt"],
            let time = WallClock(text: time), let openedAt = WallClock(text: openedAt)
        else { return nil }
        switch type {
        case "dev.belay.connection.opened":
            self.kind = .opened
        case "dev.belay.connection.closed":
            // Reasons are printed, and the file may be anybody's.
            guard case .string(let reason)? = data["reason"], Goodbye.isCode(reason) else { return nil }
            self.kind = .closed(reason: reason)
        default:
            return nil
        }
        self.connection = connection
        self.remote = remote
        if case .string(let listener)? = data["listener"] { self.listener = listener }
        self.time = time.millisecondsSince1970
        self.openedAt = openedAt.millisecondsSince1970
        if case .number(let bound)? = data["boundMs"] { self.boundMilliseconds = bound }
    }
}

extension WallClock {
    /// Reads what ``text`` writes, for years from 1970 to 9999.
    ///
    /// Dates are turned into days by Howard Hinnant's `days_from_civil` (howardhinnant.github.io/date_algorithms.html).
    init?(text: String) {
        guard let match = text.wholeMatch(of: /(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z/),
            let year = Int64(match.output.1), let month = Int64(match.output.2), let day = Int64(match.output.3),
            let hour = Int64(match.output.4), let minute = Int64(match.output.5), let second = Int64(match.output.6),
            let millisecond = Int64(match.output.7), year >= 1_970, 1...12 ~= month, 1...31 ~= day
        else { return nil }
        let marchYear = month <= 2 ? year - 1 : year
        let era = marchYear / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
        self.init(millisecondsSince1970: seconds * 1_000 + millisecond)
    }
}
