//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

#if canImport(CBelayLinux)
import CBelayLinux
#endif

/// What a program may tell the processor of its memory.
package enum Memory {
    /// Brings what is about to be used into the cache, without waiting for it.
    ///
    /// A hint: nothing happens where the address is not mapped, or the system lacks the means.
    ///
    /// - Parameters:
    ///   - address: where it begins.
    ///   - byteCount: how much, from one line of the cache on.
    package static func prefetch(_ address: UnsafeRawPointer, byteCount: Int) {
        #if os(Linux)
        belay_prefetch(address, byteCount)
        #endif
    }
}
