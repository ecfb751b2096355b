//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// What a peer that speaks a wire format has received and not understood yet.
struct SimulatedStream {
    let format: WireFormat
    private var parser: WireParser
    private var pending: [UInt8] = []

    init(_ format: WireFormat) {
        self.format = format
        self.parser = format.makeParser()
    }

    /// Bytes of an element whose end has not come.
    var unfinishedBytes: Int { self.pending.count }

    mutating func append(_ bytes: [UInt8]) { self.pending += bytes }

    /// The next element, and the bytes in which its ranges lie.
    mutating func next(at offset: inout Int) throws(WireError) -> (element: WireElement, bytes: [UInt8])? {
        let bytes = self.pending
        guard let element = try self.parser.next(in: bytes.span.bytes, at: &offset) else { return nil }
        return (element, bytes)
    }

    /// Drops what was understood.
    mutating func consume(_ count: Int) { self.pending.removeFirst(min(count, self.pending.count)) }

    /// How many bytes of a message the end of the stream leaves.
    func messageBytesAtEnd() -> Int {
        if case .message(let range) = self.parser.remainder(in: self.pending.span.bytes, at: 0) {
            range.count
        } else {
            0
        }
    }

    /// An element as bytes.
    func encoded(_ element: SimulatedPeer.Element) -> [UInt8] {
        var bytes: [UInt8] = []
        switch element {
        case .ping(let number):
            self.format.writePing(number, into: &bytes)
        case .pong:
            self.format.writePong(echoing: [UInt8]().span.bytes, into: &bytes)
        case .message(let count):
            let message = [UInt8](repeating: UInt8(ascii: "m"), count: count)
            // What this format cannot carry is a mistake of the caller.
            do { try self.format.writeMessage(message.span.bytes, into: &bytes) } catch { bytes = [] }
        case .hello(let within):
            self.format.writeHello(Hello(identity: "peer", within: within), into: &bytes)
        case .welcome(let every, let within):
            let welcome = Welcome(connection: "c-1", epoch: 1, every: every, within: within)
            self.format.writeWelcome(welcome, into: &bytes)
        case .goodbye(let code):
            self.format.writeGoodbye(Goodbye(code: code), into: &bytes)
        case .bytes(let part):
            bytes = part
        }
        return bytes
    }
}

/// The pongs that a batch of received bytes asks for: the latest ping where they have tokens (rule R12), else each.
struct OwedPongs {
    var untokened = 0
    var token: UInt64?
    var tokenBytes: [UInt8]?

    var isEmpty: Bool { self.untokened == 0 && self.token == nil && self.tokenBytes == nil }
}
