//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// Knows what really happens in a simulation, and complains where a machine says or does what is not true.
///
/// It draws its own conclusions from what happens in the world: what arrived, who was stopped when, what was cut off. It
/// takes from the machines what they promise (their timings) and what they decide, nothing of how they come to it.
final class Oracle {
    /// What is true of one end.
    struct Witness {
        unowned let peer: SimulatedPeer
        var openedAt: Int64 = 0
        /// The last proof of life of the other end (rules R1 and R15).
        var proofAt: Int64 = 0
        var lastPingAt: Int64 = 0
        /// When pings were sent, by their tokens.
        var pings: [UInt64: Int64] = [:]
        var olderPings: [UInt64: Int64] = [:]
        var pingCount: UInt64 = 0
        var bytesRead: UInt64 = 0
        var lastReadAt = Int64.min
        var isSuspecting = false
        var suspectedAt = Int64.min
        var closeCount = 0
        var closedAt: Int64?
        /// When it could neither hear nor answer: its process was stopped, or its program did not read.
        var absences: [Range<Int64>] = []
        /// What of these is nobody's silence (rules R6 and R7): its time, and how much.
        var credits: [Credit] = []
        /// The due time of the loop whose lateness is known.
        var knownDueAt = Int64.max
        /// When it first came back from a stall or a pause since the last proof of life, and pinged after that.
        var stalledAt: Int64?
        var askedAfterStallAt: Int64?
        /// It suspects and has not asked.
        var owesPing = false
        var pausedSince: Int64?
        var isSlow = false
        var hasSentMessages = false
        var wasStopped = false
        var leftWithoutClose = false
        /// When it last judged by other times than before.
        var timingsChangedAt = Int64.min
        /// When bytes of its own last waited in its program.
        var lastBacklogAt = Int64.min
        var hasBacklog = false

        /// A time that is nobody's silence.
        struct Credit {
            let at: Int64
            let length: Int64
        }

        /// The silence less the time in which this end could not hear (rules R6 and R7), at least.
        var fairSilence: Int64 {
            var (silence, counted) = (Int64(0), self.proofAt)
            for credit in self.credits where credit.at > self.proofAt {
                silence = max(0, silence + credit.at - counted - credit.length)
                counted = credit.at
            }
            return silence + self.peer.time - counted
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
    }

    /// What was found to be wrong, at most ``limit`` of it.
    private(set) var complaints: [String] = []
    private static let limit = 5

    var witnesses: [Witness]
    /// The longest time that each direction adds when nothing is lost, in nanoseconds.
    let longestLatency: [Int64]
    let isLossless: Bool
    var outages: [Range<Int64>] = []
    private var steps = 0

    init(_ server: SimulatedPeer, _ client: SimulatedPeer, _ toServer: LinkConditions, _ toClient: LinkConditions) {
        self.witnesses = [Witness(peer: server), Witness(peer: client)]
        self.longestLatency = [toServer, toClient].map { ($0.latency + $0.jitter).wholeNanoseconds }
        self.isLossless = toServer.loss == 0 && toClient.loss == 0
    }

    func complain(_ what: @autoclosure () -> String, _ peer: SimulatedPeer) {
        guard self.complaints.count < Self.limit else { return }
        let at = Duration.nanoseconds(peer.time - peer.surroundings.start.nanoseconds)
        self.complaints.append("\(at.text) \(peer.end.rawValue): \(what())")
    }

    // MARK: - What happens

    func opened(_ peer: SimulatedPeer) {
        let time = peer.time
        self.witnesses[peer.end.index].openedAt = time
        self.witnesses[peer.end.index].proofAt = time
        self.witnesses[peer.end.index].lastPingAt = time
    }

    func timingsChanged(_ peer: SimulatedPeer) { self.witnesses[peer.end.index].timingsChangedAt = peer.time }

    /// Its process runs; when that is later than it should have woken up, it was absent.
    func runs(_ peer: SimulatedPeer) {
        let (index, due) = (peer.end.index, peer.loop.isDueAt)
        let tolerance = peer.loop.tolerance.wholeNanoseconds
        guard due < peer.time, peer.time - due > tolerance, due != self.witnesses[index].knownDueAt else { return }
        self.witnesses[index].knownDueAt = due
        self.witnesses[index].absences.append(due..<peer.time)
        self.witnesses[index].credits.append(.init(at: peer.time, length: peer.time - due - tolerance))
        self.stalled(.nanoseconds(peer.time - due), peer)
    }

    /// Its loop learns that it did not run for a while, perhaps some time after that.
    func noticedStall(_ length: Duration, _ peer: SimulatedPeer) {
        self.witnesses[peer.end.index].absences.append(peer.time..<peer.time)
        self.stalled(length, peer)
    }

    /// A fresh ping is promised after what is long enough.
    private func stalled(_ length: Duration, _ peer: SimulatedPeer) {
        guard length >= peer.loop.stallThreshold, self.witnesses[peer.end.index].stalledAt == nil else { return }
        self.witnesses[peer.end.index].stalledAt = peer.time
    }

    /// Something newer than before proves the other end alive.
    private func proved(_ index: Int, at time: Int64) {
        guard time > self.witnesses[index].proofAt else { return }
        self.witnesses[index].proofAt = time
        self.witnesses[index].stalledAt = nil
        self.witnesses[index].askedAfterStallAt = nil
    }

    func pinged(_ token: UInt64, by peer: SimulatedPeer) {
        let index = peer.end.index
        self.checkPing(by: peer)
        self.witnesses[index].lastPingAt = peer.time
        self.witnesses[index].pingCount += 1
        self.witnesses[index].owesPing = false
        if self.witnesses[index].stalledAt != nil, self.witnesses[index].askedAfterStallAt == nil {
            self.witnesses[index].askedAfterStallAt = peer.time
        }
        // Behind bulk data that is read slowly an answer may be many pings late.
        if self.witnesses[index].pings.count > 16_384 {
            self.witnesses[index].olderPings = self.witnesses[index].pings
            self.witnesses[index].pings = [:]
        }
        self.witnesses[index].pings[token] = peer.time
    }

    func read(_ bytes: Int, by peer: SimulatedPeer) {
        self.witnesses[peer.end.index].bytesRead += UInt64(bytes)
        self.witnesses[peer.end.index].lastReadAt = peer.time
    }

    /// Something proved the other end alive now.
    func heard(_ peer: SimulatedPeer) {
        guard !peer.machine.isOver else { return }
        self.proved(peer.end.index, at: peer.time)
    }

    /// A pong proves that the other end was alive when its ping was sent, where it names it.
    func heardPong(_ token: UInt64?, by peer: SimulatedPeer) {
        guard !peer.machine.isOver else { return }
        let index = peer.end.index
        let witness = self.witnesses[index]
        let sentAt = token.flatMap { witness.pings[$0] ?? witness.olderPings[$0] } ?? peer.time
        self.proved(index, at: sentAt)
    }

    func readEnd(_ peer: SimulatedPeer) {
        let other = self.witnesses[peer.end.other.index].peer
        if !peer.surroundings.link.truth.isFinished(to: peer.end) {
            self.complain("read a FIN that was never sent", peer)
        }
        guard !peer.machine.isOver, peer.configuration.format != .raw else { return }
        if peer.receivedMessageBytes != other.sentMessageBytes {
            self.complain(
                "read \(peer.receivedMessageBytes) bytes of messages before the FIN, sent were \(other.sentMessageBytes)",
                peer
            )
        }
    }

    func readGoodbye(_ peer: SimulatedPeer) {
        if self.witnesses[peer.end.other.index].closeCount == 0 {
            self.complain("read a goodbye that nobody said", peer)
        }
    }

    func readReset(_ peer: SimulatedPeer) {
        if !self.witnesses[peer.end.other.index].peer.isGone { self.complain("read a reset that nobody sent", peer) }
    }

    func cutOff(_ end: LinkEnd, until: Int64) {
        self.outages.append(self.witnesses[0].peer.time..<max(until, self.witnesses[0].peer.time + 1))
    }

    func performs(_ action: SimulatedAction, _ peer: SimulatedPeer) {
        let index = peer.end.index
        let time = peer.time
        if action.needsProcess { self.runs(peer) }
        switch action {
        case .freeze(let duration):
            self.witnesses[index].wasStopped = true
            self.absent(index, from: time, for: duration)
        case .suspend(let duration):
            self.absent(index, from: time, for: duration)
        case .pauseReading:
            if !peer.machine.isOver, self.witnesses[index].pausedSince == nil {
                self.witnesses[index].pausedSince = time
            }
        case .resumeReading:
            if let since = self.witnesses[index].pausedSince {
                self.witnesses[index].absences.append(since..<max(since, time))
                let credit = self.pauseCredit(index, since: since, until: time)
                self.witnesses[index].credits.append(.init(at: time, length: credit))
                if self.witnesses[index].stalledAt == nil { self.witnesses[index].stalledAt = time }
                self.witnesses[index].pausedSince = nil
            }
        case .readSlowly:
            self.witnesses[index].isSlow = true
        case .send, .talk:
            self.witnesses[index].hasSentMessages = true
        case .crash, .exit, .reset:
            self.witnesses[index].leftWithoutClose = true
        case .setWallClock, .close:
            break
        }
    }

    /// How much of a pause counts: what a stall meanwhile has left out already does not count twice.
    private func pauseCredit(_ index: Int, since: Int64, until: Int64) -> Int64 {
        let counted = self.witnesses[index].credits.filter { $0.at > since && $0.at <= until }.map(\.length)
        return max(0, until - since - counted.reduce(0, +))
    }

    private func absent(_ index: Int, from time: Int64, for duration: Duration?) {
        let end = duration.map { time + max(0, $0.wholeNanoseconds) } ?? .max
        self.witnesses[index].absences.append(time..<end)
    }

    // MARK: - After each step

    func stepped() {
        self.steps += 1
        for witness in self.witnesses {
            let peer = witness.peer
            let hasBacklog = peer.machine.hasBacklog || peer.surroundings.link.queuedBytes(of: peer.end) > 0
            // The end of a backlog is noticed in this step; what follows from it comes in the next one.
            if hasBacklog || witness.hasBacklog { self.witnesses[peer.end.index].lastBacklogAt = peer.time }
            self.witnesses[peer.end.index].hasBacklog = hasBacklog
            self.check(self.witnesses[peer.end.index])
        }
        if self.steps & 511 == 0 { self.checkWheels() }
    }

    func checkWheels() {
        for witness in self.witnesses {
            let peer = witness.peer
            peer.loop.wheel.checkInvariants()
            let expected = peer.isGone ? 0 : 1
            if peer.loop.wheel.entryCount != expected {
                self.complain("\(peer.loop.wheel.entryCount) entries are in the wheel, \(expected) should be", peer)
            }
        }
    }
}
