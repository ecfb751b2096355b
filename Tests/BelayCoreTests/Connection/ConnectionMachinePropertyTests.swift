//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

/// Random policies and random events: what must hold whatever happens.
@Suite("properties of the connection machine")
struct ConnectionMachinePropertyTests {
    @Test(
        "whatever happens there is at most one close, few actions at an instant, and no deadline in the past",
        arguments: 0..<16 as Range<UInt64>
    )
    func chaos(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        for round in 0..<100 {
            let policy = Self.policy(using: &generator)
            var run = ChaosRun(timings: try policy.timings(), seed: generator.next())
            for step in 0..<400 where run.stepsWhenClosed < 40 {
                run.step()
                if let violation = run.violation {
                    Issue.record("\(violation): seed \(seed), round \(round), step \(step), \(policy)")
                    return
                }
            }
        }
    }

    @Test(
        "a peer is declared dead within its bound and not before it, and one that speaks in time never",
        arguments: 0..<8 as Range<UInt64>
    )
    func verdicts(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        for round in 0..<200 {
            var policy = Self.policy(using: &generator)
            policy.idleLimit = nil
            let bound = try policy.timings().bound
            let context: Comment = "seed \(seed), round \(round), \(policy)"
            var connection = try ConnectionMachineFixture(policy, seed: generator.next())
            connection.receivesHello()
            var heardAt = Duration.zero
            for _ in 0..<Int.random(in: 0...20, using: &generator) {
                let gap = bound.wholeNanoseconds * Int64.random(in: 0...89, using: &generator) / 100
                connection.advance(by: .nanoseconds(gap))
                connection.receivesMessage()
                heardAt = connection.elapsed
            }
            connection.expectOpen(context)
            guard connection.end == nil else { return }
            let suspicionsBefore = connection.suspicions.count
            connection.advance(by: bound * 2)
            connection.expectClosed(.peerSilent, in: ConnectionMachineFixture.punctual(bound, after: heardAt), context)
            guard connection.suspicions.count == suspicionsBefore + 1, connection.recoveries.count == suspicionsBefore
            else {
                Issue.record("\(connection.suspicions) suspicions, \(connection.recoveries) recoveries, \(context)")
                return
            }
        }
    }

    @Test("a quiet peer that answers each ping in time is never declared dead", arguments: 0..<8 as Range<UInt64>)
    func answers(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        for round in 0..<100 {
            var policy = Self.policy(using: &generator)
            policy.heartbeats = .both
            policy.idleLimit = nil
            let timings = try policy.timings()
            var connection = try ConnectionMachineFixture(policy, seed: generator.next())
            connection.answersAfter = .nanoseconds(timings.replyWithin.wholeNanoseconds / 2)
            connection.answersWithToken = Bool.random(using: &generator)
            connection.receivesHello()
            connection.advance(by: timings.bound * 20)
            connection.expectOpen("seed \(seed), round \(round), \(policy)")
            guard connection.end == nil else { return }
        }
    }

    // MARK: - Random policies

    /// A random policy that is valid.
    private static func policy(using generator: inout SplitMix64) -> LivenessPolicy {
        while true {
            let scale: Int64 = Int.random(in: 0..<3, using: &generator) == 0 ? 60 : 1
            let bound = Duration.milliseconds(Int64.random(in: 20...2_000, using: &generator) * scale)
            let part = Duration.milliseconds(Int64.random(in: 5...2_000, using: &generator))
            let other = Duration.milliseconds(Int64.random(in: 5...2_000, using: &generator))
            var policy =
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: LivenessPolicy(detectWithin: bound, attempts: .random(in: 1...10, using: &generator))
                case 1: LivenessPolicy(interval: part, detectWithin: bound)
                default: LivenessPolicy(interval: part, replyWithin: other)
                }
            policy.heartbeats = LivenessPolicy.Heartbeats.allCases.randomElement(using: &generator)!
            policy.pingAlways = Int.random(in: 0..<4, using: &generator) == 0
            policy.requiresHello = Int.random(in: 0..<4, using: &generator) == 0
            policy.allowHalfClosure = Int.random(in: 0..<4, using: &generator) == 0
            if Bool.random(using: &generator) { policy.suspectAfter = part }
            if Bool.random(using: &generator) { policy.writeWithin = other + .milliseconds(15) }
            if Bool.random(using: &generator) { policy.handshakeWithin = part + .milliseconds(15) }
            if Bool.random(using: &generator) { policy.messageWithin = part + .milliseconds(15) }
            if Int.random(in: 0..<4, using: &generator) == 0 { policy.idleLimit = part + .milliseconds(15) }
            if Bool.random(using: &generator) { policy.readPauseLimit = part + .milliseconds(15) }
            policy.minimumPeerInterval = other / 4
            if policy.heartbeats == .both || policy.heartbeats == .ping {
                let detectors: [Detector] = [.fixed, .nfde(), .nfde(margin: .fixed(part), stallWindow: 1), .phi()]
                policy.detector = detectors.randomElement(using: &generator)!
            }
            policy.closeWithin = part
            if (try? policy.validate()) != nil { return policy }
        }
    }
}

/// One machine under random events, and what it must not do.
private struct ChaosRun: ~Copyable {
    /// More than a machine may need at one instant.
    private static let actionsPerInstant = 8

    private(set) var violation: String?
    private(set) var stepsWhenClosed = 0
    private var machine: ConnectionMachine
    private var generator: SplitMix64
    private var now = Instant(nanoseconds: 5_000_000_007)
    private var closes = 0
    private var queued = 0
    private var receiveQueue = ConnectionMachine.ReceiveQueue.empty
    /// Whether a named rule may have put the verdict off: R5, R6, R7 or R8.
    private var isExcused = false
    private var mayExcuse: Bool

    init(timings: LivenessTimings, seed: UInt64) {
        self.machine = ConnectionMachine(timings: timings, outboundLimit: 100_000)
        self.generator = SplitMix64(seed: seed)
        self.mayExcuse = seed % 4 != 0
        self.machine.opened(at: self.now, using: &self.generator)
    }

    /// One random event, with the deadlines before it.
    mutating func step() {
        if self.machine.isClosed { self.stepsWhenClosed += 1 }
        self.pass(.nanoseconds(.random(in: 0...40_000_000, using: &self.generator)))
        self.event(Int.random(in: 0..<96, using: &self.generator))
        self.settle()
    }

    private mutating func pass(_ duration: Duration) {
        let target = self.now.advanced(by: duration)
        while let next = self.machine.nextDeadline, next <= target, self.violation == nil {
            self.now = max(self.now, next)
            self.settle()
        }
        self.now = target
    }

    private mutating func settle() {
        for _ in 0...Self.actionsPerInstant {
            switch self.machine.tick(at: self.now, using: &self.generator) {
            case .doNothing:
                if let next = self.machine.nextDeadline, next <= self.now {
                    self.violation = "nothing to do, but the next deadline has passed"
                }
                return
            case .sendPing:
                self.send(8)
            case .look(let judgement):
                self.look(for: judgement)
            case .observeOutbound:
                self.observe()
            case .close(let close):
                self.closed(close)
            case .abort:
                if self.closes != 1 { self.violation = "an abort without a close before it" }
            }
        }
        self.violation = "too many actions at one instant"
    }

    private mutating func closed(_ close: ConnectionMachine.Close?) {
        guard let close else { return }
        self.closes += 1
        if self.closes > 1 { self.violation = "a second close" }
        guard close.reason.code == .peerSilent else { return }
        let bound = self.machine.timings.bound
        if close.silence < bound - max(bound / 50, .milliseconds(5)) { self.violation = "a verdict before the bound" }
        if close.silence > bound, !self.isExcused { self.violation = "a verdict after the bound" }
    }

    private mutating func send(_ bytes: Int) {
        self.machine.bytesSent(bytes)
        if self.queued > 0 { self.queued += bytes }
    }

    private mutating func observe() {
        if self.queued > 0 { self.isExcused = true }
        switch self.machine.outboundObserved(queuedBytes: self.queued, at: self.now) {
        case .doNothing: break
        case .look: self.look(for: .standstill)
        case .close(let close): self.closed(close)
        }
    }

    private mutating func look(for judgement: ConnectionMachine.Judgement) {
        if self.receiveQueue == .unread { self.isExcused = true }
        let action = self.machine.looked(
            at: self.now,
            for: judgement,
            .init(receiveQueue: self.receiveQueue, queuedBytes: self.queued),
            using: &self.generator
        )
        switch action {
        case .doNothing: break
        case .suspect(_, let ping): if ping != nil { self.send(8) }
        case .ask: self.send(8)
        case .close(let close): self.closed(close)
        }
    }

    /// Rare events are few among the numbers below 96, because a connection that is over tests little.
    private mutating func event(_ number: Int) {
        switch number {
        case 0..<10: self.machine.heard(at: self.now)
        case 10..<20:
            let token = UInt64.random(in: 0..<20_000_000, using: &self.generator)
            self.machine.pongReceived(token: Bool.random(using: &self.generator) ? nil : token, at: self.now)
        case 20..<26: if case .close(let close) = self.machine.pingReceived(at: self.now) { self.closed(close) }
        case 26..<34: if case .close(let close) = self.machine.messageReceived(at: self.now) { self.closed(close) }
        case 34..<50:
            let unfinished = Int.random(in: 0...2, using: &self.generator)
            _ = self.machine.readEnded(unfinishedBytes: unfinished, at: self.now)
        case 50..<56: self.machine.bytesReceived(.random(in: 0...10_000, using: &self.generator))
        case 56..<60: self.receiveQueue = .empty
        case 60: self.machine.welcomeReceived(every: self.anyDuration, within: self.anyDuration, at: self.now)
        case 61:
            let hello = self.machine.helloReceived(every: self.anyDuration, within: self.anyDuration, at: self.now)
            if case .close(let close) = hello { self.closed(close) }
        case 62..<66 where self.mayExcuse: self.excuse()
        case 66..<72 where self.mayExcuse:
            let bytes = Int.random(in: 0...2_000, using: &self.generator)
            self.machine.bytesSent(bytes)
            self.queued += bytes
            self.observe()
        case 72..<84:
            self.queued = Int.random(in: 0...self.queued, using: &self.generator)
            if Bool.random(using: &self.generator) { self.observe() }
        case 95 where Int.random(in: 0..<8, using: &self.generator) == 0: self.finish()
        default: break
        }
    }

    private mutating func excuse() {
        self.isExcused = true
        switch Int.random(in: 0..<4, using: &self.generator) {
        case 0: self.machine.stallNoticed(at: self.now)
        case 1: self.machine.readsPaused(at: self.now)
        case 2: self.machine.readsResumed(at: self.now)
        default: self.receiveQueue = [.unread, .unknown].randomElement(using: &self.generator)!
        }
    }

    private mutating func finish() {
        switch Int.random(in: 0..<6, using: &self.generator) {
        case 0: if case .close(let close) = self.machine.peerClosed(at: self.now) { self.closed(close) }
        case 1: self.closed(self.machine.end(.failed(.connectionReset), at: self.now))
        case 2: self.closed(self.machine.end(.goodbye(code: "x", retryAfter: nil), at: self.now))
        case 3: self.closed(self.machine.closeRequested(at: self.now))
        case 4: self.closed(self.machine.drainRequested(at: self.now))
        default: self.closed(self.machine.transportClosed(at: self.now))
        }
    }

    private var anyDuration: Duration {
        mutating get {
            [.zero, .seconds(-1), .milliseconds(.random(in: 1...3_000, using: &self.generator)), .seconds(Int64.max)]
                .randomElement(using: &self.generator)!
        }
    }
}
