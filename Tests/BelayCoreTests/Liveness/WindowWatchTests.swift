//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

struct WindowWatchTests {
    private static func evidence(limited: UInt64? = 0, _ change: (inout TCPEvidence) -> Void = { _ in }) -> TCPEvidence
    {
        var tcp = TCPEvidence(state: .established)
        tcp.windowLimitedMicroseconds = limited
        tcp.notSentBytes = 0
        tcp.sendWindow = 65_536
        change(&tcp)
        return tcp
    }

    private var watch = WindowWatch()

    private mutating func lookAtRoom() {
        _ = self.watch.looked(at: Self.evidence(), queuedBytes: 0)
    }

    @Test("a new watch looks first: something may have been written before")
    mutating func new() {
        #expect(self.watch.isLookDue)
        self.lookAtRoom()
        #expect(!self.watch.isLookDue)
        let lifts = self.watch.looked(at: Self.evidence(limited: 4_000), queuedBytes: 0)
        #expect(!lifts && !self.watch.wasFull)
    }

    @Test("R11: a window that was full for a moment lifts the user timeout, once, and nobody looks again")
    mutating func wasFull() {
        self.lookAtRoom()
        let isDue = self.watch.wrote()
        #expect(isDue && self.watch.isLookDue)
        let lifts = self.watch.looked(at: Self.evidence(limited: 4_000), queuedBytes: 0)
        #expect(lifts && self.watch.wasFull)
        let isDueAgain = self.watch.wrote()
        #expect(!isDueAgain && !self.watch.isLookDue)
        let liftsAgain = self.watch.looked(at: Self.evidence(limited: 8_000), queuedBytes: 0)
        #expect(!liftsAgain && self.watch.wasFull)
    }

    @Test("R11: a window that closed over what is in flight lifts it too, although it limits nothing that waits")
    mutating func closedOverWhatIsInFlight() {
        let tcp = Self.evidence {
            $0.unacked = 1
            $0.sendWindow = 0
        }
        let lifts = self.watch.looked(at: tcp, queuedBytes: 0)
        #expect(lifts)
    }

    @Test("where all is acknowledged and the window was never full, nobody looks before the next write")
    mutating func allTaken() {
        let lifts = self.watch.looked(at: Self.evidence(), queuedBytes: 0)
        #expect(!lifts)
        #expect(!self.watch.isLookDue)
        let isDue = self.watch.wrote()
        #expect(isDue)
    }

    @Test("what is still on its way is looked at again: the window may be full a moment later", arguments: 0..<6)
    mutating func onItsWay(place: Int) {
        let tcp = Self.evidence {
            switch place {
            case 0: $0.notSentBytes = 1
            case 1: $0.unacked = 1
            case 2: $0.sendWindow = 1_000
            case 3: $0.sendWindow = nil
            case 4: $0.notSentBytes = nil
            default: break
            }
        }
        let lifts = self.watch.looked(at: tcp, queuedBytes: place == 5 ? 1 : 0)
        #expect(!lifts)
        #expect(self.watch.isLookDue)
        let liftsThen = self.watch.looked(at: Self.evidence(limited: 1), queuedBytes: 0)
        #expect(liftsThen)
    }

    @Test("heartbeats fill a window late: 256 bytes of them are worth a look", arguments: [1, 13, 255, 256, 4_000])
    mutating func heartbeats(bytes: Int) {
        self.lookAtRoom()
        var sum = 0
        for _ in 1...600 {
            sum += bytes
            let isDue = self.watch.wroteHeartbeats(bytes: bytes)
            #expect(isDue == (sum >= 256))
            if isDue { self.lookAtRoom() }
            sum %= 256
        }
    }

    @Test("a kernel that does not tell is taken to have had a full window, since a false verdict would be worse")
    mutating func olderKernel() {
        let lifts = self.watch.looked(at: Self.evidence(limited: nil), queuedBytes: 0)
        #expect(lifts)
    }
}
