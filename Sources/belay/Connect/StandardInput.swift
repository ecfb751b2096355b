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
    /// The lines, without their ends, as many at a time as were read at once.
    ///
    /// Ends with the input; a last line without end counts.
    let batches: AsyncStream<[ByteBuffer]>
    // Starts at zero: a semaphore must not be released below the value it began with.
    private let taken = DispatchSemaphore(value: 0)

    init() {
        let (batches, continuation) = AsyncStream.makeStream(of: [ByteBuffer].self)
        self.batches = batches
        let taken = self.taken
        let thread = Thread {
            var reader = LineReader(descriptor: STDIN_FILENO)
            // One batch at a time is under way: what cannot be sent yet stays in the pipe.
            while let batch = reader.next() {
                continuation.yield(batch)
                taken.wait()
            }
            continuation.finish()
        }
        thread.name = "belay-input"
        thread.start()
    }

    /// The last batch has been dealt with; the next one is read.
    func batchTaken() {
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

    /// The next lines; nil at the end of the input.
    mutating func next() -> [ByteBuffer]? {
        var searched = 0
        while true {
            let lines = self.takeLines(searched: searched)
            if !lines.isEmpty { return lines }
            searched = self.buffer.readableBytes
            if self.isAtEnd || searched >= Self.longest {
                return searched == 0 ? nil : self.buffer.readSlice(length: searched).map { [$0] }
            }
            self.fill()
        }
    }

    /// The complete lines that are there, without those whose beginning was searched in vain before.
    private mutating func takeLines(searched: Int) -> [ByteBuffer] {
        var lines: [ByteBuffer] = []
        var searched = searched
        while true {
            let view = self.buffer.readableBytesView
            guard let end = view.dropFirst(searched).firstIndex(of: UInt8(ascii: "\n")),
                let line = self.buffer.readSlice(length: end - view.startIndex)
            else { return lines }
            self.buffer.moveReaderIndex(forwardBy: 1)
            lines.append(line)
            searched = 0
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
