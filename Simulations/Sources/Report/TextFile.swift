//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation

/// Files that the program writes.
package enum TextFile {
    /// A document lacks the block that was to be replaced.
    package struct MissingBlock: Error, CustomStringConvertible {
        let block: String
        let path: String

        package var description: String {
            "\(self.path) has no lines <!-- \(self.block) --> and <!-- end of \(self.block) -->"
        }
    }

    package static func write(_ text: String, to path: String) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
    }

    /// Replaces what stands between two comments that name the block.
    package static func replace(block: String, with text: String, in path: String) throws {
        let document = try String(contentsOfFile: path, encoding: .utf8)
        guard let begin = document.range(of: "<!-- \(block) -->\n"),
            let end = document.range(of: "<!-- end of \(block) -->", range: begin.upperBound..<document.endIndex)
        else { throw MissingBlock(block: block, path: path) }
        let replaced = document.replacingCharacters(in: begin.upperBound..<end.lowerBound, with: "\n\(text)\n")
        try Self.write(replaced, to: path)
    }
}
