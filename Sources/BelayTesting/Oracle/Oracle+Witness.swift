//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

extension Oracle {
    /// What is true of one end.
    struct Witness {
        unowned let peer: SimulatedPeer
        /// What it has to judge by.
        var promise: Promise
        var openedAt: Int64 = 0
        /// The last proof of life of the other end (rules R1 and R15).
        var proofAt: Int64 = 0
        var lastPingAt: Int64 = 0
        /// When pings were sent, by their tokens.
        var pings: [UInt64: Int64] = [:]
        var olderPings: [UInt64: Int64] = [:]
        var pingCount: UInt64 = 0
        /// The pings that the other end has not answered, in order, and how many of them its kernel has acknowledged.
        var questions: [Question] = []
        var acknowledgedQuestions = 0
        /// When its next ping is in order, by what the other end permits (rule R12), and whether it ever came much too early.
        var pingDueAt = Int64.min
        var pingsTooOften = false
        var bytesRead: UInt64 = 0
        var lastReadAt = Int64.min
        var lastMessageAt: Int64 = 0
        /// The other end has said something complete, or its hello where one is required.
        var isGreeted = false
        var isSuspecting = false
        var suspectedAt = Int64.min
        var closeCount = 0
        var closedAt: Int64?
        /// When it could neither hear nor answer: its process was stopped, or its program did not read.
        var absences: [Range<Int64>] = []
        /// Those of them in which its program did not read.
        var pauses: [Range<Int64>] = []
        /// What of these is nobody's silence (rules R6 and R7): its time, and how much.
        var credits: [Credit] = []
        var suspendedUntil = Int64.min
        /// Until when its lateness is counted.
        var absentUntil = Int64.min
        /// When it first came back from a stall or a pause since the last proof of life, and pinged after that.
        var stalledAt: Int64?
        var askedAfterStallAt: Int64?
        /// It suspects and has not asked.
        var owesPing = false
        var pausedSince: Int64?
        var isSlow = false
        var hasSentMessages = false
        /// Its program was told to close the connection, or to shut down.
        var isToClose = false
        var isToDrain = false
        /// It crashed, exited or was reset by the script, which its machine need not report.
        var leftWithoutClose = false
        /// When it last judged by other times than before.
        var timingsChangedAt = Int64.min
        /// When bytes of its own last waited in its program, and since when.
        var lastBacklogAt = Int64.min
        var hasBacklog = false
        var backlogSince: Int64?
        /// When bytes of its own, more than a ping or two, last moved on the way to the other end.
        var bulkMovedAt: Int64?
        var isBulk = false
        var knownProgressAt: Int64?

        init(_ peer: SimulatedPeer) {
            self.peer = peer
            self.promise = Promise(peer.configuration.policy)
        }

        /// A time that is nobody's silence.
        struct Credit {
            let at: Int64
            let length: Int64
        }

        /// A ping, where it begins among the bytes of its sender, and when the kernel of the other end acknowledged that.
        struct Question {
            let sentAt: Int64
            let offset: Int
            var acknowledgedAt: Int64?
        }
    }
}

extension Oracle.Witness {
    /// The silence less the time in which this end could not hear (rules R6 and R7).
    var fairSilence: Int64 { self.fairTime(since: self.proofAt) }

    /// The time since then less that in which this end could not hear.
    func fairTime(since start: Int64) -> Int64 {
        var (sum, counted) = (Int64(0), start)
        for credit in self.credits where credit.at > start {
            sum = max(0, sum + credit.at - counted - credit.length)
            counted = credit.at
        }
        return sum + self.peer.time - counted
    }

    /// How much of the time since then it was absent.
    func absence(since start: Int64, until end: Int64) -> Int64 {
        var sum: Int64 = 0
        var covered = start
        for absence in self.absences.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            let from = max(absence.lowerBound, covered)
            let until = min(absence.upperBound, end)
            if until > from {
                sum += until - from
                covered = until
            }
        }
        return sum
    }

    /// When its last absence ended, if that was after `start`.
    func lastReturn(after start: Int64, until end: Int64) -> Int64? {
        self.absences.filter { $0.upperBound > start && $0.lowerBound < end }.map { min($0.upperBound, end) }.max()
    }

    /// When an absence ended at that time or later, or has not ended yet.
    func lastReturn(sinceOrAt start: Int64) -> Int64? {
        self.absences.last { $0.upperBound >= start }?.upperBound
    }

    /// How much before the bound a verdict may fall: see ``BelayCore/LivenessTimings``.
    var verdictMargin: Int64 {
        min(
            min(max(self.promise.bound / 100, 2_000_000), 10_000_000),
            self.promise.bound / 25 * 2,
            self.peer.timings.replyWithin.wholeNanoseconds / 3
        )
    }

    /// The shortest silence of a verdict.
    var earliestVerdict: Int64 { self.promise.bound - self.verdictMargin }
}
