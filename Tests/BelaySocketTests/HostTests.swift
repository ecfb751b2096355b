//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

@Suite struct HostTests {
    @Test("the wall clock shows what time(2) shows")
    func wallClock() {
        let before = Int64(time(nil)) * 1_000
        let shown = Host.wallClock.millisecondsSince1970
        // time(2) is cut off to the second, and may be that of the last tick.
        #expect(shown >= before && shown <= Int64(time(nil)) * 1_000 + 2_000)
    }

    @Test("the time of suspension never goes back by more than the reading takes")
    func suspended() {
        let first = Host.suspendedNanoseconds
        #expect(first >= 0)
        for _ in 0..<1_000 { #expect(abs(Host.suspendedNanoseconds - first) < 60_000_000_000) }
    }

    @Test("the limit on open files is the soft limit of this process")
    func openFileLimit() {
        #expect(Host.openFileLimit > 2)
        #expect(Host.openFileLimit == Int(clamping: sysconf(Int32(_SC_OPEN_MAX))))
    }
}
