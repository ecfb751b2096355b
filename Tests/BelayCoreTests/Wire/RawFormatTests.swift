//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the raw format")
struct RawFormatTests {
    @Test(
        "tokens are heartbeats in any split and join, everything else is messages as they came",
        arguments: [
            (["ping"], [.ping(nil)]), (["pong"], [.pong(nil)]), (["pi", "ng"], [.ping(nil)]),
            (["p", "o", "n", "g"], [.pong(nil)]), (["pi", "ngpo", "ng"], [.ping(nil), .pong(nil)]),
            (["pingpongping"], [.ping(nil), .pong(nil), .ping(nil)]), (["pizza"], [.text("pizza")]),
            (["pi", "zza"], [.text("pizza")]), (["p", "p"], [.text("pp")]), (["pon", "i"], [.text("poni")]),
            (["ping", "hello"], [.ping(nil), .text("hello")]), (["pinghello"], [.ping(nil), .text("hello")]),
            (["hello ping"], [.text("hello ping")]), (["helloping"], [.text("helloping")]),
            (["hello", "ping"], [.text("hello"), .ping(nil)]), (["pingpi", "x"], [.ping(nil), .text("pix")]),
            (["pingpi", "ng"], [.ping(nil), .ping(nil)]), (["pingp"], [.ping(nil)]), (["PING"], [.text("PING")]),
            (["pang"], [.text("pang")]), (["ping\n"], [.ping(nil), .text("\n")]), (["x"], [.text("x")]),
            (["pa"], [.text("pa")]), (["pia"], [.text("pia")]), ([""], []), (["", "ping", ""], [.ping(nil)]),
            (["a", "b"], [.text("a"), .text("b")]), (["\u{0}"], [.text("\u{0}")]),
        ] as [([String], [WireReading])]
    )
    func reads(pieces: [String], expected: [WireReading]) {
        let stream = WireStream(.raw, pieces: pieces.map { Array($0.utf8) })
        #expect(stream.readings == expected)
        #expect(stream.error == nil)
    }

    @Test(
        "the beginning of a token waits, and is a message when the stream ends",
        arguments: ["p", "pi", "pin", "po", "pon"]
    )
    func remainder(beginning: String) {
        let stream = WireStream(.raw, pieces: [Array(beginning.utf8)])
        #expect(stream.readings == [])
        #expect(stream.pending == Array(beginning.utf8))
        #expect(stream.remainder == .message(0..<beginning.utf8.count))
    }

    @Test("a stream that ends behind an element leaves nothing")
    func noRemainder() {
        #expect(WireStream(.raw, pieces: [Array("pingx".utf8)]).remainder == .nothing)
        #expect(WireStream(.raw).remainder == .nothing)
    }

    @Test("ranges are offsets into the bytes that were parsed")
    func ranges() throws {
        let bytes = Array("junkpinghello".utf8)
        var parser = WireFormat.raw.makeParser()
        var offset = 4
        #expect(try parser.next(in: bytes.span.bytes, at: &offset) == .ping(token: nil))
        #expect(offset == 8)
        #expect(try parser.next(in: bytes.span.bytes, at: &offset) == .message(8..<13))
        #expect(offset == 13)
        #expect(try parser.next(in: bytes.span.bytes, at: &offset) == nil)
        #expect(offset == 13)
    }

    @Test("heartbeats are bare tokens, messages any bytes of any size, and there is nothing else")
    func writes() throws {
        let message: [UInt8] = [0, 10, 255]
        var sink: [UInt8] = []
        WireFormat.raw.writePing(7, into: &sink)
        WireFormat.raw.writePong(echoing: Array("x".utf8).span.bytes, into: &sink)
        try WireFormat.raw.writeMessage(message.span.bytes, maximumMessageSize: 1, into: &sink)
        WireFormat.raw.writeHello(Hello(identity: "a"), into: &sink)
        WireFormat.raw.writeWelcome(
            Welcome(connection: "c", epoch: 1, every: .seconds(1), within: .seconds(2)),
            into: &sink
        )
        WireFormat.raw.writeGoodbye(Goodbye(code: "local.shutdown"), into: &sink)
        WireFormat.raw.writeError(ErrorReport(code: "a", message: "b"), into: &sink)
        #expect(sink == Array("pingpong".utf8) + message)
    }

    @Test("a pong names no ping")
    func pingNumber() {
        #expect(WireFormat.raw.pingNumber(of: Array("1".utf8).span.bytes) == nil)
    }
}
