//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayTesting
import Testing

/// One real machine in virtual time: ticks it as a shell does, answers its looks as told, and keeps what it decided.
///
/// Like a shell it is woken at the deadline that was armed last, never re-armed because something was received.
struct ConnectionMachineFixture: ~Copyable {
    /// What the machine decided.
    enum Decision: Equatable {
        case pinged(UInt64)
        case looked(ConnectionMachine.Judgement)
        case observedOutbound
        case suspected(silence: Duration, ping: UInt64?)
        case recovered(silence: Duration)
        case closed(ConnectionMachine.Close)
        case aborted
    }

    var machine: ConnectionMachine
    var generator: SplitMix64
    /// What looks find.
    var receiveQueue = ConnectionMachine.ReceiveQueue.empty
    /// What the kernel tells so long after the opening; nil where it tells nothing.
    var tcp: ((Duration) -> TCPEvidence)?
    /// How much of the time since bytes of ours were acknowledged the observer's clock left out, and the kernel did not.
    var leftOut = Duration.zero
    /// What the network reports so long after the opening.
    var networkError: ((Duration) -> ErrorNumber?)?
    /// How soon the peer answers a ping that reached it; nil when it does not.
    var answersAfter: Duration?
    /// Whether its answers name their pings.
    var answersWithToken = true
    /// Whether the shell tells the machine how much it sends.
    var countsSentBytes = true

    private(set) var decisions: [(at: Duration, decision: Decision)] = []
    private(set) var isStuck = false
    private var clock = ManualClock(now: openedAt)
    private var armedFor = Instant.distantFuture
    private var answersOnTheWay: [(due: Instant, token: UInt64)] = []
    /// How fast the kernel takes what we write; nil when at once.
    private var bytesPerMillisecond: Int?
    /// What the kernel had not taken at ``queueObservedAt``.
    private var queue = 0
    private var queueObservedAt = openedAt

    /// Not a round number, so that grids and truncation are met.
    private static let openedAt = Instant(nanoseconds: 1_234_567_891_234)
    /// More than a machine may need at one instant.
    private static let actionsPerInstant = 8

    init(_ policy: LivenessPolicy, outboundLimit: Int = 1 << 30, seed: UInt64 = 1) throws {
        self.machine = ConnectionMachine(timings: try policy.timings(), outboundLimit: outboundLimit)
        self.generator = SplitMix64(seed: seed)
        self.machine.opened(at: self.clock.now, using: &self.generator)
        self.rearm()
    }

    // MARK: - Time

    var now: Instant { self.clock.now }

    /// The time since the connection was opened.
    var elapsed: Duration { Self.openedAt.duration(to: self.clock.now) }

    /// Lets time pass; whatever falls due in it is done at its time.
    mutating func advance(by duration: Duration) {
        self.advance(to: self.elapsed + duration)
    }

    /// Lets time pass until so long after the opening.
    mutating func advance(to elapsed: Duration) {
        let target = Self.openedAt.advanced(by: elapsed)
        while let next = self.nextWakeUp, next <= target, !self.isStuck {
            self.clock.advance(to: next)
            self.deliverAnswers()
            if self.armedFor <= self.now { self.settle() }
        }
        self.clock.advance(to: target)
    }

    /// Lets time pass in which nothing is done, although it is due, and nobody notices: the loop has too much to do.
    mutating func isNeglected(for duration: Duration) {
        self.clock.advance(to: self.now.advanced(by: duration))
    }

    /// Ticks until there is nothing to do.
    mutating func settle() {
        for _ in 0...Self.actionsPerInstant {
            switch self.machine.tick(at: self.now, using: &self.generator) {
            case .doNothing:
                self.armedFor = .distantFuture
                self.rearm()
                if self.armedFor <= self.now {
                    self.getStuck("nothing to do at \(self.elapsed), but the next deadline has passed")
                }
                return
            case .sendPing(let token):
                self.keep(.pinged(token))
                self.writePing(token)
            case .look(let judgement):
                self.keep(.looked(judgement))
                self.look(for: judgement)
            case .observeOutbound:
                self.keep(.observedOutbound)
                self.observeOutbound()
            case .close(let close):
                self.keep(.closed(close))
            case .abort:
                self.keep(.aborted)
            }
        }
        self.getStuck("more than \(Self.actionsPerInstant) actions at \(self.elapsed)")
    }

    private var nextWakeUp: Instant? {
        let answer = self.machine.areReadsPaused ? nil : self.answersOnTheWay.first?.due
        let next = min(self.armedFor, answer ?? .distantFuture)
        return next == .distantFuture ? nil : next
    }

    private mutating func rearm() {
        guard let deadline = self.machine.nextDeadline else { return }
        self.armedFor = min(self.armedFor, deadline)
    }

    private mutating func getStuck(_ why: Comment) {
        guard !self.isStuck else { return }
        self.isStuck = true
        Issue.record(why)
    }

    private mutating func keep(_ decision: Decision) {
        self.decisions.append((self.elapsed, decision))
    }

    private mutating func look(for judgement: ConnectionMachine.Judgement) {
        let tcp = self.tcp?(self.elapsed)
        let look = ConnectionMachine.Look(
            receiveQueue: self.receiveQueue,
            queuedBytes: self.queuedBytes(),
            tcp: tcp,
            progressAt: tcp.map { self.now.advanced(by: self.leftOut - $0.sinceProgress) },
            networkError: self.networkError?(self.elapsed)
        )
        let action = self.machine.looked(at: self.now, for: judgement, look, using: &self.generator)
        switch action {
        case .doNothing:
            break
        case .suspect(let silence, let ping):
            self.keep(.suspected(silence: silence, ping: ping))
            if let ping { self.writePing(ping) }
        case .ask(let ping):
            self.keep(.pinged(ping))
            self.writePing(ping)
        case .close(let close):
            self.keep(.closed(close))
        }
    }

    /// A ping leaves behind what is queued, and the peer answers it from then on.
    private mutating func writePing(_ token: UInt64) {
        self.enqueue(8)
        guard let answersAfter, self.bytesPerMillisecond != 0 else { return }
        let wait = Duration.milliseconds(self.queue) / (self.bytesPerMillisecond ?? 1)
        self.answersOnTheWay.append((self.now.advanced(by: wait + answersAfter), token))
    }

    private mutating func enqueue(_ bytes: Int) {
        let waiting = self.queuedBytes()
        if self.countsSentBytes { self.machine.bytesSent(bytes) }
        // What fits into a millisecond does not wait behind nothing.
        let isTaken = waiting == 0 && bytes <= self.bytesPerMillisecond ?? .max
        self.queue = isTaken ? 0 : waiting + bytes
    }

    /// What the kernel has not taken until now.
    private mutating func queuedBytes() -> Int {
        if let bytesPerMillisecond {
            let milliseconds = Int(self.queueObservedAt.duration(to: self.now) / .milliseconds(1))
            self.queue = max(0, self.queue - bytesPerMillisecond * milliseconds)
            self.queueObservedAt = self.queueObservedAt.advanced(by: .milliseconds(milliseconds))
        } else {
            self.queue = 0
            self.queueObservedAt = self.now
        }
        return self.queue
    }

    /// Answers that arrived are read, unless nothing is read.
    private mutating func deliverAnswers() {
        guard !self.machine.areReadsPaused else { return }
        while let first = self.answersOnTheWay.first, first.due <= self.now {
            self.answersOnTheWay.removeFirst()
            self.receivesPong(token: self.answersWithToken ? first.token : nil)
        }
    }
}

// MARK: - What happens to the connection

extension ConnectionMachineFixture {
    /// Bytes that complete nothing: the beginning of a message, or more of it.
    mutating func receivesPartOfMessage(_ bytes: Int = 1) {
        self.machine.bytesReceived(bytes)
        self.batchEnded(unfinished: bytes)
        self.rearm()
    }

    /// A message; `unfinished` bytes of the next one came with it.
    @discardableResult
    mutating func receivesMessage(unfinished: Int = 0) -> ConnectionMachine.MessageReceivedAction {
        self.machine.bytesReceived(10)
        let action = self.machine.messageReceived(at: self.now)
        if case .close(let close) = action { self.keep(.closed(close)) }
        self.batchEnded(unfinished: unfinished)
        return action
    }

    @discardableResult
    mutating func receivesPing() -> ConnectionMachine.PingReceivedAction {
        self.machine.bytesReceived(8)
        let action = self.machine.pingReceived(at: self.now)
        if case .close(let close) = action { self.keep(.closed(close)) }
        self.batchEnded(unfinished: 0)
        return action
    }

    mutating func receivesPong(token: UInt64? = nil) {
        self.machine.bytesReceived(8)
        self.machine.pongReceived(token: token, at: self.now)
        self.batchEnded(unfinished: 0)
    }

    @discardableResult
    mutating func receivesHello(
        every: Duration? = nil,
        within: Duration? = nil
    ) -> ConnectionMachine.HelloReceivedAction {
        self.machine.bytesReceived(20)
        let action = self.machine.helloReceived(every: every, within: within, at: self.now)
        if case .close(let close) = action { self.keep(.closed(close)) }
        self.batchEnded(unfinished: 0)
        self.rearm()
        return action
    }

    mutating func receivesWelcome(every: Duration, within: Duration) {
        self.machine.bytesReceived(20)
        self.machine.welcomeReceived(every: every, within: within, at: self.now)
        self.batchEnded(unfinished: 0)
        self.rearm()
    }

    @discardableResult
    mutating func receivesFIN() -> ConnectionMachine.PeerClosedAction {
        let action = self.machine.peerClosed(at: self.now)
        if case .close(let close) = action { self.keep(.closed(close)) }
        self.rearm()
        return action
    }

    /// From now on the kernel takes so many bytes in a millisecond of what we write; nil when everything at once.
    mutating func kernelTakes(bytesPerMillisecond: Int?) {
        _ = self.queuedBytes()
        self.bytesPerMillisecond = bytesPerMillisecond
        self.queueObservedAt = self.now
    }

    /// We write.
    mutating func writes(_ bytes: Int) {
        self.enqueue(bytes)
        self.observeOutbound()
        self.rearm()
    }

    mutating func stalls() {
        self.machine.stallNoticed(at: self.now)
        self.rearm()
    }

    mutating func pausesReading() {
        self.machine.readsPaused(at: self.now)
        self.rearm()
    }

    mutating func resumesReading() {
        self.machine.readsResumed(at: self.now)
        self.rearm()
    }

    mutating func ends(_ cause: DisconnectCause) {
        if let close = self.machine.end(cause, at: self.now) { self.keep(.closed(close)) }
        self.rearm()
    }

    mutating func losesTransport() {
        if let close = self.machine.transportClosed(at: self.now) { self.keep(.closed(close)) }
    }

    private mutating func observeOutbound() {
        switch self.machine.outboundObserved(queuedBytes: self.queuedBytes(), at: self.now) {
        case .doNothing: break
        case .look: self.look(for: .standstill)
        case .close(let close): self.keep(.closed(close))
        }
    }

    private mutating func batchEnded(unfinished: Int) {
        let action = self.machine.readEnded(unfinishedBytes: unfinished, at: self.now)
        switch action {
        case .doNothing: break
        case .caughtUp: self.rearm()
        case .recovered(let silence):
            self.keep(.recovered(silence: silence))
            self.rearm()
        }
    }
}
