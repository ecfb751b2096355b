//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Reads the `lines` format: lines of UTF-8 ended by LF or CR LF, of which some are control lines.
///
/// Control lines are whole lines and case-sensitive: `ping`, `ping TOKEN`, `pong`, `pong TOKEN`,
/// `hello ID [token=T] [every=15s] [within=30s]`, `welcome CONNECTION epoch=N every=15s within=30s`, `bye [CODE]`.
/// Every other line is a message, also the empty one; a leading `\` is removed from it and not looked behind.
/// How far an unfinished line has been searched for its end is remembered, so the cost grows with the bytes received
/// and not with the number of pieces in which they come.
public struct LinesParser: Sendable {
    /// How many bytes a line may have, control lines and the `\` of escaped messages included, its end not.
    public var maximumMessageSize: Int { Int(limit) }

    // Half as wide as sizes are, because each connection has a parser.
    private let limit: UInt32
    /// How many bytes of the unfinished line are known to hold no LF.
    private var searched: UInt32 = 0

    /// A parser at the start of a stream.
    ///
    /// - Parameter maximumMessageSize: At least 1; more than 4 GiB is taken for 4 GiB. Control lines must fit too: a hello without token may have some 200
    ///   bytes.
    public init(maximumMessageSize: Int = WireFormat.lines.defaultMaximumMessageSize) {
        precondition(maximumMessageSize > 0, "the maximum message size must be at least 1")
        // A line may be searched up to two bytes further.
        self.limit = UInt32(clamping: min(maximumMessageSize, Int(UInt32.max) - 2))
    }

    /// The next element of `bytes` at `offset`, which moves behind it.
    ///
    /// Call it again with the same bytes at the same place, and more behind them, when it has returned `nil`. Bytes
    /// before `offset` may be dropped in between.
    ///
    /// - Parameters:
    ///   - bytes: All that was received and not yet consumed.
    ///   - offset: Where to begin, 0 to the number of bytes. Unmoved when there is no element.
    /// - Returns: `nil` when the line has no end yet.
    /// - Throws: ``WireError``; the stream is over then. A line that is too long is reported before its end has come,
    ///   with a size of one more than the limit.
    public mutating func next(in bytes: RawSpan, at offset: inout Int) throws(WireError) -> WireElement? {
        guard let end = try endOfLine(in: bytes, from: offset) else { return nil }
        let hasCarriageReturn = end > offset && bytes.byte(at: end - 1) == UInt8(ascii: "\r")
        let line = offset..<(hasCarriageReturn ? end - 1 : end)
        guard line.count <= maximumMessageSize else { throw tooLarge }
        let element = try Self.element(of: line, in: bytes)
        offset = end + 1
        return element
    }

    /// What is left at `offset` once the stream has ended and ``next(in:at:)`` has returned `nil`: an unfinished line.
    public func remainder(in bytes: RawSpan, at offset: Int) -> WireRemainder {
        offset < bytes.byteCount ? .unfinished(byteCount: bytes.byteCount - offset) : .nothing
    }

    /// Where the LF lies that ends the line; `nil` when it may still come.
    private mutating func endOfLine(in bytes: RawSpan, from start: Int) throws(WireError) -> Int? {
        let available = bytes.byteCount - start
        // The longest line, its CR and its LF; what lies behind them cannot make it shorter.
        let searchable = available - 2 > maximumMessageSize ? maximumMessageSize + 2 : available
        var index = min(Int(searched), searchable)
        while index < searchable {
            if bytes.byte(at: start + index) == UInt8(ascii: "\n") {
                searched = 0
                return start + index
            }
            index += 1
        }
        searched = UInt32(searchable)
        let mayEndHere = available <= maximumMessageSize
        let mayEndAfterCarriageReturn =
            available - 1 == maximumMessageSize && bytes.byte(at: start + available - 1) == UInt8(ascii: "\r")
        guard mayEndHere || mayEndAfterCarriageReturn else { throw tooLarge }
        return nil
    }

    private var tooLarge: WireError {
        .messageTooLarge(size: UInt64(maximumMessageSize) + 1, limit: maximumMessageSize)
    }

    /// What a whole line says.
    private static func element(of line: Range<Int>, in bytes: RawSpan) throws(WireError) -> WireElement {
        if let heartbeat = ControlLine.heartbeat(line, in: bytes) {
            return heartbeat
        }
        if let problem = ControlLine.problem(with: bytes.extracting(line)) {
            throw problem
        }
        if let element = try ControlLine.greeting(bytes.extracting(line)) {
            return element
        }
        let isEscaped = !line.isEmpty && bytes.byte(at: line.lowerBound) == UInt8(ascii: "\\")
        return .message(isEscaped ? line.dropFirst() : line)
    }
}
