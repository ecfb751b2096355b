//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// One end of a simulated connection: a process with a real machine on an event loop, and a scripted program.
///
/// It is the shell that a ``BelayCore/ConnectionMachine`` needs, for a simulated socket: it reads what has arrived and
/// tells the machine, carries out what the machine decides, and is called when the machine wants to be, by a real timing
/// wheel behind a timer that goes off a little late.
public final class SimulatedPeer {
    /// What peers send to each other.
    enum Element: Sendable {
        case ping(UInt64)
        case pong(UInt64?)
        case message(bytes: Int)
        case hello(within: Duration)
        case welcome(every: Duration, within: Duration)
        case goodbye(String)
        /// Part of the stream of a wire format, cut anywhere.
        case bytes([UInt8])
    }

    /// What the two peers of a connection share.
    final class Surroundings {
        let start: Instant
        var link: SimulatedLink<Element>
        var timeline = Timeline()
        /// Who knows the truth, where somebody is to be told it.
        var oracle: Oracle?

        init(start: Instant, link: SimulatedLink<Element>) {
            self.start = start
            self.link = link
        }

        func record(_ event: Timeline.Event, at end: LinkEnd) {
            self.timeline.record(event, at: end, self.start.duration(to: self.link.now))
        }
    }

    /// How many actions one deadline may lead to, as in `BelayNIO`.
    private static let actionsPerDeadline = 8

    /// Which end it is.
    public let end: LinkEnd
    let configuration: Configuration
    let loop: SimulatedLoop
    let surroundings: Surroundings
    var machine: ConnectionMachine
    private(set) var entry: TimingWheel.Entry?
    private var armedFor = Instant.distantFuture
    private var stallsSeen: UInt32 = 0
    /// The program does not read before this, in nanoseconds of true time.
    var readsAgainAt = Int64.min
    var bytesPerSecond: Int?
    var inputEnded = false
    var isGone = false
    var stream: SimulatedStream?
    /// The answers that the batch of elements which is being read asks for.
    var owed = OwedPongs()
    /// Bytes of messages that the program sent, and that it received.
    var sentMessageBytes = 0
    var receivedMessageBytes = 0

    init(
        _ configuration: Configuration,
        end: LinkEnd,
        on loop: SimulatedLoop,
        in surroundings: Surroundings
    ) throws(ConfigurationError) {
        self.end = end
        self.configuration = configuration
        self.loop = loop
        self.surroundings = surroundings
        self.machine = ConnectionMachine(
            timings: try configuration.policy.timings(),
            outboundLimit: configuration.outboundLimit
        )
        self.stream = configuration.format.map(SimulatedStream.init)
    }

    /// Counts and measurements of the machine.
    public var figures: ConnectionMachine.Figures { self.machine.figures }

    /// What the other end is judged by now.
    public var timings: LivenessTimings { self.machine.timings }

    /// Whether the machine suspects the other end now.
    public var isSuspecting: Bool { self.machine.isSuspected }

    /// Whether the machine has ended the connection.
    public var isOver: Bool { self.machine.isOver }

    /// What the wall clock of its host shows.
    public var wallClock: WallClock { self.loop.wallClock(at: self.time) }

    /// True time.
    var time: Int64 { self.surroundings.link.now.nanoseconds }

    // MARK: - Running

    /// The connection is open.
    func open() {
        let now = self.loop.now(at: self.time)
        self.stallsSeen = self.loop.stalls
        self.machine.opened(at: now, using: &self.loop.generator)
        self.entry = self.loop.add(self, judgedBy: self.machine.timings)
        self.surroundings.oracle?.opened(self)
        if let within = self.configuration.asksFor { self.send(.hello(within: within)) }
        self.rearm()
    }

    /// When there is something that the process wants to read; never is the largest number.
    var nextRead: Int64 { self.canRead ? max(self.readsAgainAt, self.loop.stoppedUntil) : .max }

    /// The observer's time, after the machine was told of stalls.
    func observe() -> Instant {
        let now = self.loop.now(at: self.time)
        self.passOnStalls(at: now)
        return now
    }

    /// The loop did not run for this long.
    func loopStalled(_ length: Duration) {
        self.surroundings.record(.stalled(length), at: self.end)
        self.surroundings.oracle?.noticedStall(length, self)
    }

    private func passOnStalls(at now: Instant) {
        guard self.stallsSeen != self.loop.stalls else { return }
        self.stallsSeen = self.loop.stalls
        self.machine.stallNoticed(at: now)
        self.rearm()
    }

    /// Moves the wake-up forward if something is due earlier than it.
    func rearm() {
        guard let entry, let deadline = self.machine.nextDeadline, deadline < self.armedFor else { return }
        self.armedFor = deadline
        self.loop.arm(entry, at: deadline, from: self.time)
    }

    /// Nothing more happens here: the process is gone, or its socket is.
    func leave() {
        self.surroundings.link.release(self.end)
        self.isGone = true
        if let entry {
            self.loop.remove(entry)
            self.entry = nil
        }
    }

    /// A hello or welcome changed what the other end is judged by.
    func timingsChanged() {
        self.loop.lowerTolerance(for: self.machine.timings)
        self.surroundings.oracle?.timingsChanged(self)
        self.rearm()
    }

    // MARK: - Deadlines

    /// The wheel's slot of this connection came.
    func deadlineReached(at now: Instant) {
        self.passOnStalls(at: now)
        self.armedFor = .distantFuture
        self.machine.localHealthChanged(to: self.loop.localHealth)
        for _ in 0..<Self.actionsPerDeadline {
            switch self.machine.tick(at: now, using: &self.loop.generator) {
            case .doNothing:
                if let next = self.machine.nextDeadline, next <= now { self.spins() }
                return self.rearm()
            case .sendPing(let token):
                self.sendPing(token)
                self.observeOutbound(at: now)
            case .look(let judgement):
                self.look(for: judgement, at: now)
            case .observeOutbound:
                self.observeOutbound(at: now)
            case .close(let close):
                self.perform(close)
            case .abort:
                self.surroundings.link.reset(from: self.end)
                self.leave()
            }
        }
        self.spins()
    }

    /// A process whose event loop spins gets nothing else done.
    private func spins() {
        self.surroundings.record(.spun, at: self.end)
        self.loop.stop(until: .max)
    }

    /// What the kernel tells, whose clock stands still while the host is suspended.
    private var evidence: TCPEvidence {
        var tcp = self.surroundings.link.evidence(of: self.end)
        for age in [\TCPEvidence.lastDataSent, \.lastDataReceived, \.lastAckReceived] {
            tcp[keyPath: age] = self.loop.countedMilliseconds(of: tcp[keyPath: age], until: self.time)
        }
        return tcp
    }

    func look(for judgement: ConnectionMachine.Judgement, at now: Instant) {
        let link = self.surroundings.link
        let receiveQueue: ConnectionMachine.ReceiveQueue =
            link.isReset(at: self.end)
            ? .failed(.connectionReset) : link.hasUnread(at: self.end) ? .unread : .empty
        let tcp = self.configuration.showsEvidence ? self.evidence : nil
        let look = ConnectionMachine.Look(
            receiveQueue: receiveQueue,
            queuedBytes: link.queuedBytes(of: self.end),
            tcp: tcp,
            progressAt: tcp.map { self.loop.instant(at: self.time, ago: $0.sinceProgress) }
        )
        switch self.machine.looked(at: now, for: judgement, look, using: &self.loop.generator) {
        case .doNothing:
            break
        case .suspect(let silence, let ping):
            self.surroundings.record(.suspected(silence: silence), at: self.end)
            self.surroundings.oracle?.suspected(self)
            if let ping { self.sendPing(ping) }
        case .ask(let ping):
            self.sendPing(ping)
        case .close(let close):
            self.perform(close)
        }
    }
}
