//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation
import Testing

@Suite struct DocumentationTests {
    @Test("every Swift block of the README and the docs stands in a file that is compiled")
    func snippetsAreCompiled() throws {
        let compiled = try Project.files(in: "Tests/ProjectTests/Snippets", endingWith: ".swift").map {
            Self.normalized($0.text)
        }
        var documents = try Project.files(in: "docs", endingWith: ".md")
        documents.append(try Project.file("README.md"))
        var blocks = 0
        for document in documents {
            for block in Self.swiftBlocks(of: document.text) {
                blocks += 1
                #expect(
                    compiled.contains { $0.contains(Self.normalized(block)) },
                    "\(document.path): this block is in no file of Snippets:\n\(block)"
                )
            }
        }
        #expect(blocks >= 4)
    }

    @Test("the commands that documents name exist in the Makefile")
    func makeTargets() throws {
        let makefile = try Project.file("Makefile").text
        var documents = try Project.files(in: "docs", endingWith: ".md")
        documents += [try Project.file("README.md"), try Project.file("CONTRIBUTING.md")]
        for document in documents {
            for match in document.text.matches(of: /`make ([a-z]+)`/) {
                #expect(makefile.contains("\n\(match.output.1):"), "\(document.path) names make \(match.output.1)")
            }
        }
    }

    private static func swiftBlocks(of text: String) -> [String] {
        text.matches(of: /(?s)```swift\n(.*?)```/).map { String($0.output.1) }
    }

    /// The lines without indentation and empty ones, since a snippet stands inside a function.
    private static func normalized(_ text: String) -> String {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
            .joined(separator: "\n")
    }
}
