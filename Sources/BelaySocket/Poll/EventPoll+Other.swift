//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

#if !os(Linux)
package import BelayCore

/// Watches many sockets at once; not on this system.
package struct EventPoll: ~Copyable {
    /// - Throws: always ``ErrorNumber/notSupported``.
    package init() throws(ErrorNumber) {
        throw .notSupported
    }

    package borrowing func add(_ socket: Descriptor, token: UInt64) throws(ErrorNumber) {
        throw .notSupported
    }

    @discardableResult
    package borrowing func wait(
        milliseconds: Int32,
        _ body: (UInt64, Readiness) -> Void
    ) throws(ErrorNumber) -> Bool {
        throw .notSupported
    }
}
#endif
