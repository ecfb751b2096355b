//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// One of the wire formats over plain TCP; its raw value is the URL scheme that names it.
///
/// It makes the parser and writes what a connection sends. Heartbeats are written without allocation of our own.
public enum WireFormat: String, CaseIterable, Sendable {
    /// Bare `ping` and `pong` tokens without delimiter, for existing peers; see ``RawParser``.
    case raw
    /// Lines of text; see ``LinesParser``.
    case lines
    /// Binary frames with a length; see ``FramesParser``.
    case frames

    /// The limit on a message where none is chosen: 64 KiB on `lines`, 1 MiB on `frames`; `raw` has no limit.
    public var defaultMaximumMessageSize: Int {
        switch self {
        case .raw:
            Int.max
        case .lines:
            64 * 1_024
        case .frames:
            1_024 * 1_024
        }
    }

    /// A parser at the start of a stream.
    ///
    /// - Parameter maximumMessageSize: The limit on a line or payload in bytes, the default of the format when `nil`;
    ///   see ``LinesParser/init(maximumMessageSize:)`` and ``FramesParser/init(maximumMessageSize:)``. Ignored on
    ///   `raw`, whose messages are as large as the read that brought them.
    /// - Returns: A parser that has read nothing yet.
    public func makeParser(maximumMessageSize: Int? = nil) -> WireParser {
        let limit = maximumMessageSize ?? defaultMaximumMessageSize
        return switch self {
        case .raw: .raw(RawParser())
        case .lines: .lines(LinesParser(maximumMessageSize: limit))
        case .frames: .frames(FramesParser(maximumMessageSize: limit))
        }
    }

    // MARK: Heartbeats

    /// Writes a ping that names itself by `number`: in decimal on `lines`, in eight bytes on `frames`, not on `raw`.
    @inlinable
    public func writePing(_ number: UInt64, into sink: inout some ByteSink) {
        switch self {
        case .raw:
            sink.append("ping")
        case .lines:
            LinesSerializer.writePing(number, into: &sink)
        case .frames:
            FramesSerializer.writePing(number, into: &sink)
        }
    }

    /// Writes the pong for a ping with `token`.
    ///
    /// - Parameters:
    ///   - token: The bytes of the token as this format's parser found them; empty when the ping had none. Not written
    ///     on `raw`. Other bytes than a token of this format are a programmer error.
    ///   - sink: What is written to.
    @inlinable
    public func writePong(echoing token: RawSpan, into sink: inout some ByteSink) {
        switch self {
        case .raw:
            sink.append("pong")
        case .lines:
            LinesSerializer.writePong(echoing: token, into: &sink)
        case .frames:
            FramesSerializer.writePong(echoing: token, into: &sink)
        }
    }

    /// The number of our ping that the token of a pong echoes.
    ///
    /// - Returns: `nil` when it is none that ``writePing(_:into:)`` has written, and always on `raw`.
    public func pingNumber(of token: RawSpan) -> UInt64? {
        switch self {
        case .raw:
            nil
        case .lines:
            LinesSerializer.pingNumber(of: token)
        case .frames:
            FramesSerializer.pingNumber(of: token)
        }
    }

    // MARK: Messages

    /// Writes a message, or nothing when it throws.
    ///
    /// - Parameters:
    ///   - message: Its bytes. On `raw` any; a receiver takes them for heartbeats if they begin with `ping` or `pong`
    ///     where it looks for a token. On `lines` UTF-8 without NUL and LF that does not end with CR; what looks like a
    ///     control line is escaped. On `frames` any.
    ///   - maximumMessageSize: The limit in bytes, the default of the format when `nil`; on `lines` the `\` of an
    ///     escaped message counts. Ignored on `raw`.
    ///   - sink: What is written to.
    /// - Throws: ``WireError`` when the format cannot carry the message.
    @inlinable
    public func writeMessage(
        _ message: RawSpan,
        maximumMessageSize: Int? = nil,
        into sink: inout some ByteSink
    ) throws(WireError) {
        let limit = maximumMessageSize ?? defaultMaximumMessageSize
        switch self {
        case .raw:
            sink.append(message)
        case .lines:
            try LinesSerializer.writeMessage(message, maximumMessageSize: limit, into: &sink)
        case .frames:
            try FramesSerializer.writeMessage(message, maximumMessageSize: limit, into: &sink)
        }
    }

    // MARK: Control messages

    /// Writes a hello; nothing on `raw`.
    @inlinable
    public func writeHello(_ hello: Hello, into sink: inout some ByteSink) {
        switch self {
        case .raw:
            break
        case .lines:
            sink.append(LinesSerializer.line(of: hello).span.bytes)
        case .frames:
            FramesSerializer.write(.hello, FramesSerializer.payload(of: hello), into: &sink)
        }
    }

    /// Writes a welcome; nothing on `raw`.
    @inlinable
    public func writeWelcome(_ welcome: Welcome, into sink: inout some ByteSink) {
        switch self {
        case .raw:
            break
        case .lines:
            sink.append(LinesSerializer.line(of: welcome).span.bytes)
        case .frames:
            FramesSerializer.write(.welcome, FramesSerializer.payload(of: welcome), into: &sink)
        }
    }

    /// Writes a goodbye; nothing on `raw`, and without ``Goodbye/retryAfter`` on `lines`, which has no place for it.
    @inlinable
    public func writeGoodbye(_ goodbye: Goodbye, into sink: inout some ByteSink) {
        switch self {
        case .raw:
            break
        case .lines:
            sink.append(LinesSerializer.line(of: goodbye).span.bytes)
        case .frames:
            FramesSerializer.write(.goodbye, FramesSerializer.payload(of: goodbye), into: &sink)
        }
    }

    /// Writes an error; on `frames` only, the other formats have no such thing.
    @inlinable
    public func writeError(_ report: ErrorReport, into sink: inout some ByteSink) {
        if self == .frames {
            FramesSerializer.write(.error, FramesSerializer.payload(of: report), into: &sink)
        }
    }
}
