//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Writes the `lines` format.
@usableFromInline
enum LinesSerializer {
    // MARK: Heartbeats

    @inlinable
    static func writePing(_ number: UInt64, into sink: inout some ByteSink) {
        sink.append("ping ")
        sink.append(decimal: number)
        sink.append(UInt8(ascii: "\n"))
    }

    @inlinable
    static func writePong(echoing token: RawSpan, into sink: inout some ByteSink) {
        if token.isEmpty {
            sink.append("pong\n")
        } else {
            precondition(ControlLine.isToken(token), "a token is 1 to 64 bytes of printable ASCII without space")
            sink.append("pong ")
            sink.append(token)
            sink.append(UInt8(ascii: "\n"))
        }
    }

    /// The number that ``writePing(_:into:)`` wrote as this token: decimal digits without leading zeros.
    static func pingNumber(of token: RawSpan) -> UInt64? {
        let count = token.byteCount
        // UInt64.max has 20 digits.
        guard 1...20 ~= count, count == 1 || token.byte(at: 0) != UInt8(ascii: "0") else { return nil }
        var number: UInt64 = 0
        for index in 0..<count {
            let byte = token.byte(at: index)
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
            let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isTooLargeToo) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            guard !isTooLarge, !isTooLargeToo else { return nil }
            number = sum
        }
        return number
    }

    // MARK: Control lines

    @usableFromInline
    static func line(of hello: Hello) -> [UInt8] {
        var line = "hello \(hello.identity)"
        if let token = hello.token {
            line += " token=\(token)"
        }
        if let every = hello.every {
            line += " every=\(every.text)"
        }
        if let within = hello.within {
            line += " within=\(within.text)"
        }
        return [UInt8]("\(line)\n".utf8)
    }

    @usableFromInline
    static func line(of welcome: Welcome) -> [UInt8] {
        let settings = "epoch=\(welcome.epoch) every=\(welcome.every.text) within=\(welcome.within.text)"
        return [UInt8]("welcome \(welcome.connection) \(settings)\n".utf8)
    }

    @usableFromInline
    static func line(of goodbye: Goodbye) -> [UInt8] {
        [UInt8]((goodbye.code.map { "bye \($0)\n" } ?? "bye\n").utf8)
    }

    // MARK: Messages

    @inlinable
    static func writeMessage(
        _ message: RawSpan,
        maximumMessageSize: Int,
        into sink: inout some ByteSink
    ) throws(WireError) {
        if try needsEscape(message, maximumMessageSize: maximumMessageSize) {
            sink.append(UInt8(ascii: "\\"))
        }
        sink.append(message)
        sink.append(UInt8(ascii: "\n"))
    }

    /// Whether the message must be written with a `\` before it.
    ///
    /// - Throws: ``WireError`` when it cannot be written at all.
    @usableFromInline
    static func needsEscape(_ message: RawSpan, maximumMessageSize: Int) throws(WireError) -> Bool {
        guard message.byteCount <= maximumMessageSize else {
            throw .messageTooLarge(size: UInt64(message.byteCount), limit: maximumMessageSize)
        }
        guard !message.isEmpty else { return false }
        for index in 0..<message.byteCount where message.byte(at: index) == UInt8(ascii: "\n") {
            throw .violation("message contains LF")
        }
        guard message.byte(at: message.byteCount - 1) != UInt8(ascii: "\r") else {
            throw .violation("message ends with CR")
        }
        if let problem = ControlLine.problem(with: message, called: "message") {
            throw problem
        }
        guard isReadOtherwise(message) else { return false }
        guard message.byteCount < maximumMessageSize else {
            throw .messageTooLarge(size: UInt64(message.byteCount) + 1, limit: maximumMessageSize)
        }
        return true
    }

    /// Whether a line of these bytes would not be read as this message.
    private static func isReadOtherwise(_ message: RawSpan) -> Bool {
        if message.byte(at: 0) == UInt8(ascii: "\\") {
            return true
        }
        if ControlLine.heartbeat(0..<message.byteCount, in: message) != nil {
            return true
        }
        do {
            return try ControlLine.greeting(message) != nil
        } catch {
            // It would be read as a control line with a wrong value in it.
            return true
        }
    }
}
