//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Foundation

/// The events that a server appends to a file, from those on that were written after this was opened.
final class ServerEventFile {
    private static let readSize = 1 << 20

    private let file: FileHandle
    /// The line that is not complete yet, as far as it may be an event.
    private var line: [UInt8] = []

    /// - Throws: ``CommandFailure`` when it cannot be read.
    init(path: String) throws {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw CommandFailure(
                message: "--events \(path) cannot be read: it is the file that the server writes its events to",
                exitCode: .usage
            )
        }
        self.file = file
        // A directory or a pipe has no end to go to.
        guard (try? file.seekToEnd()) != nil else {
            throw CommandFailure(message: "--events \(path) is not a file", exitCode: .usage)
        }
    }

    /// Tells each event about a connection's beginning or end that was appended since.
    func readOn(_ body: (ServerEvent) -> Void) {
        // A failure is the end of what can be read; what is missing then counts against the server.
        while let data = try? self.file.read(upToCount: Self.readSize), !data.isEmpty {
            var unread = data[...]
            while let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                self.append(unread[..<end])
                if let event = Self.event(in: self.line) { body(event) }
                self.line.removeAll(keepingCapacity: true)
                unread = unread[(end + 1)...]
            }
            self.append(unread)
        }
    }

    private static func event(in line: [UInt8]) -> ServerEvent? { ServerEvent(line: line.span.bytes) }

    /// One byte more than an event may have is enough to know that it is none, however much follows.
    private func append(_ part: Data) {
        self.line.append(contentsOf: part.prefix(max(0, ServerEvent.maximumSize + 1 - self.line.count)))
    }
}
