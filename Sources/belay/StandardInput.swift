//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Dispatch
import Foundation
import NIOCore

/// Lines of standard input, read in a thread of their own, because reading it may block for ever.
///
/// Read past the C library's stream, whose lock the blocked thread would hold when the process wants to end.
final class StandardInput: Sendable {
    /// The lines, without their ends.
    ///
    /// Ends with the input; a last line without end counts.
    let lines: AsyncStream<ByteBuffer>
    // Starts at zero: a semaphore must not be released below the value it began with.
    private let taken = DispatchSemaphore(value: 0)

    init() {
        let (lines, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
        self.lines = lines
        let taken = self.taken
        let thread = Thread {
            var reader = LineReader(descriptor: STDIN_FILENO)
            // One line at a time is under way: what cannot be sent yet stays in the pipe.
            while let line = reader.next() {
                continuation.yield(line)
                taken.wait()
            }
            continuation.finish()
        }
        thread.name = "belay-input"
        thread.start()
    }

    /// The last line has been dealt with; the next one is read.
    func lineTaken() {
        self.taken.signal()
    }
}

/// Splits what a descriptor gives into lines.
private struct LineReader {
    /// A line longer than this is given in pieces; no protocol takes so long a message.
    private static let longest = 64 << 20

    let descriptor: Int32
    var buffer = ByteBuffer()
    var isAtEnd = false

    mutating func next() -> ByteBuffer? {
        var searched = 0
        while true {
            let view = self.buffer.readableBytesView
            if let end = view.dropFirst(searched).firstIndex(of: UInt8(ascii: "\n")) {
                let line = self.buffer.readSlice(length: end - view.startIndex)
                self.buffer.moveReaderIndex(forwardBy: 1)
                return line
            }
            searched = view.count
            if self.isAtEnd || searched >= Self.longest {
                return searched == 0 ? nil : self.buffer.readSlice(length: searched)
            }
            self.fill()
        }
    }

    private mutating func fill() {
        self.buffer.discardReadBytes()
        let count = self.buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 65_536) { space in
            while true {
                let count = read(self.descriptor, space.baseAddress, space.count)
                if count >= 0 || errno != EINTR { return max(0, count) }
            }
        }
        self.isAtEnd = count == 0
    }
}
