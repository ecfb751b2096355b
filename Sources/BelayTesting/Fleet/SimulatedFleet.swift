//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// Many connections of one event loop in virtual time: real machines on one real timing wheel, and peers that answer each
/// heartbeat after a round trip until they die.
///
/// It does what `BelayNIO` does for connections on which nothing but heartbeats is exchanged, so that it tells what
/// machines and wheel cost, and whom a policy declares dead, with more connections than any host has descriptors. For
/// one connection on which everything can go wrong there is ``Simulation``.
///
/// ```swift
/// var fleet = SimulatedFleet(try LivenessPolicy(detectWithin: .seconds(30)).timings(), capacity: 1_000_000, seed: 1)
/// for _ in 0..<fleet.capacity { fleet.open(roundTrip: .milliseconds(40)) }
/// fleet.run(until: .seconds(60))
/// fleet.kill(4_711)
/// fleet.run(until: .seconds(90))
/// // fleet.verdicts holds one, about connection 4,711
/// ```
///
/// Time moves in ticks of 0.5 ms, those of `BelayNIO`, and the loop is never late. Deterministic: the same calls with
/// the same seed give the same verdicts.
public struct SimulatedFleet: ~Copyable {
    /// A connection was declared dead.
    public struct Verdict: Hashable, Sendable {
        /// The number of the connection.
        public let connection: Int
        /// When, since the loop began.
        public let at: Duration
        /// Why.
        public let code: DisconnectReason.Code
        /// The time since the last answer arrived, or the connection was opened.
        public let sinceLastSignOfLife: Duration
        /// When the peer had died, since the loop began; nil of a living peer.
        public let diedAt: Duration?
    }

    /// What has happened so far.
    public struct Counters: Hashable, Sendable {
        /// Ticks at which there was anything to do.
        public fileprivate(set) var turns = 0
        /// Deadlines of connections that were reached.
        public fileprivate(set) var deadlines = 0
        /// Pings sent, those to the dead included.
        public fileprivate(set) var pings = 0
        /// Answers received.
        public fileprivate(set) var pongs = 0
        /// Peers that became suspected.
        public fileprivate(set) var suspicions = 0
        /// Suspected peers that were heard again.
        public fileprivate(set) var recoveries = 0
    }

    /// One connection: what the shell holds of it, and its peer.
    struct Connection: ~Copyable {
        var machine: ConnectionMachine
        let entry: TimingWheel.Entry
        var armedFor = Instant.distantFuture
        var lastSignOfLife: Instant
        /// The end of time while the peer lives.
        var diedAt = Instant.distantFuture
        let roundTripTicks: UInt64
        var isOpen = true
    }

    private static let tickNanoseconds: Int64 = 500_000
    /// How many actions one deadline may lead to, as in `BelayNIO`.
    private static let actionsPerDeadline = 8
    private static let heartbeatBytes = 16
    private static let outboundLimit = 4 << 20

    /// Memory that each connection takes, without its entry in the wheel: the machine, and a little for shell and peer.
    public static var bytesPerConnection: Int { MemoryLayout<Connection>.stride }

    /// What the peers are judged by.
    public let timings: LivenessTimings
    /// How many connections can be opened.
    public let capacity: Int
    /// How many connections were opened; they are numbered from 0 in that order.
    public private(set) var openedCount = 0
    /// What has happened so far.
    public private(set) var counters = Counters()
    /// The connections that were declared dead, in that order.
    public private(set) var verdicts: [Verdict] = []

    // Not an array: a machine cannot be copied.
    private let connections: UnsafeMutablePointer<Connection>
    private var wheel = TimingWheel()
    private var answers = AnswerRing()
    private var generator: SplitMix64
    private var tick: UInt64 = 0

    /// A loop without connections.
    ///
    /// - Parameters:
    ///   - timings: what peers are judged by.
    ///   - capacity: how many connections can be opened, at least 0; memory is used for those that are.
    ///   - seed: decides the lengths of the intervals.
    public init(_ timings: LivenessTimings, capacity: Int, seed: UInt64) {
        precondition(capacity >= 0, "no loop can have this capacity")
        self.timings = timings
        self.capacity = capacity
        self.generator = SplitMix64(seed: seed)
        self.connections = .allocate(capacity: capacity)
    }

    deinit {
        self.connections.deinitialize(count: self.openedCount)
        self.connections.deallocate()
    }

    /// How much time has passed.
    public var elapsed: Duration { .nanoseconds(self.now.nanoseconds) }

    private var now: Instant { Instant(nanoseconds: Int64(clamping: self.tick) * Self.tickNanoseconds) }

    /// Opens a connection now, to a peer that answers after this time; returns its number.
    ///
    /// There must be room for it. A round trip is rounded up to whole ticks; at most 60 s.
    @discardableResult
    public mutating func open(roundTrip: Duration) -> Int {
        precondition(self.openedCount < self.capacity, "the simulated loop is full")
        let number = self.openedCount
        let nanoseconds = min(max(roundTrip.wholeNanoseconds, 1), 60_000_000_000)
        var machine = ConnectionMachine(timings: self.timings, outboundLimit: Self.outboundLimit)
        machine.opened(at: self.now, using: &self.generator)
        (self.connections + number).initialize(
            to: Connection(
                machine: machine,
                entry: self.wheel.add(),
                lastSignOfLife: self.now,
                roundTripTicks: UInt64((nanoseconds + Self.tickNanoseconds - 1) / Self.tickNanoseconds)
            )
        )
        self.openedCount += 1
        self.rearm(number)
        return number
    }

    /// The peer dies without a word: what is asked from now on is not answered.
    ///
    /// Answers that are on their way arrive. The dead stay dead.
    public mutating func kill(_ number: Int) {
        precondition(0..<self.openedCount ~= number, "there is no such connection")
        self.connections[number].diedAt = min(self.connections[number].diedAt, self.now)
    }

    /// Lets time pass until so long after the loop began, rounded down to a whole tick.
    public mutating func run(until end: Duration) {
        let last = UInt64(clamping: end.wholeNanoseconds / Self.tickNanoseconds)
        while let next = self.nextTick, next <= last { self.turn(at: max(next, self.tick)) }
        self.tick = max(self.tick, last)
    }

    // MARK: - Turning

    private var nextTick: UInt64? {
        let deadline = self.wheel.nextTick ?? .max
        let next = min(deadline, self.answers.nextTick(after: self.tick) ?? .max)
        return next == .max ? nil : next
    }

    private mutating func turn(at tick: UInt64) {
        self.tick = tick
        self.counters.turns += 1
        let arrived = self.answers.take(at: tick)
        for answer in arrived { self.receive(answer) }
        self.answers.giveBack(arrived, at: tick)
        self.wheel.advance(to: tick)
        while let entry = self.wheel.popDue() { self.deadlineReached(entry.index) }
    }

    private mutating func receive(_ answer: AnswerRing.Answer) {
        let number = Int(answer.connection)
        let now = self.now
        guard self.connections[number].isOpen else { return }
        self.counters.pongs += 1
        self.connections[number].lastSignOfLife = now
        self.connections[number].machine.bytesReceived(Self.heartbeatBytes)
        self.connections[number].machine.pongReceived(token: answer.token, at: now)
        if case .recovered = self.connections[number].machine.readEnded(unfinishedBytes: 0, at: now) {
            self.counters.recoveries += 1
            self.rearm(number)
        }
    }

    private mutating func deadlineReached(_ number: Int) {
        let now = self.now
        self.counters.deadlines += 1
        self.connections[number].armedFor = .distantFuture
        self.connections[number].machine.localHealthChanged(to: LocalHealth())
        // Apart, as two fields of a fleet overlap for the compiler when a sanitizer watches.
        var generator = self.generator
        defer { self.generator = generator }
        for _ in 0..<Self.actionsPerDeadline {
            switch self.connections[number].machine.tick(at: now, using: &generator) {
            case .doNothing: return self.rearm(number)
            case .sendPing(let token): self.ping(number, token)
            case .look(let judgement): self.look(at: number, for: judgement, using: &generator)
            case .close(let close): return self.end(number, close)
            // Nothing ever waits in our own queue, and no farewell is said to the dead.
            case .observeOutbound, .abort: return
            }
        }
        self.rearm(number)
    }

    private mutating func ping(_ number: Int, _ token: UInt64) {
        self.counters.pings += 1
        self.connections[number].machine.bytesSent(Self.heartbeatBytes)
        guard self.connections[number].diedAt == .distantFuture else { return }
        let arrival = self.tick + self.connections[number].roundTripTicks
        self.answers.add(
            .init(connection: UInt32(truncatingIfNeeded: number), token: token),
            at: arrival,
            now: self.tick
        )
    }

    private mutating func look(
        at number: Int,
        for judgement: ConnectionMachine.Judgement,
        using generator: inout SplitMix64
    ) {
        let look = ConnectionMachine.Look(receiveQueue: .empty, queuedBytes: 0)
        let now = self.now
        switch self.connections[number].machine.looked(at: now, for: judgement, look, using: &generator) {
        case .doNothing:
            break
        case .suspect(_, let token):
            self.counters.suspicions += 1
            if let token { self.ping(number, token) }
        case .ask(let token):
            self.ping(number, token)
        case .close(let close):
            self.end(number, close)
        }
    }

    private mutating func end(_ number: Int, _ close: ConnectionMachine.Close) {
        let diedAt = self.connections[number].diedAt
        self.connections[number].isOpen = false
        self.wheel.disarm(self.connections[number].entry)
        self.verdicts.append(
            Verdict(
                connection: number,
                at: self.elapsed,
                code: close.reason.code,
                sinceLastSignOfLife: self.connections[number].lastSignOfLife.duration(to: self.now),
                diedAt: diedAt == .distantFuture ? nil : .nanoseconds(diedAt.nanoseconds)
            )
        )
    }

    private mutating func rearm(_ number: Int) {
        guard let deadline = self.connections[number].machine.nextDeadline,
            deadline < self.connections[number].armedFor
        else { return }
        self.connections[number].armedFor = deadline
        let ticks = max(0, deadline.nanoseconds) / Self.tickNanoseconds
        let isWhole = ticks * Self.tickNanoseconds == deadline.nanoseconds
        self.wheel.arm(self.connections[number].entry, at: UInt64(ticks) + (isWhole ? 0 : 1))
    }
}
