//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The wish of a user to end early: the first signal asks for an orderly end, the second one ends at once.
enum Interruption {
    private static let count = Atomic<Int>(0)

    /// Takes over the signals of this process.
    ///
    /// - Parameter ignoresTerminal: whether SIGINT is left to another process, which sends SIGTERM.
    static func install(ignoresTerminal: Bool = false) {
        // What is made when it is first used must not be made in a signal handler.
        _ = self.isRequested
        signal(SIGTERM, Self.handler)
        signal(SIGINT, ignoresTerminal ? SIG_IGN : Self.handler)
    }

    static var isRequested: Bool { self.count.load(ordering: .relaxed) > 0 }

    static func request() {
        self.count.add(1, ordering: .relaxed)
    }

    private static let handler: @convention(c) (Int32) -> Void = { number in
        Interruption.request()
        signal(number, SIG_DFL)
    }
}
