//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Testing

@testable import belay

@Suite("what is written to a terminal") struct TerminalTests {
    private static let hostile = "a\u{1B}[2Jb\u{7}\u{85}\u{9B}1m\u{202E}é\u{2028}"

    @Test("a peer's message on a terminal steers nothing; line ends stay, of which raw messages may have several")
    func onTerminal() {
        let shown = Output.message(Array("\(Self.hostile)\n\nping\r".utf8), onTerminal: true)
        #expect(String(decoding: shown, as: UTF8.self) == "a?[2Jb???1m?é?\n\nping?")
    }

    @Test("a peer's message goes to a file or a program as it came")
    func toProgram() {
        for bytes in [Array(Self.hostile.utf8), [0xFF, 0, 0x1B], Array("plain".utf8)] {
            #expect(Output.message(bytes, onTerminal: false) == bytes)
        }
        #expect(Output.message(Array("plain ~".utf8), onTerminal: true) == Array("plain ~".utf8))
    }

    @Test("what is told is one line that steers no terminal")
    func told() {
        #expect(Output.singleLine("one\r\ntwo \(Self.hostile)x") == "one two a?[2Jb? ?1m?é x")
    }
}
