//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Glibc

/// Measures phases of a program: time, and allocations where `allocations.so` is preloaded.
///
/// Prints a line `PHASE nanoseconds allocations` for each, both per operation; `-` for what is not known.
public enum Meter {
    private typealias Count = @convention(c) () -> UInt

    private static let count = dlsym(nil, "allocation_count").map { unsafeBitCast($0, to: Count.self) }

    /// What this process allocated so far.
    public static var allocations: UInt? { Self.count?() }

    /// Measures `operations` operations that `body` performs.
    public static func measure(_ phase: String, operations: Int, _ body: () throws -> Void) rethrows {
        let allocated = Self.allocations
        let start = monotonicNanoseconds()
        try body()
        let end = monotonicNanoseconds()
        Self.report(phase, operations: operations, nanoseconds: end - start, since: allocated)
    }

    /// Prints what a phase cost that was measured otherwise.
    public static func report(_ phase: String, operations: Int, nanoseconds: UInt64, since allocated: UInt?) {
        let before = allocated ?? 0
        let each = Self.allocations.map { "\(Double($0 - before) / Double(operations))" } ?? "-"
        print("\(phase) \(Double(nanoseconds) / Double(operations)) \(each)")
    }
}
