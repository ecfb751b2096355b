//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation
import Testing

@testable import belay

@Suite("what is written to standard output and to files")
struct OutputTests {
    @Test("what a full disk did not take is written when there is room")
    func room() throws {
        let descriptor = open("/dev/full", O_WRONLY)
        var pipe: [Int32] = [-1, -1]
        try #require(descriptor >= 0 && Foundation.pipe(&pipe) == 0)
        defer { for one in pipe + [descriptor] { close(one) } }
        var attempts = 0
        let isWritten = Output.write(Array("an event".utf8), to: descriptor) {
            attempts += 1
            if attempts == 3 { dup2(pipe[1], descriptor) }
        }
        #expect(isWritten && attempts == 3)
        var bytes = [UInt8](repeating: 0, count: 64)
        let count = read(pipe[0], &bytes, bytes.count)
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "an event")
    }

    @Test("who does not wait for room is told that there is none")
    func noRoom() throws {
        let descriptor = open("/dev/full", O_WRONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        #expect(!Output.write([0], to: descriptor))
        #expect(errno == ENOSPC)
    }
}
