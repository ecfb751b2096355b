//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation
import Testing

@Suite struct StructureTests {
    /// The import table of the design: which target may import what.
    private static let allowed: [String: Set<String>] = [
        "BelayCore": ["RealModule"],
        "BelaySocket": ["BelayCore", "CBelayLinux", "Glibc", "Musl", "Darwin"],
        "BelayNIO": [
            "BelayCore", "BelaySocket", "NIOCore", "NIOPosix", "Histogram", "Logging", "ServiceLifecycle",
            "Synchronization",
        ],
        "BelayTesting": ["BelayCore", "RealModule"],
        "belay": [
            "BelayCore", "BelaySocket", "BelayNIO", "ArgumentParser", "Histogram", "Logging", "NIOCore", "NIOPosix",
            "ServiceLifecycle",
            "UnixSignals", "Synchronization", "Foundation", "Dispatch", "Glibc", "Musl", "Darwin",
        ],
    ]

    @Test("imports only point up the picture of the architecture")
    func importTable() throws {
        let files = try Project.files(in: "Sources", endingWith: ".swift")
        #expect(files.count > 50)
        #expect(Set(files.map(\.target)) == Set(Self.allowed.keys))
        for file in files {
            for module in Self.imports(of: file) {
                #expect(Self.allowed[file.target]?.contains(module) == true, "\(file.path) imports \(module)")
            }
        }
    }

    @Test("Core has no clock and no randomness of its own")
    func coreIsPure() throws {
        for file in try Project.files(in: "Sources/BelayCore", endingWith: ".swift") {
            for (number, line) in file.lines.enumerated()
            where !line.trimmingPrefix(while: \.isWhitespace).hasPrefix("//") {
                #expect(!line.contains("Clock.now"), "\(file.path):\(number + 1)")
                #expect(!line.contains("SystemRandomNumberGenerator"), "\(file.path):\(number + 1)")
                #expect(!line.contains(".random(") || line.contains("using:"), "\(file.path):\(number + 1)")
            }
        }
    }

    @Test("every source file begins with the licence")
    func licence() throws {
        let header = try Project.file(".license_header_template").text
        for folder in ["Sources", "Tests"] {
            for file in try Project.files(in: folder, endingWith: ".swift") {
                #expect(file.text.hasPrefix(header), "\(file.path)")
            }
        }
    }

    @Test("no source file holds two things: 400 lines at most")
    func length() throws {
        for file in try Project.files(in: "Sources", endingWith: ".swift") {
            #expect(file.lines.count <= 400, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test("what the compiler cannot check about concurrency says why it is safe")
    func uncheckedSendable() throws {
        for file in try Project.files(in: "Sources", endingWith: ".swift") {
            let lines = file.lines
            for (index, line) in lines.enumerated()
            where line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)") {
                let near = lines[max(0, index - 2)...min(index + 2, lines.count - 1)]
                #expect(near.contains { $0.contains("// SAFETY:") }, "\(file.path):\(index + 1)")
            }
        }
    }

    private static func imports(of file: Project.File) -> [String] {
        file.lines.compactMap { line in
            guard
                let match = line.wholeMatch(
                    of: /(?:@testable |@_\w+ )?(?:public |package |internal )?import (?:\w+ )?([\w.]+)\s*/
                )
            else { return nil }
            return String(match.output.1.prefix { $0 != "." })
        }
    }
}
