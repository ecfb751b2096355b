//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// A table of a Markdown document.
package struct MarkdownTable {
    private let columns: Int
    package private(set) var text: String

    package init(_ header: [String]) {
        self.columns = header.count
        self.text = ""
        self.add(header)
        self.text += "|" + String(repeating: "---:|", count: header.count) + "\n"
    }

    package mutating func add(_ cells: [String]) {
        precondition(cells.count == self.columns, "a row has as many cells as the header")
        self.text += "| " + cells.joined(separator: " | ") + " |\n"
    }
}
