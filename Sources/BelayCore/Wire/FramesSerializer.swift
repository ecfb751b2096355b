//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Writes the `frames` format.
@usableFromInline
enum FramesSerializer {
    // MARK: Heartbeats

    @inlinable
    static func writePing(_ number: UInt64, into sink: inout some ByteSink) {
        writeHeader(.ping, payloadSize: FrameType.tokenSize, into: &sink)
        sink.append(bigEndian: number)
    }

    @inlinable
    static func writePong(echoing token: RawSpan, into sink: inout some ByteSink) {
        precondition(token.byteCount == FrameType.tokenSize, "the token of a frame has 8 bytes")
        writeHeader(.pong, payloadSize: FrameType.tokenSize, into: &sink)
        sink.append(token)
    }

    /// The number that ``writePing(_:into:)`` wrote as this token: big-endian.
    static func pingNumber(of token: RawSpan) -> UInt64? {
        token.byteCount == FrameType.tokenSize ? token.bigEndian(at: 0, as: UInt64.self) : nil
    }

    @inlinable
    static func writeHeader(_ type: FrameType, payloadSize: Int, into sink: inout some ByteSink) {
        sink.append(bigEndian: UInt32(payloadSize + 1))
        sink.append(type.rawValue)
    }

    // MARK: Control frames

    @inlinable
    static func write(_ type: FrameType, _ payload: [UInt8], into sink: inout some ByteSink) {
        writeHeader(type, payloadSize: payload.count, into: &sink)
        sink.append(payload.span.bytes)
    }

    @usableFromInline
    static func payload(of hello: Hello) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("id", hello.identity)
        json.member("token", hello.token)
        json.member("every", hello.every?.text)
        json.member("within", hello.within?.text)
        json.endObject()
        return json.bytes
    }

    @usableFromInline
    static func payload(of welcome: Welcome) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("connection", welcome.connection)
        json.key("epoch")
        json.integer(welcome.epoch)
        json.member("every", welcome.every.text)
        json.member("within", welcome.within.text)
        json.endObject()
        return json.bytes
    }

    /// Nothing for a goodbye that says nothing, else an object.
    @usableFromInline
    static func payload(of goodbye: Goodbye) -> [UInt8] {
        guard goodbye.code != nil || goodbye.retryAfter != nil else { return [] }
        var json = JSONWriter()
        json.beginObject()
        json.member("code", goodbye.code)
        json.member("retryAfter", goodbye.retryAfter?.text)
        json.endObject()
        return json.bytes
    }

    @usableFromInline
    static func payload(of report: ErrorReport) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("code", report.code)
        json.member("message", report.message)
        json.endObject()
        return json.bytes
    }

    // MARK: Messages

    @inlinable
    static func writeMessage(
        _ message: RawSpan,
        maximumMessageSize: Int,
        into sink: inout some ByteSink
    ) throws(WireError) {
        // The length of a frame counts its type too.
        let limit = min(maximumMessageSize, Int(UInt32.max) - 1)
        guard message.byteCount <= limit else {
            throw .messageTooLarge(size: UInt64(message.byteCount), limit: limit)
        }
        writeHeader(.message, payloadSize: message.byteCount, into: &sink)
        sink.append(message)
    }
}

extension JSONWriter {
    /// Writes a member with a string, or nothing when there is none.
    fileprivate mutating func member(_ name: String, _ value: String?) {
        guard let value else { return }
        key(name)
        string(value)
    }
}
