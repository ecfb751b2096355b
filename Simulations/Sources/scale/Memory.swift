//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation

/// The memory of this process and of the machine, as Linux tells it.
enum Memory {
    /// A file of the kernel's does not say what it should.
    struct Unreadable: Error, CustomStringConvertible {
        let path: String

        var description: String { "\(self.path) does not tell about memory" }
    }

    /// Bytes of this process that are in memory.
    static func resident() throws -> Int {
        let path = "/proc/self/statm"
        let fields = try Self.text(of: path).split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { throw Unreadable(path: path) }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// Bytes that programs can still get.
    static func available() throws -> Int {
        let path = "/proc/meminfo"
        let line = try Self.text(of: path).split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
        guard let line, let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw Unreadable(path: path)
        }
        return kibibytes << 10
    }

    private static func text(of path: String) throws -> String {
        try String(contentsOfFile: path, encoding: .utf8)
    }
}
