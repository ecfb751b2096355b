//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// What was read, with the bytes themselves in place of their ranges.
enum FuzzReading: Equatable {
    case ping([UInt8]?)
    case pong([UInt8]?)
    case message([UInt8])
    case hello(Hello)
    case welcome(Welcome)
    case goodbye(Goodbye)
    case error(ErrorReport)

    init(_ element: WireElement, of bytes: [UInt8]) {
        self =
            switch element {
            case .ping(let token): .ping(token.map { Array(bytes[$0]) })
            case .pong(let token): .pong(token.map { Array(bytes[$0]) })
            case .message(let range): .message(Array(bytes[range]))
            case .hello(let hello): .hello(hello)
            case .welcome(let welcome): .welcome(welcome)
            case .goodbye(let goodbye): .goodbye(goodbye)
            case .error(let report): .error(report)
            }
    }
}

/// Hands a stream to the parser of a format whole, byte by byte and in pieces, and to a slow one.
///
/// The first byte of the input says how long a message may be.
enum WireFuzzing {
    static func run(_ format: WireFormat, _ input: [UInt8]) throws(FuzzFinding) {
        let limit = [8, 16, 100, 9_000][Int(input.first ?? 0) % 4]
        let bytes = Array(input.dropFirst())
        let whole = try Receiver(format, limit: limit, pieces: [bytes])
        var random = SplitMix64(seed: bytes.reduce(UInt64(limit)) { $0 &* 31 &+ UInt64($1) })
        for pieces in [bytes.map { [$0] }, Self.split(bytes, using: &random), Self.split(bytes, using: &random)] {
            let split = try Receiver(format, limit: limit, pieces: pieces)
            if format == .raw {
                let obvious = ObviousWire.raw(pieces)
                try mustHold(split.readings == obvious.readings && split.pending == obvious.unfinished, "\(pieces)")
                continue
            }
            try mustHold(split.readings == whole.readings, "\(pieces) are \(split.readings), not \(whole.readings)")
            try mustHold(split.error == whole.error, "\(pieces): \(String(describing: split.error)), \(whole)")
            try mustHold(whole.error != nil || split.pending == whole.pending, "\(pieces) leave \(split.pending)")
        }
        let obvious =
            switch format {
            case .raw: ObviousWire.raw([bytes])
            case .lines: ObviousWire.lines(bytes, limit: limit)
            case .frames: ObviousWire.frames(bytes, limit: limit)
            }
        try mustHold(whole.readings == obvious.readings, "\(whole.readings), obviously \(obvious.readings)")
        try mustHold(whole.violation == obvious.violation, "\(whole), obviously \(obvious)")
        try mustHold(whole.error != nil || whole.pending == obvious.unfinished, "\(whole), obviously \(obvious)")
        for reading in whole.readings { try Self.sendBack(reading, format) }
    }

    private static func split(_ bytes: [UInt8], using random: inout SplitMix64) -> [[UInt8]] {
        var rest = bytes[...]
        var pieces: [[UInt8]] = []
        while !rest.isEmpty {
            let count = Int.random(in: 1...12, using: &random)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    /// What can be read can be written, and reads the same again.
    private static func sendBack(_ reading: FuzzReading, _ format: WireFormat) throws(FuzzFinding) {
        var sink: [UInt8] = []
        switch reading {
        case .message(let message):
            // One CR before LF belongs to the end of a line, so that a message which ends with CR can be read only.
            guard format != .lines || message.last != 0x0D else { return }
            do { try format.writeMessage(message.span.bytes, into: &sink) } catch {
                throw FuzzFinding(description: "a message of \(message) cannot be sent back: \(error)")
            }
            // Without delimiters, where a message ends is nobody's to know.
            guard format != .raw else { return }
        case .ping, .pong:
            // A ping of ours has a number; what echoes a token is a pong.
            guard case .pong(let token?) = reading else { return }
            _ = format.pingNumber(of: token.span.bytes)
            format.writePong(echoing: token.span.bytes, into: &sink)
        case .hello(let hello): format.writeHello(hello, into: &sink)
        case .welcome(let welcome): format.writeWelcome(welcome, into: &sink)
        case .goodbye(let goodbye): format.writeGoodbye(goodbye, into: &sink)
        case .error(let report):
            try mustBeHarmless(report.message)
            format.writeError(report, into: &sink)
        }
        // Durations are written to the microsecond, and control lines have no `retryAfter`.
        guard case .message = reading else {
            let again = try Receiver(format, limit: 65_536, pieces: [sink])
            try mustHold(again.readings.count == 1 && again.error == nil, "\(reading) comes back as \(again)")
            return
        }
        let again = try Receiver(format, limit: 65_536, pieces: [sink])
        try mustHold(again.readings == [reading], "\(reading) comes back as \(again)")
    }

    /// A receiver as the shell is one: it keeps what is not consumed.
    private struct Receiver {
        var readings: [FuzzReading] = []
        var error: WireError?
        var pending: [UInt8] = []

        init(_ format: WireFormat, limit: Int, pieces: [[UInt8]]) throws(FuzzFinding) {
            var parser = format.makeParser(maximumMessageSize: limit)
            for piece in pieces where self.error == nil {
                self.pending += piece
                var offset = 0
                do throws(WireError) {
                    while let element = try parser.next(in: self.pending.span.bytes, at: &offset) {
                        self.readings.append(FuzzReading(element, of: self.pending))
                    }
                } catch {
                    self.error = error
                }
                self.pending.removeFirst(offset)
                // An unfinished element is kept, and never more than one.
                let most = format == .raw ? 3 : limit + 5
                try mustHold(self.error != nil || self.pending.count <= most, "\(self.pending.count) bytes are kept")
            }
            if case .violation(let text)? = self.error {
                try mustBeHarmless(text)
            }
            guard self.error == nil else { return }
            let expected: WireRemainder
            if self.pending.isEmpty {
                expected = .nothing
            } else if format == .raw {
                expected = .message(self.pending.indices)
            } else {
                expected = .unfinished(byteCount: self.pending.count)
            }
            let remainder = parser.remainder(in: self.pending.span.bytes, at: 0)
            try mustHold(remainder == expected, "\(remainder) remains of \(self.pending)")
        }

        var violation: ObviousWire.Violation? {
            switch self.error {
            case .violation: .broken
            case .messageTooLarge(let size, _): .tooLarge(size: size)
            case nil: nil
            }
        }
    }
}
