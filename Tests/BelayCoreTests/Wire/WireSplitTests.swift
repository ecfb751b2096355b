//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the wire formats under any split of the stream")
struct WireSplitTests {
    // MARK: The same in every split

    @Test(
        "lines and frames read the same in one piece, in random pieces and byte by byte",
        arguments: [WireFormat.lines, .frames],
        [1, 2, 3, 4] as [UInt64]
    )
    func anySplit(format: WireFormat, seed: UInt64) {
        var random = WireGenerator(seed: seed)
        for round in 0..<60 {
            var bytes = Self.stream(of: format, elements: 20, using: &random)
            if round.isMultiple(of: 3), let index = bytes.indices.randomElement(using: &random) {
                // Some streams break the protocol somewhere: the error must not depend on the split either.
                bytes[index] = UInt8.random(in: 0...255, using: &random)
            }
            let whole = WireStream(format, maximumMessageSize: 300, pieces: [bytes])
            let splits = [bytes.map { [$0] }, random.split(bytes, into: 3), random.split(bytes, into: bytes.count / 3)]
            for pieces in splits {
                let split = WireStream(format, maximumMessageSize: 300, pieces: pieces)
                #expect(split.readings == whole.readings, "seed \(seed), round \(round)")
                #expect(split.error == whole.error, "seed \(seed), round \(round)")
                #expect(whole.error != nil || split.pending == whole.pending, "seed \(seed), round \(round)")
            }
        }
    }

    @Test("a raw stream of nothing but tokens is heartbeats in every split", arguments: [1, 2, 3] as [UInt64])
    func rawTokens(seed: UInt64) {
        var random = WireGenerator(seed: seed)
        for _ in 0..<100 {
            let expected: [WireReading] = (0..<30).map { _ in Bool.random(using: &random) ? .ping(nil) : .pong(nil) }
            let bytes = expected.flatMap { Array(($0 == .ping(nil) ? "ping" : "pong").utf8) }
            for pieces in [[bytes], bytes.map { [$0] }, random.split(bytes, into: 10), random.split(bytes, into: 60)] {
                let stream = WireStream(.raw, pieces: pieces)
                #expect(stream.readings == expected, "seed \(seed)")
                #expect(stream.remainder == .nothing, "seed \(seed)")
            }
        }
    }

    @Test("no byte of a raw stream is lost, changed or moved", arguments: [1, 2, 3] as [UInt64])
    func rawBytes(seed: UInt64) {
        var random = WireGenerator(seed: seed)
        for _ in 0..<300 {
            let bytes = random.bytes(from: Array("pingpongpx ".utf8), atMost: 60)
            for pieces in [[bytes], bytes.map { [$0] }, random.split(bytes, into: 12)] {
                let stream = WireStream(.raw, pieces: pieces)
                let read = stream.readings.flatMap { reading -> [UInt8] in
                    switch reading {
                    case .ping: Array("ping".utf8)
                    case .pong: Array("pong".utf8)
                    case .message(let bytes): bytes
                    default: []
                    }
                }
                #expect(read + stream.pending == bytes, "seed \(seed)")
                #expect(stream.pending.count <= 3, "seed \(seed)")
            }
        }
    }

    @Test("consumed bytes may stay in place: only the offset counts", arguments: WireFormat.allCases)
    func keptBytes(format: WireFormat) throws {
        var random = WireGenerator(seed: 5)
        let bytes = Self.stream(of: format, elements: 20, using: &random)
        var parser = format.makeParser()
        var received: [UInt8] = []
        var offset = 0
        var readings: [WireReading] = []
        for byte in bytes {
            received.append(byte)
            while let element = try parser.next(in: received.span.bytes, at: &offset) {
                readings.append(WireReading(element, of: received))
            }
        }
        #expect(readings == WireStream(format, pieces: bytes.map { [$0] }).readings)
    }

    // MARK: There and back

    @Test("any message that lines can carry comes back as it was", arguments: [1, 2, 3] as [UInt64])
    func linesRoundTrip(seed: UInt64) throws {
        let words = [
            "ping", "pong", "hello", "welcome", "bye", "\\", " ", " ", "a", "1", "every=1s", "within=x", "token=",
            "epoch=7",
            "every=2s", "within=2s", "\r", "é", "😀", "\u{301}", "=", "\u{7F}",
        ]
        var random = WireGenerator(seed: seed)
        var sink: [UInt8] = []
        var sent: [WireReading] = []
        for _ in 0..<3_000 {
            let message = (0..<Int.random(in: 0...7, using: &random)).map { _ in words.randomElement(using: &random)! }
                .joined()
            guard message.utf8.last != UInt8(ascii: "\r") else { continue }
            try WireFormat.lines.writeMessage(Array(message.utf8).span.bytes, into: &sink)
            sent.append(.text(message))
        }
        let stream = WireStream(.lines, pieces: random.split(sink, into: 50))
        #expect(stream.readings == sent, "seed \(seed)")
        #expect(stream.error == nil, "seed \(seed)")
    }

    @Test("a message is written to lines if and only if it comes back as it was", arguments: [1, 2, 3] as [UInt64])
    func linesRefusal(seed: UInt64) {
        var random = WireGenerator(seed: seed)
        let alphabet: [UInt8] = Array("ping bye\\\r\n".utf8) + [0, 0xC3, 0xA9, 0xFF]
        for _ in 0..<3_000 {
            let message = random.bytes(from: alphabet, atMost: 6)
            var sink: [UInt8] = []
            do throws(WireError) {
                try WireFormat.lines.writeMessage(message.span.bytes, maximumMessageSize: 5, into: &sink)
                let stream = WireStream(.lines, maximumMessageSize: 5, pieces: [sink])
                #expect(stream.readings == [.message(message)], "seed \(seed)")
            } catch {
                #expect(sink == [], "seed \(seed)")
                for line in [message + [0x0A], [UInt8(ascii: "\\")] + message + [0x0A]] {
                    let stream = WireStream(.lines, maximumMessageSize: 5, pieces: [line])
                    #expect(stream.readings != [.message(message)], "seed \(seed)")
                }
            }
        }
    }

    @Test("control messages and heartbeats come back as they were", arguments: [WireFormat.lines, .frames])
    func controlRoundTrip(format: WireFormat) {
        var random = WireGenerator(seed: 7)
        for _ in 0..<300 {
            var sink: [UInt8] = []
            let number = UInt64.random(in: 0...UInt64.max, using: &random) >> UInt64.random(in: 0...63, using: &random)
            let hello = Hello(
                identity: Self.word(using: &random),
                token: Bool.random(using: &random) ? Self.word(using: &random) : nil,
                every: Bool.random(using: &random) ? Self.duration(using: &random) : nil,
                within: Bool.random(using: &random) ? Self.duration(using: &random) : nil
            )
            let welcome = Welcome(
                connection: Self.word(using: &random),
                epoch: number >> 11,
                every: Self.duration(using: &random),
                within: Self.duration(using: &random)
            )
            let goodbye = Goodbye(code: Bool.random(using: &random) ? "peer.goodbye" : nil)
            format.writePing(number, into: &sink)
            format.writeHello(hello, into: &sink)
            format.writeWelcome(welcome, into: &sink)
            format.writeGoodbye(goodbye, into: &sink)
            let readings = WireStream(format, pieces: [sink]).readings
            #expect(Array(readings.dropFirst()) == [.hello(hello), .welcome(welcome), .goodbye(goodbye)])
            guard case .ping(let token?) = readings.first else {
                Issue.record("no ping with a token: \(readings)")
                return
            }
            #expect(format.pingNumber(of: token.span.bytes) == number)
            var answer: [UInt8] = []
            format.writePong(echoing: token.span.bytes, into: &answer)
            #expect(WireStream(format, pieces: [answer]).readings == [.pong(token)])
        }
    }

    // MARK: Garbage

    @Test(
        "a megabyte of garbage never traps and never makes a receiver keep more than one element",
        arguments: WireFormat.allCases,
        [1, 2] as [UInt64]
    )
    func garbage(format: WireFormat, seed: UInt64) {
        // What breaks the protocol at once does not get far, so there are alphabets that get further.
        let alphabets: [[UInt8]] = [
            Array(0...255), Array("pingpong hello welcome bye=\\\r\n15s\u{e9}".utf8),
            [0, 0, 0, 0, 0, 1, 2, 3, 5, 9, 123, 125],
        ]
        var random = WireGenerator(seed: seed)
        for alphabet in alphabets {
            var stream = WireStream(format, maximumMessageSize: 1_000)
            var total = 0
            while total < 350_000 {
                let piece = random.bytes(from: alphabet, atMost: 4_000)
                total += piece.count
                stream.receive(piece)
                if stream.error != nil {
                    stream = WireStream(format, maximumMessageSize: 1_000)
                }
                #expect(stream.pending.count <= 1_005, "seed \(seed)")
            }
        }
    }

    // MARK: Size

    @Test("a parser and an element are small values")
    func size() {
        #expect(MemoryLayout<WireParser>.size < 40)
        #expect(MemoryLayout<WireElement?>.size <= 24)
    }

    @Test("an empty input is never an element and never an error", arguments: WireFormat.allCases)
    func empty(format: WireFormat) throws {
        var parser = format.makeParser()
        var offset = 0
        #expect(try parser.next(in: [UInt8]().span.bytes, at: &offset) == nil)
        #expect(parser.remainder(in: [UInt8]().span.bytes, at: 0) == .nothing)
        #expect(WireFormat(rawValue: format.rawValue) == format)
    }

    @Test("any sink will do")
    func otherSink() throws {
        struct Counter: ByteSink {
            var count = 0

            mutating func append(_ byte: UInt8) {
                count += 1
            }

            mutating func append(_ bytes: RawSpan) {
                count += bytes.byteCount
            }
        }
        var counter = Counter()
        WireFormat.lines.writePing(12, into: &counter)
        WireFormat.frames.writePing(12, into: &counter)
        WireFormat.raw.writePing(12, into: &counter)
        try WireFormat.frames.writeMessage(Array("a".utf8).span.bytes, into: &counter)
        #expect(counter.count == 8 + 13 + 4 + 6)
    }

    // MARK: Random streams

    /// A stream of valid elements of all kinds.
    private static func stream(of format: WireFormat, elements: Int, using random: inout WireGenerator) -> [UInt8] {
        var sink: [UInt8] = []
        for _ in 0..<elements {
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                format.writePing(UInt64.random(in: 0...UInt64.max, using: &random), into: &sink)
            case 1:
                let token = (0..<8).map { _ in UInt8.random(in: 0x21...0x7E, using: &random) }
                format.writePong(echoing: token.span.bytes, into: &sink)
            case 2:
                format.writeHello(Hello(identity: word(using: &random), every: duration(using: &random)), into: &sink)
            case 3:
                let welcome = Welcome(connection: "c", epoch: 1, every: duration(using: &random), within: .seconds(1))
                format.writeWelcome(welcome, into: &sink)
            case 4:
                format.writeGoodbye(Goodbye(code: Bool.random(using: &random) ? "local.closed" : nil), into: &sink)
            default:
                let message = random.bytes(from: Array("ping bye\\".utf8) + [0xC3, 0xA9, 0x0D], atMost: 40)
                // Not every one can be carried by lines.
                try? format.writeMessage(message.span.bytes, into: &sink)
            }
        }
        return sink
    }

    private static func word(using random: inout WireGenerator) -> String {
        let characters: [Character] = ["a", "z", "0", "-", "=", "\\", "\"", "é", "😀", "."]
        return String(
            (0..<Int.random(in: 1...20, using: &random)).map { _ in characters.randomElement(using: &random)! }
        )
    }

    private static func duration(using random: inout WireGenerator) -> Duration {
        .microseconds(UInt64.random(in: 0...3_600_000_000, using: &random) >> UInt64.random(in: 0...31, using: &random))
    }
}
