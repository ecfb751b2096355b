//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the frames format")
struct FramesFormatTests {
    private static func frame(_ type: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let length = UInt32(payload.count + 1)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: length >> $0) } + [type] + payload
    }

    private static func frame(_ type: UInt8, _ payload: String) -> [UInt8] {
        frame(type, Array(payload.utf8))
    }

    private static let token: [UInt8] = [0, 1, 2, 3, 4, 5, 254, 255]

    // MARK: Reading

    @Test("messages and heartbeats are read with their payloads")
    func reads() {
        let bytes =
            Self.frame(0, "hello") + Self.frame(1, Self.token) + Self.frame(2, Self.token) + Self.frame(0, "")
            + Self.frame(0, [0, 255])
        let stream = WireStream(.frames, pieces: [bytes])
        #expect(
            stream.readings == [
                .text("hello"), .ping(Self.token), .pong(Self.token), .message([]), .message([0, 255]),
            ]
        )
        #expect(stream.error == nil)
        #expect(stream.remainder == .nothing)
    }

    @Test(
        "control frames are JSON objects, whose other keys do not matter",
        arguments: [
            (3, #"{"id":"a"}"#, .hello(Hello(identity: "a"))),
            (
                3, #"{"within":"30s","id":"é","token":"T","every":"15s","x":[1]}"#,
                .hello(Hello(identity: "é", token: "T", every: .seconds(15), within: .seconds(30)))
            ),
            (3, #"{"id":"a","token":null,"every":null,"within":null}"#, .hello(Hello(identity: "a"))),
            (3, #"{"id":"b","id":"a"}"#, .hello(Hello(identity: "a"))),
            (
                4, #"{"connection":"c-1","epoch":7,"every":"15s","within":"1h30m"}"#,
                .welcome(Welcome(connection: "c-1", epoch: 7, every: .seconds(15), within: .seconds(5_400)))
            ),
            (
                4, #"{"connection":"c","epoch":9007199254740991,"every":"0s","within":"1ms"}"#,
                .welcome(
                    Welcome(connection: "c", epoch: 9_007_199_254_740_991, every: .zero, within: .milliseconds(1))
                )
            ),
            (5, "", .goodbye(Goodbye())), (5, "{}", .goodbye(Goodbye())),
            (5, #"{"code":"local.shutdown"}"#, .goodbye(Goodbye(code: "local.shutdown"))),
            (5, #"{"retryAfter":"5s","code":null}"#, .goodbye(Goodbye(retryAfter: .seconds(5)))),
            (6, #"{"code":"a.b","message":"it broke"}"#, .error(ErrorReport(code: "a.b", message: "it broke"))),
            (6, #"{"code":"a","message":"a\u001bb\n\u202ec"}"#, .error(ErrorReport(code: "a", message: "abc"))),
            (6, #"{"code":"a","message":""}"#, .error(ErrorReport(code: "a", message: ""))),
        ] as [(UInt8, String, WireReading)]
    )
    func control(type: UInt8, payload: String, expected: WireReading) {
        let stream = WireStream(.frames, pieces: [Self.frame(type, payload)])
        #expect(stream.readings == [expected])
        #expect(stream.error == nil)
    }

    @Test(
        "a wrong control frame is a violation of one line that names what is wrong",
        arguments: [
            (3, "", "hello: expected a value at byte 0"), (3, "[]", "hello: not a JSON object"),
            (3, "{}", "hello: id is missing"), (3, #"{"id":null}"#, "hello: id is missing"),
            (3, #"{"id":7}"#, "hello: id is not a string"),
            (3, #"{"id":""}"#, "hello: id= is not 1 to 128 visible bytes without spaces"),
            (3, #"{"id":"a b\n"}"#, "hello: id=a b is not 1 to 128 visible bytes without spaces"),
            (3, #"{"id":"a","token":7}"#, "hello: token is not a string"),
            (3, #"{"id":"a","token":"se cret"}"#, "hello: token is empty, or has spaces or invisible characters"),
            (3, #"{"id":"a","every":15}"#, "hello: every is not a string"),
            (3, #"{"id":"a","every":"15"}"#, "hello: every=15 is not a duration such as 15s or 1h30m"),
            (3, #"{"id":"a","within":"\n"}"#, "hello: within= is not a duration such as 15s or 1h30m"),
            (3, #"{"id":"a"}x"#, "hello: unexpected bytes after the value at byte 10"),
            (4, #"{"epoch":7,"every":"1s","within":"1s"}"#, "welcome: connection is missing"),
            (4, #"{"connection":"c","every":"1s","within":"1s"}"#, "welcome: epoch is missing"),
            (4, #"{"connection":"c","epoch":7,"within":"1s"}"#, "welcome: every is missing"),
            (4, #"{"connection":"c","epoch":7,"every":"1s"}"#, "welcome: within is missing"),
            (
                4, #"{"connection":"c","epoch":"7","every":"1s","within":"1s"}"#,
                "welcome: epoch is not an integer from 0 to 9007199254740991"
            ),
            (
                4, #"{"connection":"c","epoch":-1,"every":"1s","within":"1s"}"#,
                "welcome: epoch is not an integer from 0 to 9007199254740991"
            ),
            (
                4, #"{"connection":"c","epoch":1.5,"every":"1s","within":"1s"}"#,
                "welcome: epoch is not an integer from 0 to 9007199254740991"
            ),
            (
                4, #"{"connection":"c","epoch":9007199254740992,"every":"1s","within":"1s"}"#,
                "welcome: epoch is not an integer from 0 to 9007199254740991"
            ),
            (5, " ", "bye: expected a value at byte 1"),
            (5, #"{"code":"A"}"#, "bye: code=A is not 1 to 64 of a-z, 0-9, dot and hyphen"),
            (5, #"{"retryAfter":5}"#, "bye: retryAfter is not a string"), (6, "", "error: expected a value at byte 0"),
            (6, #"{"message":"m"}"#, "error: code is missing"), (6, #"{"code":"a"}"#, "error: message is missing"),
            (6, #"{"code":"a","message":{}}"#, "error: message is not a string"),
        ] as [(UInt8, String, String)]
    )
    func wrongControl(type: UInt8, payload: String, expected: String) {
        let stream = WireStream(.frames, pieces: [Self.frame(0, "a") + Self.frame(type, payload) + Self.frame(0, "b")])
        #expect(stream.readings == [.text("a")])
        #expect(stream.error == .violation(expected))
    }

    @Test("a frame without type is a violation as soon as its length is there")
    func lengthZero() {
        #expect(WireStream(.frames, pieces: [[0, 0, 0, 0]]).error == .violation("frame has length 0, so no type"))
    }

    @Test("an unknown type is a violation as soon as it is there", arguments: [7, 8, 128, 255] as [UInt8])
    func unknownType(type: UInt8) {
        #expect(WireStream(.frames, pieces: [[0, 0, 0, 9]]).error == nil)
        #expect(
            WireStream(.frames, pieces: [[0, 0, 0, 9, type]]).error == .violation("frame has unknown type \(type)")
        )
    }

    @Test("a heartbeat has eight bytes", arguments: [1, 2] as [UInt8], [0, 7, 9] as [Int])
    func tokenSize(type: UInt8, size: Int) {
        let header = Self.frame(type, [UInt8](repeating: 0, count: size)).prefix(5)
        let name = type == 1 ? "ping" : "pong"
        #expect(
            WireStream(.frames, pieces: [Array(header)]).error == .violation("\(name) has \(size) bytes in place of 8")
        )
    }

    // MARK: Limits

    @Test("a payload of exactly the limit is read, one byte more is refused when its length is read")
    func limit() {
        let largest = Self.frame(0, [UInt8](repeating: 7, count: 1_048_576))
        #expect(WireStream(.frames, pieces: [largest]).readings == [.message(Array(largest.dropFirst(5)))])
        let header = Self.frame(0, [UInt8](repeating: 7, count: 1_048_577)).prefix(4)
        #expect(
            WireStream(.frames, pieces: [Array(header)]).error
                == .messageTooLarge(size: 1_048_577, limit: 1_048_576)
        )
        #expect(WireStream(.frames, maximumMessageSize: 8, pieces: [Self.frame(0, "12345678")]).readings.count == 1)
        #expect(
            WireStream(.frames, maximumMessageSize: 8, pieces: [Self.frame(3, "123456789")]).error
                == .messageTooLarge(size: 9, limit: 8)
        )
    }

    @Test("a control frame over 8 KiB is refused when its type is there", arguments: [3, 4, 5, 6] as [UInt8])
    func controlLimit(type: UInt8) {
        let claim: [UInt8] = [0, 0, 0x20, 0x02, type]
        let stream = WireStream(.frames, pieces: [claim])
        #expect(stream.error == .messageTooLarge(size: 8_193, limit: 8_192))
        let atLimit = WireStream(
            .frames,
            pieces: [Self.frame(3, #"{"id":"a"}"# + String(repeating: " ", count: 8_182))]
        )
        #expect(atLimit.readings == [.hello(Hello(identity: "a"))])
    }

    @Test("a claim of 4 GiB is refused at once")
    func fourGibibytes() {
        #expect(
            WireStream(.frames, pieces: [[255, 255, 255, 255]]).error
                == .messageTooLarge(size: 4_294_967_294, limit: 1_048_576)
        )
        // With a limit that allows it the frame is waited for; nothing is reserved.
        let stream = WireStream(.frames, maximumMessageSize: .max, pieces: [[255, 255, 255, 255, 0, 1]])
        #expect(stream.error == nil && stream.readings == [])
        #expect(stream.remainder == .unfinished(byteCount: 6))
    }

    @Test("an unfinished frame is waited for; the end of the stream tells how much of it had come")
    func remainder() {
        let frame = Self.frame(0, "hello")
        for count in 1..<frame.count {
            var stream = WireStream(.frames, pieces: [Array(frame.prefix(count))])
            #expect(stream.readings == [])
            #expect(stream.remainder == .unfinished(byteCount: count))
            stream.receive(frame.dropFirst(count))
            #expect(stream.readings == [.text("hello")])
        }
    }

    @Test("ranges are offsets into the bytes that were parsed")
    func ranges() throws {
        let bytes = [9, 9] + Self.frame(1, Self.token) + Self.frame(0, "abc")
        var parser = WireFormat.frames.makeParser()
        var offset = 2
        #expect(try parser.next(in: bytes.span.bytes, at: &offset) == .ping(token: 7..<15))
        #expect(offset == 15)
        #expect(try parser.next(in: bytes.span.bytes, at: &offset) == .message(20..<23))
        #expect(offset == 23)
        #expect(try parser.next(in: bytes.span.bytes, at: &offset) == nil)
    }

    // MARK: Writing

    @Test("heartbeats carry their number in eight big-endian bytes")
    func writesHeartbeats() {
        var sink: [UInt8] = []
        WireFormat.frames.writePing(0x0102_0304_0506_0708, into: &sink)
        #expect(sink == [0, 0, 0, 9, 1, 1, 2, 3, 4, 5, 6, 7, 8])
        sink = []
        WireFormat.frames.writePong(echoing: Self.token.span.bytes, into: &sink)
        #expect(sink == [0, 0, 0, 9, 2] + Self.token)
        #expect(WireFormat.frames.pingNumber(of: Self.token.span.bytes) == 0x0001_0203_0405_FEFF)
        #expect(WireFormat.frames.pingNumber(of: Array(Self.token.prefix(7)).span.bytes) == nil)
        #expect(WireFormat.frames.pingNumber(of: [UInt8]().span.bytes) == nil)
    }

    @Test("control frames hold what was asked for and nothing empty")
    func writesControl() {
        var sink: [UInt8] = []
        WireFormat.frames.writeHello(Hello(identity: "a", token: "\"", within: .seconds(30)), into: &sink)
        #expect(sink == Self.frame(3, #"{"id":"a","token":"\"","within":"30s"}"#))
        sink = []
        let welcome = Welcome(connection: "c-1", epoch: 7, every: .milliseconds(1_500), within: .seconds(30))
        WireFormat.frames.writeWelcome(welcome, into: &sink)
        #expect(sink == Self.frame(4, #"{"connection":"c-1","epoch":7,"every":"1.5s","within":"30s"}"#))
        sink = []
        WireFormat.frames.writeGoodbye(Goodbye(), into: &sink)
        #expect(sink == Self.frame(5, ""))
        sink = []
        WireFormat.frames.writeGoodbye(Goodbye(code: "local.shutdown", retryAfter: .seconds(5)), into: &sink)
        #expect(sink == Self.frame(5, #"{"code":"local.shutdown","retryAfter":"5s"}"#))
        sink = []
        WireFormat.frames.writeError(ErrorReport(code: "a.b", message: "it\u{0} broke"), into: &sink)
        #expect(sink == Self.frame(6, #"{"code":"a.b","message":"it broke"}"#))
    }

    @Test("a message of the limit is written, one byte more is refused and nothing is written")
    func writesMessages() throws {
        var sink: [UInt8] = []
        try WireFormat.frames.writeMessage(Array(Self.token.prefix(3)).span.bytes, maximumMessageSize: 3, into: &sink)
        #expect(sink == Self.frame(0, [0, 1, 2]))
        sink = []
        try WireFormat.frames.writeMessage([UInt8]().span.bytes, into: &sink)
        #expect(sink == Self.frame(0, ""))
        sink = []
        #expect(throws: WireError.messageTooLarge(size: 4, limit: 3)) {
            try WireFormat.frames.writeMessage(
                Array(Self.token.prefix(4)).span.bytes,
                maximumMessageSize: 3,
                into: &sink
            )
        }
        #expect(sink == [])
    }

    @Test("the message of an error report is cut to 256 characters")
    func longReport() {
        let report = ErrorReport(code: "a", message: String(repeating: "é\n", count: 300))
        #expect(report.message == String(repeating: "é", count: 256))
    }
}
