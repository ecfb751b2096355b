//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// Knows what really happens in a simulation, and complains where a machine says or does what is not true.
///
/// It draws its own conclusions from what happens in the world: what arrived, who was stopped when, what was cut off, and
/// from the policies: what they promise, and what a hello makes of it. It takes from the machines what they decide, nothing
/// of how they come to it.
final class Oracle {
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
        self.witnesses = [Witness(server), Witness(client)]
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
        self.witnesses[peer.end.index].lastMessageAt = time
        self.checkTimings(peer)
    }

    /// The other end asked for a bound.
    func readHello(within: Duration, by peer: SimulatedPeer) {
        self.heard(peer, isHello: true)
        self.witnesses[peer.end.index].promise.asked(within: within.wholeNanoseconds)
    }

    /// The other end says what is in force.
    func readWelcome(every: Duration, within: Duration, by peer: SimulatedPeer) {
        self.heard(peer, isHello: true)
        self.witnesses[peer.end.index].promise.welcomed(
            every: every.wholeNanoseconds,
            within: within.wholeNanoseconds
        )
    }

    /// The machine judges by what was asked for.
    func timingsChanged(_ peer: SimulatedPeer) {
        self.witnesses[peer.end.index].timingsChangedAt = peer.time
        if !peer.machine.isOver { self.checkTimings(peer) }
    }

    /// Its process runs; when that is later than it should have woken up, or has run since without waking up, it was absent.
    func runs(_ peer: SimulatedPeer) {
        let (index, dueAt) = (peer.end.index, peer.loop.isDueAt)
        let tolerance = peer.loop.tolerance.wholeNanoseconds
        let since = max(dueAt, self.witnesses[index].absentUntil)
        guard since < peer.time, peer.time - since > tolerance else { return }
        self.witnesses[index].absentUntil = peer.time
        self.witnesses[index].absences.append(since..<peer.time)
        self.witnesses[index].credits.append(.init(at: peer.time, length: peer.time - since - tolerance))
        self.stalled(.nanoseconds(peer.time - since), peer)
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
        self.answered(index, at: time)
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
        self.asked(peer)
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

    /// Something complete was heard, which ends the handshake where no hello is required.
    func heard(_ peer: SimulatedPeer, isHello: Bool) {
        self.heard(peer)
        if isHello || !peer.configuration.policy.requiresHello { self.witnesses[peer.end.index].isGreeted = true }
    }

    /// A message was heard.
    func heardMessage(_ peer: SimulatedPeer) {
        self.heard(peer, isHello: false)
        self.witnesses[peer.end.index].lastMessageAt = peer.time
    }

    /// A pong proves that the other end was alive when its ping was sent, where it names it.
    func heardPong(_ token: UInt64?, by peer: SimulatedPeer) {
        guard !peer.machine.isOver else { return }
        let index = peer.end.index
        let witness = self.witnesses[index]
        let sentAt = token.flatMap { witness.pings[$0] ?? witness.olderPings[$0] } ?? peer.time
        self.proved(index, at: sentAt)
        if !peer.configuration.policy.requiresHello { self.witnesses[index].isGreeted = true }
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
            self.absent(index, from: time, for: duration)
        case .suspend(let duration):
            self.absent(index, from: time, for: duration)
            self.suspended(index, from: time, for: duration)
        case .pauseReading:
            if !peer.machine.isOver, self.witnesses[index].pausedSince == nil {
                self.witnesses[index].pausedSince = time
            }
        case .resumeReading:
            if let since = self.witnesses[index].pausedSince {
                self.witnesses[index].absences.append(since..<max(since, time))
                self.witnesses[index].pauses.append(since..<max(since, time))
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
        case .close:
            self.witnesses[index].isToClose = true
        case .drain:
            self.witnesses[index].isToDrain = true
        case .setWallClock:
            break
        }
    }

    /// How much of a pause counts: what a stall meanwhile has left out already does not count twice.
    private func pauseCredit(_ index: Int, since: Int64, until: Int64) -> Int64 {
        let counted = self.witnesses[index].credits.filter { $0.at > since && $0.at <= until }.map(\.length)
        return max(0, until - since - counted.reduce(0, +))
    }

    /// The monotonic clock of a suspended host stands still; no time passes twice.
    private func suspended(_ index: Int, from time: Int64, for duration: Duration) {
        let end = time + max(0, duration.wholeNanoseconds)
        let before = max(time, self.witnesses[index].suspendedUntil)
        guard end > before else { return }
        self.witnesses[index].credits.append(.init(at: end, length: end - before))
        if self.witnesses[index].absentUntil > .min { self.witnesses[index].absentUntil += end - before }
        self.witnesses[index].suspendedUntil = end
    }

    private func absent(_ index: Int, from time: Int64, for duration: Duration?) {
        let end = duration.map { time + max(0, $0.wholeNanoseconds) } ?? .max
        self.witnesses[index].absences.append(time..<end)
    }

    // MARK: - After each step

    /// Checks everything, from time to time also that each loop has one entry for its one connection.
    func stepped(checkingWheels: Bool = true) {
        self.steps += 1
        for index in self.witnesses.indices {
            self.noteQueue(of: index)
            self.check(self.witnesses[index])
        }
        if checkingWheels, self.steps & 511 == 0 { self.checkWheels() }
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
