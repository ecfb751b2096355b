//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Reads one of the formats, as a value that a connection can hold without an existential or a class.
///
/// Made by ``WireFormat/makeParser(maximumMessageSize:)``. The caller keeps the bytes: it hands over all that are not
/// consumed yet, appends new ones behind them, and drops those before the offset whenever it likes.
public enum WireParser: Sendable {
    /// Reads `raw`.
    case raw(RawParser)
    /// Reads `lines`.
    case lines(LinesParser)
    /// Reads `frames`.
    case frames(FramesParser)

    /// The next element of `bytes` at `offset`, which moves behind it.
    ///
    /// Call it until it returns `nil`, and again when more bytes have come, with the unconsumed ones in place. An empty
    /// or partial input is never an error. Which elements come out does not depend on how the stream was split, except
    /// that a message on `raw` is what one read brought.
    ///
    /// - Parameters:
    ///   - bytes: All that was received and not yet consumed.
    ///   - offset: Where to begin, 0 to the number of bytes. Unmoved when there is no element.
    /// - Returns: `nil` when more bytes are needed.
    /// - Throws: ``WireError`` when the bytes break the protocol; the stream is over then.
    public mutating func next(in bytes: RawSpan, at offset: inout Int) throws(WireError) -> WireElement? {
        switch self {
        case .raw(let parser):
            return parser.next(in: bytes, at: &offset)
        case .lines(var parser):
            // Also when it throws, for the line has been searched by then.
            defer { self = .lines(parser) }
            return try parser.next(in: bytes, at: &offset)
        case .frames(let parser):
            return try parser.next(in: bytes, at: &offset)
        }
    }

    /// What is left at `offset` once the stream has ended and ``next(in:at:)`` has returned `nil`.
    public func remainder(in bytes: RawSpan, at offset: Int) -> WireRemainder {
        switch self {
        case .raw(let parser):
            parser.remainder(in: bytes, at: offset)
        case .lines(let parser):
            parser.remainder(in: bytes, at: offset)
        case .frames(let parser):
            parser.remainder(in: bytes, at: offset)
        }
    }
}
