//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// One end of a simulated connection: a process with a real machine and a real observer clock, and a scripted program.
///
/// It is the shell that a ``BelayCore/ConnectionMachine`` needs, for a simulated socket: it reads what has arrived and
/// tells the machine, carries out what the machine decides, and wakes up when the machine wants to be called, at the
/// next tick of a timing wheel and a little late.
public final class SimulatedPeer {
    /// What peers send to each other.
    enum Element: Sendable {
        case ping(UInt64)
        case pong(UInt64?)
        case message
        case hello(within: Duration)
        case welcome(every: Duration, within: Duration)
        case goodbye(String)
    }

    /// What the peers of a simulation share.
    struct Surroundings {
        let start: Instant
        var link: SimulatedLink<Element>
        var timeline = Timeline()

        mutating func record(_ event: Timeline.Event, at end: LinkEnd) {
            self.timeline.record(event, at: end, self.start.duration(to: self.link.now))
        }
    }

    /// The tick of the timing wheel in `BelayNIO`.
    private static let tickNanoseconds: Int64 = 500_000
    /// How many actions one deadline may lead to, as in `BelayNIO`.
    private static let actionsPerDeadline = 8

    /// Which end it is.
    public let end: LinkEnd
    let configuration: Configuration
    var machine: ConnectionMachine
    private var clock: ObserverClock
    private var generator: SplitMix64
    private var armedFor = Instant.distantFuture
    // Nanoseconds of true time, from here on.
    private var wakesAt = Int64.max
    /// The process does not run before this.
    var stoppedUntil = Int64.min
    /// The program does not read before this.
    var readsAgainAt = Int64.min
    var bytesPerSecond: Int?
    var inputEnded = false
    var isGone = false
    /// The answers that the batch of elements which is being read asks for.
    var owedToken: UInt64?
    var owedUntokened = 0

    init(_ configuration: Configuration, end: LinkEnd, seed: UInt64) throws(ConfigurationError) {
        let timings = try configuration.policy.timings()
        self.end = end
        self.configuration = configuration
        self.machine = ConnectionMachine(timings: timings, outboundLimit: configuration.outboundLimit)
        self.clock = ObserverClock(tolerance: timings.stallTolerance)
        self.generator = SplitMix64(seed: seed)
    }

    /// Counts and measurements of the machine.
    public var figures: ConnectionMachine.Figures { self.machine.figures }

    /// What the other end is judged by now.
    public var timings: LivenessTimings { self.machine.timings }

    /// Whether the machine suspects the other end now.
    public var isSuspecting: Bool { self.machine.isSuspected }

    /// Whether the machine has ended the connection.
    public var isOver: Bool { self.machine.isOver }

    // MARK: - Running

    /// The connection is open.
    func open(in surroundings: inout Surroundings) {
        let now = self.observe(&surroundings)
        self.machine.opened(at: now, using: &self.generator)
        if let within = self.configuration.asksFor {
            self.send(.hello(within: within), in: &surroundings)
        }
        self.rearm(in: surroundings)
    }

    /// When the process has something to do next.
    func nextTurn(in surroundings: borrowing Surroundings) -> Int64 {
        let next = self.canRead(in: surroundings) ? min(self.wakesAt, self.readsAgainAt) : self.wakesAt
        return max(next, self.stoppedUntil)
    }

    /// The process runs: it reads what there is and does what is due, in either order, as an event loop may.
    func turn(in surroundings: inout Surroundings) {
        let now = self.observe(&surroundings)
        let isDue = self.wakesAt <= surroundings.link.now.nanoseconds
        let readsLast = isDue && self.generator.next() & 1 == 1
        if !readsLast { self.read(at: now, in: &surroundings) }
        if isDue { self.deadlineReached(at: now, in: &surroundings) }
        if readsLast { self.read(at: now, in: &surroundings) }
        self.rearm(in: surroundings)
    }

    /// Reads the observer clock, and tells the machine of a stall that this reveals.
    func observe(_ surroundings: inout Surroundings) -> Instant {
        let (now, stall) = self.clock.read(monotonicNanoseconds: surroundings.link.now.nanoseconds)
        if let stall {
            surroundings.record(.stalled(stall.length), at: self.end)
            self.machine.stallNoticed(at: now)
        }
        return now
    }

    /// Moves the wake-up forward if something is due earlier than it.
    func rearm(in surroundings: borrowing Surroundings) {
        guard !self.isGone, let deadline = self.machine.nextDeadline, deadline < self.armedFor else { return }
        self.armedFor = deadline
        let tick = Self.tickNanoseconds
        let slot = Instant(nanoseconds: (deadline.nanoseconds + tick - 1) / tick * tick)
        let wakesAt = max(self.clock.monotonicNanoseconds(of: slot), surroundings.link.now.nanoseconds)
        self.clock.expectReading(at: wakesAt)
        let longestLateness = max(0, self.configuration.wakeUpLateness.wholeNanoseconds)
        self.wakesAt = wakesAt + Int64.random(in: 0...longestLateness, using: &self.generator)
    }

    /// Nothing more happens here: the process is gone, or its socket is.
    func leave(in surroundings: inout Surroundings) {
        surroundings.link.release(self.end)
        self.isGone = true
        self.wakesAt = .max
    }

    /// A hello or welcome changed what the other end is judged by.
    func timingsChanged() {
        self.clock.lowerTolerance(to: self.machine.timings.stallTolerance)
    }

    // MARK: - Deadlines

    private func deadlineReached(at now: Instant, in surroundings: inout Surroundings) {
        self.wakesAt = .max
        self.armedFor = .distantFuture
        self.clock.expectReading(at: .max)
        for _ in 0..<Self.actionsPerDeadline {
            switch self.machine.tick(at: now, using: &self.generator) {
            case .doNothing:
                if let next = self.machine.nextDeadline, next <= now { self.spins(in: &surroundings) }
                return
            case .sendPing(let token):
                self.send(.ping(token), in: &surroundings)
                self.observeOutbound(at: now, in: &surroundings)
            case .look(let judgement):
                self.look(for: judgement, at: now, in: &surroundings)
            case .observeOutbound:
                self.observeOutbound(at: now, in: &surroundings)
            case .close(let close):
                self.perform(close, in: &surroundings)
            case .abort:
                surroundings.link.reset(from: self.end)
                self.leave(in: &surroundings)
            }
        }
        self.spins(in: &surroundings)
    }

    /// A process whose event loop spins gets nothing else done.
    private func spins(in surroundings: inout Surroundings) {
        surroundings.record(.spun, at: self.end)
        self.stoppedUntil = .max
    }

    func look(
        for judgement: ConnectionMachine.Judgement,
        at now: Instant,
        in surroundings: inout Surroundings
    ) {
        let receiveQueue: ConnectionMachine.ReceiveQueue =
            surroundings.link.isReset(at: self.end)
            ? .failed(.connectionReset) : surroundings.link.hasUnread(at: self.end) ? .unread : .empty
        let action = self.machine.looked(
            at: now,
            for: judgement,
            .init(receiveQueue: receiveQueue, queuedBytes: surroundings.link.queuedBytes(of: self.end)),
            using: &self.generator
        )
        switch action {
        case .doNothing:
            break
        case .suspect(let silence, let ping):
            surroundings.record(.suspected(silence: silence), at: self.end)
            if let ping { self.send(.ping(ping), in: &surroundings) }
        case .ask(let ping):
            self.send(.ping(ping), in: &surroundings)
        case .close(let close):
            self.perform(close, in: &surroundings)
        }
    }
}
