//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Foundation

/// The seed that is being played, for the case that a precondition of the code under test ends the process.
enum CurrentSeed {
    // SAFETY: written by the one thread that plays, read by the handler of a signal that this thread has raised.
    nonisolated(unsafe) private static var text: [UInt8] = []

    static func set(_ seed: UInt64) { self.text = Array("\nseed \(seed) traps: make soak SEED=\(seed)\n".utf8) }

    static func printWhenTrapped() {
        for number in [SIGILL, SIGTRAP, SIGABRT, SIGSEGV] {
            signal(number) { number in
                _ = CurrentSeed.text.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }
}
