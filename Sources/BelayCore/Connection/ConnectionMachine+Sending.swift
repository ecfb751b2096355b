//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

// What we send, and whether the peer takes it (rule R8).
extension ConnectionMachine {
    /// Bytes were handed to the transport.
    ///
    /// They never prove the peer alive (rule R1).
    public mutating func bytesSent(_ count: Int) {
        self.figures.bytesOut &+= UInt64(count)
    }

    /// Whether bytes of ours were waiting when our queue was last observed.
    public var hasBacklog: Bool { self.backlog != nil }

    /// What to do after a look at our own queue.
    public enum OutboundAction: Hashable, Sendable {
        /// Go on.
        case doNothing
        /// Nothing moved for the write deadline: look for ``Judgement/standstill``.
        case look
        /// The queue passed its limit.
        indirect case close(Close)
    }

    /// The queue of bytes that the kernel has not taken was looked at.
    ///
    /// Call it after a write that may have left bytes in the queue, when the transport's writability changes, and when
    /// ``TickAction/observeOutbound`` asks for it.
    ///
    /// - Parameters:
    ///   - queuedBytes: bytes that wait in our queue.
    ///   - now: the observer's time.
    /// - Returns: what follows.
    public mutating func outboundObserved(queuedBytes: Int, at now: Instant) -> OutboundAction {
        guard !self.isOver else { return .doNothing }
        if queuedBytes > self.outboundLimit {
            let cause = DisconnectCause.outboundLimitPassed(unsentBytes: queuedBytes, limit: self.outboundLimit)
            return self.end(cause, at: now).map { .close($0) } ?? .doNothing
        }
        self.noteOutbound(queuedBytes: queuedBytes, at: now)
        guard let backlog, now >= self.writeDeadline(of: backlog) else { return .doNothing }
        return .look
    }

    mutating func noteOutbound(queuedBytes: Int, at now: Instant) {
        guard queuedBytes > 0 else {
            if self.backlog != nil {
                self.movedAt = now
                // A look at it is of no use to what is suspected later.
                if !self.isSuspected { self.earlierLook = nil }
            }
            self.backlog = nil
            return
        }
        let flushed = self.figures.bytesOut &- UInt64(queuedBytes)
        guard var backlog = self.backlog else {
            self.backlog = Backlog(since: now, sampledAt: now, flushedBytes: flushed)
            return
        }
        // A shell that does not count what it sends sees movement where the queue became shorter.
        if Int64(bitPattern: flushed &- backlog.flushedBytes) > 0 { self.movedAt = now }
        // The ping has left our queue; the next one tells something new again.
        if Int64(bitPattern: flushed &- self.lastPingPosition) > 0 { backlog.holdsPing = false }
        backlog.flushedBytes = flushed
        backlog.sampledAt = now
        self.backlog = backlog
    }

    /// The time at which a backlog that has not moved means that the peer does not read.
    ///
    /// Movement is noticed up to one sample late, therefore the deadline is one sample early.
    func writeDeadline(of backlog: Backlog) -> Instant {
        max(backlog.since, self.movedAt).advanced(
            byNanoseconds: self.timings.writeNanoseconds - self.timings.backlogSampleNanoseconds
        )
    }
}
