//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

// What an end has asked, and what has become of its bytes.
extension Oracle {
    /// More than a ping or two; see the machine's own measure of bulk.
    private static let bulkBytes = 4_096

    /// It sends a ping.
    func asked(_ peer: SimulatedPeer) {
        let index = peer.end.index
        let offset = peer.surroundings.link.truth.writtenBytes(of: peer.end)
        self.witnesses[index].questions.append(.init(sentAt: peer.time, offset: offset))
        // How often it may ping by what the other end permits, which has twice this patience.
        let spacing = self.witnesses[peer.end.other.index].promise.minimumPeerInterval
        let patience = max(self.witnesses[peer.end.other.index].promise.bound, spacing * 5, 500_000_000)
        if self.witnesses[index].pingDueAt > peer.time + patience { self.witnesses[index].pingsTooOften = true }
        self.witnesses[index].pingDueAt = max(self.witnesses[index].pingDueAt, peer.time) + spacing
    }

    /// The other end was alive at this time: what it was asked until then is answered.
    func answered(_ index: Int, at time: Int64) {
        let questions = self.witnesses[index].questions
        guard let first = questions.first, first.sentAt <= time else { return }
        let count = questions.firstIndex { $0.sentAt > time } ?? questions.count
        self.witnesses[index].questions = Array(questions.dropFirst(count))
        self.witnesses[index].acknowledgedQuestions = max(0, self.witnesses[index].acknowledgedQuestions - count)
    }

    /// What waits, and what has moved, since the step before.
    func noteQueue(of index: Int) {
        let peer = self.witnesses[index].peer
        let truth = peer.surroundings.link.truth
        let queuedBytes = truth.queuedBytes(of: peer.end)
        let hasBacklog = peer.machine.hasBacklog || queuedBytes > 0
        // The end of a backlog is noticed in this step; what follows from it comes in the next one.
        if hasBacklog || self.witnesses[index].hasBacklog { self.witnesses[index].lastBacklogAt = peer.time }
        self.witnesses[index].hasBacklog = hasBacklog
        if queuedBytes == 0 {
            self.witnesses[index].backlogSince = nil
        } else if self.witnesses[index].backlogSince == nil {
            self.witnesses[index].backlogSince = peer.time
        }
        if let progressAt = truth.lastProgress(of: peer.end), progressAt != self.witnesses[index].knownProgressAt {
            self.witnesses[index].knownProgressAt = progressAt
            if self.witnesses[index].isBulk { self.witnesses[index].bulkMovedAt = progressAt }
            self.noteAcknowledged(index, truth.acknowledgedBytes(of: peer.end), at: progressAt)
        }
        self.witnesses[index].isBulk =
            truth.unsentBytes(of: peer.end) > 0
            || truth.writtenBytes(of: peer.end) - truth.acknowledgedBytes(of: peer.end) > Self.bulkBytes
    }

    private func noteAcknowledged(_ index: Int, _ acknowledgedBytes: Int, at time: Int64) {
        var count = self.witnesses[index].acknowledgedQuestions
        while count < self.witnesses[index].questions.count,
            self.witnesses[index].questions[count].offset < acknowledgedBytes
        {
            self.witnesses[index].questions[count].acknowledgedAt = time
            count += 1
        }
        self.witnesses[index].acknowledgedQuestions = count
    }
}
