//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation
import Testing

/// The files of this package, as tests see them.
enum Project {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct File {
        /// The path below the root of the package.
        let path: String
        let text: String

        var lines: [Substring] { self.text.split(separator: "\n", omittingEmptySubsequences: false) }

        /// The target that the file belongs to.
        var target: String { String(self.path.split(separator: "/")[1]) }
    }

    /// All files below a folder whose name ends like this, sorted.
    static func files(in folder: String, endingWith suffix: String) throws -> [File] {
        let base = Self.root.appending(path: folder)
        let enumerator = try #require(FileManager.default.enumerator(atPath: base.path))
        return try enumerator.compactMap { $0 as? String }.filter { $0.hasSuffix(suffix) }.sorted().map { path in
            File(path: "\(folder)/\(path)", text: try String(contentsOf: base.appending(path: path), encoding: .utf8))
        }
    }

    static func file(_ path: String) throws -> File {
        File(path: path, text: try String(contentsOf: Self.root.appending(path: path), encoding: .utf8))
    }
}
