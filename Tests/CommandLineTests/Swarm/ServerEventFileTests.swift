//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation
import Testing

@testable import belay

@Suite struct ServerEventFileTests {
    private static func line(_ connection: Int) -> String {
        """
        {"type":"dev.belay.connection.opened","time":"2026-01-01T00:00:01.000Z","data":{"connection":"c-\(connection)",\
        "remote":"127.0.0.1:5","openedAt":"2026-01-01T00:00:00.000Z"}}

        """
    }

    @Test("events are read as they are appended, also in pieces, and what is far too long is none")
    func appended() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("belay-events-\(UUID()).jsonl").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        #expect(FileManager.default.createFile(atPath: path, contents: Data(Self.line(0).utf8)))
        let file = try ServerEventFile(path: path)
        let writer = try #require(FileHandle(forWritingAtPath: path))
        try writer.seekToEnd()
        var seen: [String] = []
        func append(_ text: String) throws {
            try writer.write(contentsOf: Data(text.utf8))
            file.readOn { seen.append($0.connection) }
        }
        try append(Self.line(1) + Self.line(2).prefix(40))
        #expect(seen == ["c-1"])
        try append(String(Self.line(2).dropFirst(40)))
        #expect(seen == ["c-1", "c-2"])
        for _ in 0..<3 { try append(String(repeating: "x", count: 1_500_000)) }
        try append("\n" + Self.line(3))
        #expect(seen == ["c-1", "c-2", "c-3"])
    }
}
