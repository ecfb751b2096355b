//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Reads the `raw` format: bare `ping` and `pong` tokens without delimiter, everything else messages as they come.
///
/// Where a token may begin, at the start and behind every element, the longest rule is simple: a whole token is a
/// heartbeat, the beginning of one waits for more bytes, and anything else is one message that reaches to the end of
/// what was read. So no byte is lost or held back, however TCP splits the stream, and `ping` inside of a message is not
/// looked for. There is nothing to remember and no limit: a message is as large as the read that brought it.
public struct RawParser: Sendable {
    /// A parser at the start of a stream.
    public init() {}

    /// The next element of `bytes` at `offset`, which moves behind it.
    ///
    /// - Parameters:
    ///   - bytes: All that was received and not yet consumed.
    ///   - offset: Where to begin, 0 to the number of bytes.
    /// - Returns: `nil`, with `offset` unmoved, when nothing or only the beginning of a token is left.
    public func next(in bytes: RawSpan, at offset: inout Int) -> WireElement? {
        let start = offset
        let count = bytes.byteCount - start
        guard count >= 4 else {
            guard !bytes.hasTokenBeginning(at: start) else { return nil }
            offset += count
            return .message(start..<start + count)
        }
        switch bytes.bigEndian(at: start, as: UInt32.self) {
        case HeartbeatToken.ping:
            offset += 4
            return .ping(token: nil)
        case HeartbeatToken.pong:
            offset += 4
            return .pong(token: nil)
        default:
            offset += count
            return .message(start..<start + count)
        }
    }

    /// What is left at `offset` once the stream has ended and ``next(in:at:)`` has returned `nil`: a last message.
    public func remainder(in bytes: RawSpan, at offset: Int) -> WireRemainder {
        offset < bytes.byteCount ? .message(offset..<bytes.byteCount) : .nothing
    }
}

/// The four bytes of the tokens as big-endian integers, so that one comparison recognises them.
enum HeartbeatToken {
    static let ping: UInt32 = 0x7069_6E67
    static let pong: UInt32 = 0x706F_6E67
}

extension RawSpan {
    /// Whether what begins at `offset`, less than four bytes, is nothing or the beginning of `ping` or `pong`.
    fileprivate func hasTokenBeginning(at offset: Int) -> Bool {
        switch byteCount - offset {
        case 0:
            true
        case 1:
            byte(at: offset) == UInt8(ascii: "p")
        case 2:
            hasBytes("pi", at: offset) || hasBytes("po", at: offset)
        default:
            hasBytes("pin", at: offset) || hasBytes("pon", at: offset)
        }
    }
}
