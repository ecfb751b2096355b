//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The grammar of the control lines of `lines`, used for reading them and for escaping messages that look like one.
@usableFromInline
enum ControlLine {
    /// The heartbeat that the line is, if it is one: `ping`, `pong`, and either with a space and a token.
    static func heartbeat(_ line: Range<Int>, in bytes: RawSpan) -> WireElement? {
        guard line.count >= 4 else { return nil }
        let verb = bytes.bigEndian(at: line.lowerBound, as: UInt32.self)
        guard verb == HeartbeatToken.ping || verb == HeartbeatToken.pong else { return nil }
        var token: Range<Int>?
        if line.count > 4 {
            let range = line.lowerBound + 5..<line.upperBound
            guard
                bytes.byte(at: line.lowerBound + 4) == UInt8(ascii: " "),
                isToken(bytes.extracting(range))
            else { return nil }
            token = range
        }
        return verb == HeartbeatToken.ping ? .ping(token: token) : .pong(token: token)
    }

    /// Whether the bytes can be the token of a heartbeat: 1 to 64 bytes of printable ASCII without space.
    @inlinable
    static func isToken(_ bytes: RawSpan) -> Bool {
        guard 1...64 ~= bytes.byteCount else { return false }
        for index in 0..<bytes.byteCount where !(0x21...0x7E ~= bytes.byte(at: index)) {
            return false
        }
        return true
    }

    /// Why the bytes cannot be a line, if so.
    static func problem(with line: RawSpan, called name: StaticString = "line") -> WireError? {
        for index in 0..<line.byteCount where line.byte(at: index) == 0 {
            return .violation("\(name) contains NUL")
        }
        return line.firstInvalidUTF8 == nil ? nil : .violation("\(name) is not UTF-8")
    }

    /// The hello, welcome or bye that the line, valid UTF-8, is, if it is one.
    ///
    /// - Throws: ``WireError/violation(_:)`` when it has the form of one, but a value in it is wrong.
    static func greeting(_ line: RawSpan) throws(WireError) -> WireElement? {
        if line.hasBytes("hello ", at: 0) {
            guard let words = ControlWords(line) else { return nil }
            return .hello(try words.hello())
        }
        if line.hasBytes("welcome ", at: 0) {
            guard let words = ControlWords(line) else { return nil }
            return try words.welcome().map { .welcome($0) }
        }
        if line.hasBytes("bye", at: 0) {
            return goodbye(line).map { .goodbye($0) }
        }
        return nil
    }

    private static func goodbye(_ line: RawSpan) -> Goodbye? {
        guard line.byteCount > 3 else { return Goodbye() }
        // The longest code has 64 bytes; a longer line is a message, and no string need be made of it.
        guard line.byteCount <= 4 + 64, line.hasBytes("bye ", at: 0) else { return nil }
        let code = line.text(4..<line.byteCount)
        return Goodbye.isCode(code) ? Goodbye(code: code) : nil
    }
}
