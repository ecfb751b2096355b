//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

struct WindowWatchTests {
    private static func evidence(limited: UInt64?, waiting: UInt32? = 0) -> TCPEvidence {
        var tcp = TCPEvidence(state: .established)
        tcp.windowLimitedMicroseconds = limited
        tcp.notSentBytes = waiting
        return tcp
    }

    @Test("nobody looks before something was written")
    func nothingWritten() {
        var watch = WindowWatch()
        #expect(!watch.isLookDue)
        let lifts = watch.looked(at: Self.evidence(limited: 4_000))
        #expect(!lifts)
        #expect(!watch.wasFull)
    }

    @Test("R11: a window that was full for a moment lifts the user timeout, once, and nobody looks again")
    func wasFull() {
        var watch = WindowWatch()
        watch.wrote()
        #expect(watch.isLookDue)
        let lifts = watch.looked(at: Self.evidence(limited: 4_000))
        #expect(lifts)
        #expect(watch.wasFull)
        watch.wrote()
        #expect(!watch.isLookDue)
        let liftsAgain = watch.looked(at: Self.evidence(limited: 8_000))
        #expect(!liftsAgain)
        #expect(watch.wasFull)
    }

    @Test("where all was sent and the window was never full, nobody looks before the next write")
    func allSent() {
        var watch = WindowWatch()
        watch.wrote()
        let lifts = watch.looked(at: Self.evidence(limited: 0))
        #expect(!lifts)
        #expect(!watch.isLookDue)
        watch.wrote()
        #expect(watch.isLookDue)
    }

    @Test("what waits to be sent is looked at again: the window may be full a moment later")
    func waiting() {
        var watch = WindowWatch()
        watch.wrote()
        let lifts = watch.looked(at: Self.evidence(limited: 0, waiting: 1))
        #expect(!lifts)
        #expect(watch.isLookDue)
        let liftsAgain = watch.looked(at: Self.evidence(limited: 1, waiting: 1))
        #expect(liftsAgain)
    }

    @Test("a kernel that does not tell is taken to have had a full window, since a false verdict would be worse")
    func olderKernel() {
        var watch = WindowWatch()
        watch.wrote()
        let lifts = watch.looked(at: Self.evidence(limited: nil))
        #expect(lifts)
        #expect(watch.wasFull)
    }
}
