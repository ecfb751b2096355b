//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Standard output and standard error.
enum Output {
    /// Writes one line to standard error.
    static func tell(_ line: String) {
        Self.write(Array((Self.singleLine(line) + "\n").utf8), to: STDERR_FILENO)
    }

    /// Writes one line to standard error that says what is wrong.
    static func complain(_ message: String) {
        Self.tell("belay: \(message)")
    }

    /// Writes all bytes, waiting for the reader.
    ///
    /// - Parameters:
    ///   - bytes: what to write.
    ///   - descriptor: where.
    ///   - whenFull: called before each further attempt while the disk has no room; nil gives up then.
    /// - Returns: whether they were written; false when nobody reads any more.
    @discardableResult
    static func write(_ bytes: [UInt8], to descriptor: Int32, whenFull: (() -> Void)? = nil) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                #if canImport(Glibc)
                let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                #elseif canImport(Musl)
                let count = Musl.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                #else
                let count = Darwin.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                #endif
                if count > 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&waiting, 1, -1)
                } else if let whenFull, errno == ENOSPC || errno == EDQUOT {
                    whenFull()
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }

    /// A message of a peer as it is written to standard output: as it came, and on a terminal without what steers it.
    static func message(_ bytes: [UInt8], onTerminal: Bool) -> [UInt8] {
        // Most is printable ASCII and need not become a string to know it.
        guard onTerminal, !bytes.allSatisfy({ 0x20...0x7E ~= $0 }) else { return bytes }
        let lines = String(decoding: bytes, as: UTF8.self).unicodeScalars.split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        return Array(lines.map { Substring($0).visible }.joined(separator: "\n").utf8)
    }

    /// What is told stays one line, and steers no terminal, whoever made up its words.
    static func singleLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).map(\.visible).joined(separator: " ")
    }
}
