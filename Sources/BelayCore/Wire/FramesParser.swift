//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Reads the `frames` format: UInt32 big-endian length of the rest, UInt8 type, payload.
///
/// The types are 0 message, 1 ping and 2 pong with eight opaque bytes each, and JSON objects: 3 hello
/// `{"id","token"?,"every"?,"within"?}`, 4 welcome `{"connection","epoch","every","within"}`, 5 bye
/// `{"code"?,"retryAfter"?}` or empty, 6 error `{"code","message"}`. Durations are text such as `"15s"`; other keys are
/// skipped, and an optional key may also be `null`. A wrong header is reported as soon as it has come, so a claim of
/// 4 GiB costs five bytes. There is nothing to remember: an unfinished frame costs one look at its header per piece.
public struct FramesParser: Sendable {
    /// How many bytes the payload of a frame may have, whatever its type.
    public var maximumMessageSize: Int { Int(limit) }

    // Half as wide as sizes are, because each connection has a parser.
    private let limit: UInt32

    /// How many bytes a frame of JSON may have, 8 KiB: reading JSON costs far more than its bytes, and a peer may send it
    /// before anything is known of it.
    public static let maximumControlSize = 8_192

    /// A parser at the start of a stream.
    ///
    /// - Parameter maximumMessageSize: At least 8, so that heartbeats fit; more than 4 GiB is taken for 4 GiB. Control messages must fit too: a hello
    ///   without token may have some 200 bytes.
    public init(maximumMessageSize: Int = WireFormat.frames.defaultMaximumMessageSize) {
        precondition(maximumMessageSize >= FrameType.tokenSize, "the maximum message size must be at least 8")
        self.limit = UInt32(clamping: maximumMessageSize)
    }

    /// The next element of `bytes` at `offset`, which moves behind it.
    ///
    /// - Parameters:
    ///   - bytes: All that was received and not yet consumed.
    ///   - offset: Where to begin, 0 to the number of bytes. Unmoved when there is no element.
    /// - Returns: `nil` when the frame is not complete yet.
    /// - Throws: ``WireError``; the stream is over then.
    public func next(in bytes: RawSpan, at offset: inout Int) throws(WireError) -> WireElement? {
        let available = bytes.byteCount - offset
        guard available >= 4 else { return nil }
        let length = bytes.bigEndian(at: offset, as: UInt32.self)
        guard length > 0 else { throw .violation("frame has length 0, so no type") }
        guard UInt64(length) - 1 <= UInt64(maximumMessageSize) else {
            throw .messageTooLarge(size: UInt64(length) - 1, limit: maximumMessageSize)
        }
        guard available >= 5 else { return nil }
        let number = bytes.byte(at: offset + 4)
        guard let type = FrameType(rawValue: number) else { throw .violation("frame has unknown type \(number)") }
        let size = Int(length) - 1
        if type == .ping || type == .pong, size != FrameType.tokenSize {
            throw .violation("\(type) has \(size) bytes in place of \(FrameType.tokenSize)")
        }
        if type.isJSON, size > Self.maximumControlSize {
            throw .messageTooLarge(size: UInt64(size), limit: Self.maximumControlSize)
        }
        guard available - 5 >= size else { return nil }
        let payload = offset + 5..<offset + 5 + size
        let element = try Self.element(of: type, payload: payload, in: bytes)
        offset = payload.upperBound
        return element
    }

    /// What is left at `offset` once the stream has ended and ``next(in:at:)`` has returned `nil`: an unfinished frame.
    public func remainder(in bytes: RawSpan, at offset: Int) -> WireRemainder {
        offset < bytes.byteCount ? .unfinished(byteCount: bytes.byteCount - offset) : .nothing
    }

    private static func element(
        of type: FrameType,
        payload: Range<Int>,
        in bytes: RawSpan
    ) throws(WireError) -> WireElement {
        switch type {
        case .message:
            .message(payload)
        case .ping:
            .ping(token: payload)
        case .pong:
            .pong(token: payload)
        case .hello:
            .hello(try ControlFrame("hello", bytes.extracting(payload)).hello())
        case .welcome:
            .welcome(try ControlFrame("welcome", bytes.extracting(payload)).welcome())
        case .goodbye where payload.isEmpty:
            .goodbye(Goodbye())
        case .goodbye:
            .goodbye(try ControlFrame("bye", bytes.extracting(payload)).goodbye())
        case .error:
            .error(try ControlFrame("error", bytes.extracting(payload)).errorReport())
        }
    }
}
