//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// How one pass through the kernel's tables went.
public struct InventorySummary: Hashable, Sendable {
    /// How many sockets were told.
    public internal(set) var listed = 0
    /// How many the kernel told of in a way that is not understood here; they were left out.
    public internal(set) var notUnderstood = 0
    /// Whether the kernel saw no change of its tables meanwhile.
    ///
    /// Where false, a socket may be missing or have come twice. Linux does not say so of TCP up to 6.18: a socket that
    /// is opened or closed during the pass may be missing either way.
    public internal(set) var isConsistent = true
}
