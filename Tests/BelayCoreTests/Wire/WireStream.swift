//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// What a parser read, with the bytes themselves in place of their ranges.
enum WireReading: Equatable {
    case ping([UInt8]?)
    case pong([UInt8]?)
    case message([UInt8])
    case hello(Hello)
    case welcome(Welcome)
    case goodbye(Goodbye)
    case error(ErrorReport)

    /// A message of the UTF-8 of `text`.
    static func text(_ text: String) -> Self { .message(Array(text.utf8)) }

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

/// A receiver as the shell will be one: it keeps what is not consumed, and reads all that it can from it.
struct WireStream {
    private(set) var readings: [WireReading] = []
    private(set) var error: WireError?
    /// The bytes that are not consumed.
    private(set) var pending: [UInt8] = []
    private var parser: WireParser

    init(_ format: WireFormat, maximumMessageSize: Int? = nil) {
        parser = format.makeParser(maximumMessageSize: maximumMessageSize)
    }

    /// All that is read from these pieces, one behind the other.
    init(_ format: WireFormat, maximumMessageSize: Int? = nil, pieces: [[UInt8]]) {
        self.init(format, maximumMessageSize: maximumMessageSize)
        for piece in pieces {
            receive(piece)
        }
    }

    mutating func receive(_ piece: some Collection<UInt8>) {
        guard error == nil else { return }
        pending.append(contentsOf: piece)
        let bytes = pending
        var offset = 0
        do {
            while let element = try parser.next(in: bytes.span.bytes, at: &offset) {
                readings.append(WireReading(element, of: bytes))
            }
        } catch {
            self.error = error
        }
        pending.removeFirst(offset)
    }

    var remainder: WireRemainder {
        parser.remainder(in: pending.span.bytes, at: 0)
    }
}

/// SplitMix64: the same numbers for the same seed.
struct WireGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// `bytes` cut at random places, on average into `count` pieces, some of them empty.
    mutating func split(_ bytes: [UInt8], into count: Int) -> [[UInt8]] {
        var cuts = [0, bytes.count]
        for _ in 1..<max(2, count) {
            cuts.append(Int.random(in: 0...bytes.count, using: &self))
        }
        cuts.sort()
        return zip(cuts, cuts.dropFirst()).map { Array(bytes[$0..<$1]) }
    }

    /// Up to `limit` bytes from an alphabet.
    mutating func bytes(from alphabet: [UInt8], atMost limit: Int) -> [UInt8] {
        (0..<Int.random(in: 0...limit, using: &self)).map { _ in alphabet.randomElement(using: &self)! }
    }
}
