//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The terminal behind standard output, if there is one.
enum Terminal {
    /// Whether somebody can be asked.
    static var isInteractive: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// Whether to colour: only on a terminal, and not where NO_COLOR is set (no-color.org).
    static var isColoured: Bool {
        guard isatty(STDOUT_FILENO) == 1 else { return false }
        if let value = getenv("NO_COLOR"), value[0] != 0 { return false }
        return self.canRedraw
    }

    /// Whether it understands more than lines.
    static var canRedraw: Bool { getenv("TERM").map { String(cString: $0) != "dumb" } ?? false }

    /// How many columns it has; nil where there is none.
    static var width: Int? { self.size?.columns }

    /// How many lines it has; nil where there is none.
    static var height: Int? { self.size?.lines }

    private static var size: (columns: Int, lines: Int)? { self.size(of: STDOUT_FILENO) }

    private static func size(of descriptor: Int32) -> (columns: Int, lines: Int)? {
        guard isatty(descriptor) == 1 else { return nil }
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Asks a question that is answered with y or n; anything but y is a no.
    static func confirms(_ question: String) -> Bool {
        Output.write(Array("\(question) [y/N] ".utf8), to: STDERR_FILENO)
        return ["y", "yes"].contains(readLine()?.lowercased() ?? "")
    }

    /// Shows how far something is on standard error: in place where there is a terminal.
    ///
    /// - Parameters:
    ///   - line: what to show.
    ///   - orTell: whether to write it as a line where there is no terminal.
    static func showProgress(_ line: String, orTell: Bool) {
        if let width = self.size(of: STDERR_FILENO)?.columns, self.canRedraw {
            Output.write(Array("\r\(line.prefix(width - 1))\u{1B}[K".utf8), to: STDERR_FILENO)
        } else if orTell {
            Output.tell(line)
        }
    }

    /// Takes away what ``showProgress(_:orTell:)`` left on the terminal.
    static func clearProgress() {
        guard isatty(STDERR_FILENO) == 1, self.canRedraw else { return }
        Output.write(Array("\r\u{1B}[K".utf8), to: STDERR_FILENO)
    }
}
