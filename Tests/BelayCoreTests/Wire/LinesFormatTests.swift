//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the lines format")
struct LinesFormatTests {
    private static func read(_ text: String, maximumMessageSize: Int? = nil) -> WireStream {
        WireStream(.lines, maximumMessageSize: maximumMessageSize, pieces: [Array(text.utf8)])
    }

    private static let token64 = String(repeating: "~", count: 64)

    // MARK: Reading

    @Test(
        "heartbeats are whole lines of their form",
        arguments: [
            ("ping\n", .ping(nil)), ("ping\r\n", .ping(nil)), ("pong\n", .pong(nil)),
            ("ping 42\n", .ping(Array("42".utf8))), ("pong 42\r\n", .pong(Array("42".utf8))),
            ("ping !~\n", .ping(Array("!~".utf8))), ("ping \(token64)\n", .ping(Array(token64.utf8))),
            ("ping \(token64)~\n", .text("ping \(token64)~")), ("ping \n", .text("ping ")),
            ("ping  1\n", .text("ping  1")),
            ("ping 1 2\n", .text("ping 1 2")), ("ping 1 \n", .text("ping 1 ")), (" ping\n", .text(" ping")),
            ("PING\n", .text("PING")), ("pingping\n", .text("pingping")), ("ping\t1\n", .text("ping\t1")),
            ("ping é\n", .text("ping é")), ("ping \u{7F}\n", .text("ping \u{7F}")), ("pin\n", .text("pin")),
            ("ping\r\r\n", .text("ping\r")), ("\rping\n", .text("\rping")), ("pong=1\n", .text("pong=1")),
        ] as [(String, WireReading)]
    )
    func heartbeats(text: String, expected: WireReading) {
        let stream = Self.read(text)
        #expect(stream.readings == [expected])
        #expect(stream.error == nil && stream.pending.isEmpty)
    }

    @Test(
        "a hello names its peer, and may ask for an interval and a bound in any order",
        arguments: [
            ("hello a", Hello(identity: "a")), ("hello device-42", Hello(identity: "device-42")),
            ("hello é€😀", Hello(identity: "é€😀")), ("hello a=b", Hello(identity: "a=b")),
            ("hello a token=x", Hello(identity: "a", token: "x")),
            ("hello a token=x=y==", Hello(identity: "a", token: "x=y==")),
            (
                "hello a token=T every=15s within=30s",
                Hello(identity: "a", token: "T", every: .seconds(15), within: .seconds(30))
            ),
            (
                "hello a within=1h30m every=500ms",
                Hello(identity: "a", every: .milliseconds(500), within: .seconds(5_400))
            ), ("hello a color=red =", nil), ("hello a color=red size=", Hello(identity: "a")),
            ("hello a every=1s every=2s", Hello(identity: "a", every: .seconds(2))),
            ("hello a every=x every=2s", Hello(identity: "a", every: .seconds(2))),
            ("hello a every=0s", Hello(identity: "a", every: .zero)), ("hello", nil), ("hello ", nil),
            ("hello  a", nil),
            ("hello a ", nil), ("hello a  every=1s", nil), ("hello a b", nil), ("hello a =b", nil),
            ("hello a every=1s x", nil), ("hello a every=x b", nil), ("Hello a", nil), ("helloa", nil),
            ("hello\ta", nil), ("hello a\u{1}", nil), ("hello a\u{85}", nil), ("hello a\u{A0}b", nil),
            ("hello a\u{2028}", nil), ("hello a\u{202E}b", nil), ("hello \u{200B}", nil), ("hello a x=\u{7F}", nil),
            ("hello a \u{301}=b", Hello(identity: "a")), ("hello a every\u{301}=b", Hello(identity: "a")),
        ] as [(String, Hello?)]
    )
    func hello(line: String, expected: Hello?) {
        let stream = Self.read(line + "\n")
        #expect(stream.readings == [expected.map { .hello($0) } ?? .text(line)])
        #expect(stream.error == nil)
    }

    @Test("an identity has at most 128 bytes")
    func identityLimit() {
        let longest = String(repeating: "é", count: 64)
        #expect(Self.read("hello \(longest)\n").readings == [.hello(Hello(identity: longest))])
        #expect(Self.read("hello \(longest)e\n").readings == [.text("hello \(longest)e")])
    }

    @Test(
        "a welcome has all of its keys, else it is a message",
        arguments: [
            (
                "welcome c-1 epoch=7 every=15s within=30s",
                Welcome(connection: "c-1", epoch: 7, every: .seconds(15), within: .seconds(30))
            ),
            (
                "welcome c within=30s x=y every=15s epoch=18446744073709551615",
                Welcome(connection: "c", epoch: .max, every: .seconds(15), within: .seconds(30))
            ), ("welcome", nil), ("welcome home", nil), ("welcome to the jungle", nil),
            ("welcome c epoch=7 every=15s", nil), ("welcome c every=15s within=30s", nil),
            ("welcome c epoch=7 within=30s", nil), ("welcome epoch=7 every=15s within=30s", nil),
            ("welcome c epoch=x every=y", nil),
        ] as [(String, Welcome?)]
    )
    func welcome(line: String, expected: Welcome?) {
        let stream = Self.read(line + "\n")
        #expect(stream.readings == [expected.map { .welcome($0) } ?? .text(line)])
        #expect(stream.error == nil)
    }

    @Test(
        "a bye may carry one code",
        arguments: [
            ("bye", Goodbye()), ("bye local.shutdown", Goodbye(code: "local.shutdown")),
            ("bye 4-2.", Goodbye(code: "4-2.")),
            ("bye \(String(repeating: "z", count: 64))", Goodbye(code: String(repeating: "z", count: 64))),
            ("bye \(String(repeating: "z", count: 65))", nil), ("bye ", nil), ("bye a b", nil), ("bye A", nil),
            ("bye a_b", nil), ("bye é", nil), ("byea", nil), ("bye  a", nil), ("Bye", nil), ("bye a ", nil),
            ("bye!", nil),
        ] as [(String, Goodbye?)]
    )
    func goodbye(line: String, expected: Goodbye?) {
        let stream = Self.read(line + "\n")
        #expect(stream.readings == [expected.map { .goodbye($0) } ?? .text(line)])
        #expect(stream.error == nil)
    }

    @Test(
        "a wrong value in a control line is a violation that names key, value and form",
        arguments: [
            ("hello a every=abc", "hello: every=abc is not a duration such as 15s or 1h30m"),
            ("hello a within=", "hello: within= is not a duration such as 15s or 1h30m"),
            ("hello a every=-1s", "hello: every=-1s is not a duration such as 15s or 1h30m"),
            ("hello a every=1000001h", "hello: every=1000001h is not a duration such as 15s or 1h30m"),
            (
                "hello a every=\(String(repeating: "9", count: 40))",
                "hello: every=\(String(repeating: "9", count: 32)) is not a duration such as 15s or 1h30m"
            ), ("hello a token=", "hello: token is empty"),
            ("welcome c epoch=7 every=1s within=soon", "welcome: within=soon is not a duration such as 15s or 1h30m"),
            (
                "welcome c epoch=-7 every=1s within=2s",
                "welcome: epoch=-7 is not an integer from 0 to 18446744073709551615"
            ),
            (
                "welcome c epoch=18446744073709551616 every=1s within=2s",
                "welcome: epoch=18446744073709551616 is not an integer from 0 to 18446744073709551615"
            ),
            (
                "welcome c epoch= every=1s within=2s",
                "welcome: epoch= is not an integer from 0 to 18446744073709551615"
            ),
            (
                "welcome c epoch=+7 every=1s within=2s",
                "welcome: epoch=+7 is not an integer from 0 to 18446744073709551615"
            ),
        ]
    )
    func wrongValues(line: String, expected: String) {
        let stream = Self.read("ping\n\(line)\nping\n")
        #expect(stream.readings == [.ping(nil)])
        #expect(stream.error == .violation(expected))
    }

    @Test(
        "every other line is a message, less one leading backslash",
        arguments: [
            ("\n", [.text("")]), ("\r\n", [.text("")]), ("\r\r\n", [.text("\r")]), ("a\n", [.text("a")]),
            ("a\r\nb\n", [.text("a"), .text("b")]), ("a\rb\n", [.text("a\rb")]), ("é€😀\n", [.text("é€😀")]),
            ("\\ping\n", [.text("ping")]), ("\\\\x\n", [.text("\\x")]), ("\\\n", [.text("")]), ("\\\r\n", [.text("")]),
            ("\\hello a\n", [.text("hello a")]), ("\\hello a every=x\n", [.text("hello a every=x")]),
            ("a\\ping\n", [.text("a\\ping")]), ("\n\n\n", [.text(""), .text(""), .text("")]),
        ] as [(String, [WireReading])]
    )
    func messages(text: String, expected: [WireReading]) {
        let stream = Self.read(text)
        #expect(stream.readings == expected)
        #expect(stream.error == nil)
    }

    @Test(
        "a line is UTF-8 without NUL",
        arguments: [
            ([0x61, 0xFF, 0x0A], "line is not UTF-8"), ([0xC3, 0x0A], "line is not UTF-8"),
            ([0xED, 0xA0, 0x80, 0x0A], "line is not UTF-8"), ([0x5C, 0x80, 0x0A], "line is not UTF-8"),
            (Array("ping ".utf8) + [0xC0, 0x0A], "line is not UTF-8"), ([0x00, 0x0A], "line contains NUL"),
            ([0x61, 0x00, 0x62, 0x0A], "line contains NUL"), (Array("ping \u{0}\n".utf8), "line contains NUL"),
        ] as [([UInt8], String)]
    )
    func notText(bytes: [UInt8], expected: String) {
        let stream = WireStream(.lines, pieces: [bytes])
        #expect(stream.readings == [])
        #expect(stream.error == .violation(expected))
    }

    @Test("an unfinished line is no message; the end of the stream tells how much of it had come")
    func remainder() {
        var stream = Self.read("ping\nhel")
        #expect(stream.readings == [.ping(nil)])
        #expect(stream.remainder == .unfinished(byteCount: 3))
        stream.receive(Array("lo\n".utf8))
        #expect(stream.readings == [.ping(nil), .text("hello")])
        #expect(stream.remainder == .nothing)
    }

    @Test("ranges are offsets into the bytes that were parsed")
    func ranges() throws {
        let bytes = Array("junkping 12\r\n\\ab\npi".utf8)
        var parser = WireFormat.lines.makeParser()
        var offset = 4
        #expect(try parser.next(in: bytes.span.bytes, at: &offset) == .ping(token: 9..<11))
        #expect(offset == 13)
        #expect(try parser.next(in: bytes.span.bytes, at: &offset) == .message(14..<16))
        #expect(offset == 17)
        #expect(try parser.next(in: bytes.span.bytes, at: &offset) == nil)
        #expect(offset == 17)
        // A CR before the offset is none of the line.
        let end = Array("\r\n".utf8)
        parser = WireFormat.lines.makeParser()
        offset = 1
        #expect(try parser.next(in: end.span.bytes, at: &offset) == .message(1..<1))
    }

    // MARK: Limits

    @Test("a line of exactly the limit is read, whatever ends it", arguments: ["\n", "\r\n"], [1, 4, 65_536])
    func exactlyTheLimit(end: String, limit: Int) {
        let line = String(repeating: "x", count: limit)
        #expect(Self.read(line + end, maximumMessageSize: limit).readings == [.text(line)])
        #expect(
            Self.read(line + end + "\n\n", maximumMessageSize: limit).readings == [.text(line), .text(""), .text("")]
        )
        // Byte by byte, the CR may be the last thing known.
        let pieces = Array((line + end).utf8).map { [$0] }
        #expect(WireStream(.lines, maximumMessageSize: limit, pieces: pieces).readings == [.text(line)])
    }

    @Test("a line of one byte more is too large before its end has come")
    func limit() {
        let tooLarge = WireError.messageTooLarge(size: 5, limit: 4)
        #expect(Self.read("12345", maximumMessageSize: 4).error == tooLarge)
        #expect(Self.read("12345\n", maximumMessageSize: 4).error == tooLarge)
        #expect(Self.read("1234567890\n", maximumMessageSize: 4).error == tooLarge)
        #expect(Self.read("1234\r", maximumMessageSize: 4).error == nil)
        #expect(Self.read("1234\rx", maximumMessageSize: 4).error == tooLarge)
        #expect(Self.read("1234\r\r", maximumMessageSize: 4).error == tooLarge)
        #expect(Self.read("1234\r\r\n", maximumMessageSize: 4).error == tooLarge)
        #expect(Self.read("12345\r\n", maximumMessageSize: 4).error == tooLarge)
        #expect(Self.read("ping 1\n", maximumMessageSize: 4).error == tooLarge)
        #expect(Self.read("\\1234\n", maximumMessageSize: 4).error == tooLarge)
        #expect(Self.read(String(repeating: "x", count: 65_537)).error == .messageTooLarge(size: 65_537, limit: 65_536))
        #expect(Self.read("a\n", maximumMessageSize: .max).readings == [.text("a")])
    }

    @Test("what has been searched for a line end is not searched again")
    func searchedOnce() throws {
        // Every byte becomes an LF once it has been looked at; a parser that looked twice would find a line.
        var bytes: [UInt8] = []
        var parser = WireFormat.lines.makeParser()
        for _ in 0..<65_536 {
            bytes.append(UInt8(ascii: "x"))
            var offset = 0
            #expect(try parser.next(in: bytes.span.bytes, at: &offset) == nil)
            bytes[bytes.count - 1] = UInt8(ascii: "\n")
        }
        bytes = Array(repeating: UInt8(ascii: "x"), count: 65_536) + [UInt8(ascii: "\n")]
        var offset = 0
        #expect(try parser.next(in: bytes.span.bytes, at: &offset) == .message(0..<65_536))
        // The next line is searched from its own beginning.
        bytes = Array("\n".utf8)
        offset = 0
        #expect(try parser.next(in: bytes.span.bytes, at: &offset) == .message(0..<0))
    }

    @Test("an error is thrown again when asked again, and fewer bytes than before do not trap")
    func misuse() {
        for text in ["12345", "12345\n", "\u{0}\n"] {
            var parser = WireFormat.lines.makeParser(maximumMessageSize: 4)
            for _ in 0..<2 {
                var offset = 0
                #expect(throws: WireError.self) { try parser.next(in: Array(text.utf8).span.bytes, at: &offset) }
                #expect(offset == 0)
            }
        }
        var parser = WireFormat.lines.makeParser(maximumMessageSize: 4)
        for text in ["123", "1", ""] {
            var offset = 0
            #expect(throws: Never.self) { try parser.next(in: Array(text.utf8).span.bytes, at: &offset) }
        }
    }

    // MARK: Writing

    private static func written(_ write: (inout [UInt8]) throws -> Void) rethrows -> String {
        var sink: [UInt8] = []
        try write(&sink)
        return String(decoding: sink, as: UTF8.self)
    }

    @Test("heartbeats are written in decimal and echo tokens as they are")
    func writesHeartbeats() {
        #expect(Self.written { WireFormat.lines.writePing(0, into: &$0) } == "ping 0\n")
        #expect(Self.written { WireFormat.lines.writePing(1_907, into: &$0) } == "ping 1907\n")
        #expect(Self.written { WireFormat.lines.writePing(.max, into: &$0) } == "ping 18446744073709551615\n")
        #expect(
            Self.written { WireFormat.lines.writePong(echoing: Array("a~".utf8).span.bytes, into: &$0) } == "pong a~\n"
        )
        #expect(Self.written { WireFormat.lines.writePong(echoing: [UInt8]().span.bytes, into: &$0) } == "pong\n")
    }

    @Test(
        "the number of a ping is read from its token, if it is one of ours",
        arguments: [
            ("0", 0), ("7", 7), ("18446744073709551615", .max), ("18446744073709551616", nil),
            ("99999999999999999999", nil),
            ("184467440737095516150", nil), ("00", nil), ("01", nil), ("", nil), ("+1", nil), ("-1", nil), ("1a", nil),
            ("a", nil), ("1.", nil),
        ] as [(String, UInt64?)]
    )
    func pingNumber(token: String, expected: UInt64?) {
        #expect(WireFormat.lines.pingNumber(of: Array(token.utf8).span.bytes) == expected)
    }

    @Test("control lines have the form that is read")
    func writesControlLines() {
        let hello = Hello(identity: "device-42", token: "T", every: .seconds(15), within: .seconds(30))
        #expect(
            Self.written { WireFormat.lines.writeHello(hello, into: &$0) }
                == "hello device-42 token=T every=15s within=30s\n"
        )
        #expect(Self.written { WireFormat.lines.writeHello(Hello(identity: "a"), into: &$0) } == "hello a\n")
        let welcome = Welcome(connection: "c-1", epoch: .max, every: .milliseconds(1_500), within: .seconds(5_400))
        #expect(
            Self.written { WireFormat.lines.writeWelcome(welcome, into: &$0) }
                == "welcome c-1 epoch=18446744073709551615 every=1.5s within=1h30m\n"
        )
        #expect(Self.written { WireFormat.lines.writeGoodbye(Goodbye(), into: &$0) } == "bye\n")
        let goodbye = Goodbye(code: "local.shutdown", retryAfter: .seconds(5))
        #expect(Self.written { WireFormat.lines.writeGoodbye(goodbye, into: &$0) } == "bye local.shutdown\n")
        #expect(Self.written { WireFormat.lines.writeError(ErrorReport(code: "a", message: "b"), into: &$0) } == "")
    }

    @Test(
        "a message is escaped when it begins with a backslash or would be read as a control line, and only then",
        arguments: [
            ("", "\n"), ("a", "a\n"), ("ping", "\\ping\n"), ("pong 1", "\\pong 1\n"), ("ping 1 2", "ping 1 2\n"),
            ("pingo", "pingo\n"), ("\\", "\\\\\n"), ("\\x", "\\\\x\n"), ("hello a", "\\hello a\n"),
            ("hello", "hello\n"),
            ("hello a b", "hello a b\n"), ("hello a every=x", "\\hello a every=x\n"),
            ("welcome home", "welcome home\n"),
            ("welcome c epoch=1 every=1s within=2s", "\\welcome c epoch=1 every=1s within=2s\n"), ("bye", "\\bye\n"),
            ("bye now", "\\bye now\n"), ("bye!", "bye!\n"), ("a\rb", "a\rb\n"), ("\rping", "\rping\n"),
        ]
    )
    func writesMessages(message: String, expected: String) throws {
        #expect(
            try Self.written { try WireFormat.lines.writeMessage(Array(message.utf8).span.bytes, into: &$0) }
                == expected
        )
        #expect(Self.read(expected).readings == [.text(message)])
    }

    @Test(
        "a message that no line can carry is refused, and nothing is written",
        arguments: [
            (Array("a\nb".utf8), .violation("message contains LF")),
            (Array("\n".utf8), .violation("message contains LF")),
            (Array("a\r".utf8), .violation("message ends with CR")),
            (Array("\r".utf8), .violation("message ends with CR")),
            ([0x61, 0x00], .violation("message contains NUL")), ([0xFF], .violation("message is not UTF-8")),
            ([0x70, 0xC3], .violation("message is not UTF-8")),
            (Array("123456789".utf8), .messageTooLarge(size: 9, limit: 8)),
            (Array("\\2345678".utf8), .messageTooLarge(size: 9, limit: 8)),
            (Array("ping 678".utf8), .messageTooLarge(size: 9, limit: 8)),
        ] as [([UInt8], WireError)]
    )
    func refusesMessages(message: [UInt8], expected: WireError) {
        var sink: [UInt8] = []
        #expect(throws: expected) {
            try WireFormat.lines.writeMessage(message.span.bytes, maximumMessageSize: 8, into: &sink)
        }
        #expect(sink == [])
    }

    @Test("messages up to the limit are written, an escaped one with its backslash")
    func writesTheLimit() throws {
        var sink: [UInt8] = []
        try WireFormat.lines.writeMessage(Array("12345678".utf8).span.bytes, maximumMessageSize: 8, into: &sink)
        try WireFormat.lines.writeMessage(Array("ping 67".utf8).span.bytes, maximumMessageSize: 8, into: &sink)
        let stream = WireStream(.lines, maximumMessageSize: 8, pieces: [sink])
        #expect(stream.readings == [.text("12345678"), .text("ping 67")])
    }
}
