//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import Synchronization

/// Turns the stalls that each event loop notices into one `node.stalled` for each time the process did not run.
///
/// All loops oversleep together when a process is stopped. What another loop, or the catching up after the stall,
/// reports for a time that overlaps one already reported is the same stall.
final class StallReporter: Sendable {
    /// A stall that begins this soon after the end of another belongs to it: the loop is still catching up.
    private static let mergeNanoseconds: Int64 = 250_000_000

    private let threshold: Duration
    private let sink: (any EventSink)?
    private let lastEndNanoseconds = Mutex<Int64>(.min)

    init(threshold: Duration, sink: (any EventSink)?) {
        self.threshold = threshold
        self.sink = sink
    }

    func noticed(_ stall: ObserverClock.Stall) {
        guard stall.length >= self.threshold else { return }
        let isNew = self.lastEndNanoseconds.withLock { lastEnd in
            let (begin, end) = (stall.beganAtMonotonicNanoseconds, stall.endedAtMonotonicNanoseconds)
            let isNew = lastEnd == .min || begin > lastEnd + Self.mergeNanoseconds
            lastEnd = max(lastEnd, end)
            return isNew
        }
        if isNew {
            self.sink?.record(Event(.nodeStalled(length: stall.length), at: Host.wallClock))
        }
    }
}
