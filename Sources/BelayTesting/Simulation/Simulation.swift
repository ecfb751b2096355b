//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// Two peers with real machines and observer clocks over a simulated link, in virtual time.
///
/// A script says what happens to them; the ``timeline`` tells what they decided. Nothing takes real time, and all
/// randomness comes from the seed: the same seed and script give the same timeline.
///
/// ```swift
/// let simulation = try Simulation(
///     server: .init(LivenessPolicy(detectWithin: .seconds(30))),
///     client: .answering(),
///     over: LinkConditions(latency: .milliseconds(20), jitter: .milliseconds(5), loss: 0.01),
///     seed: 1
/// )
/// simulation.schedule(.freeze(for: nil), by: .client, at: .seconds(100))
/// simulation.run(for: .seconds(200))
/// // simulation.timeline.closes(of: .server) holds one close, with the reason peer.silent
/// ```
///
/// A discrete event simulation: in each step time jumps to the next thing that happens in the link, in the script or at
/// one of the peers. What happens at the same time happens in that order, then in the order in which it was scheduled.
public final class Simulation {
    private enum Scheduled {
        case action(SimulatedAction, by: LinkEnd, isRepeated: Bool)
        case outage(to: LinkEnd, for: Duration?)
    }

    /// The seed of everything that is random.
    public let seed: UInt64
    /// The end that accepted the connection.
    public let server: SimulatedPeer
    /// The end that opened it.
    public let client: SimulatedPeer
    let surroundings: SimulatedPeer.Surroundings
    private var script = EventQueue<Scheduled>()

    /// A simulation whose two directions are alike; the connection is open.
    ///
    /// - Throws: ``BelayCore/ConfigurationError`` if a policy is not valid.
    public convenience init(
        server: SimulatedPeer.Configuration,
        client: SimulatedPeer.Configuration,
        over conditions: LinkConditions = LinkConditions(),
        seed: UInt64
    ) throws(ConfigurationError) {
        try self.init(server: server, client: client, toServer: conditions, toClient: conditions, seed: seed)
    }

    /// A simulation whose two directions differ; the connection is open.
    ///
    /// - Throws: ``BelayCore/ConfigurationError`` if a policy is not valid.
    public convenience init(
        server: SimulatedPeer.Configuration,
        client: SimulatedPeer.Configuration,
        toServer: LinkConditions,
        toClient: LinkConditions,
        seed: UInt64
    ) throws(ConfigurationError) {
        try self.init(
            server: server,
            client: client,
            toServer: toServer,
            toClient: toClient,
            seed: seed,
            observesTruth: false
        )
    }

    init(
        server: SimulatedPeer.Configuration,
        client: SimulatedPeer.Configuration,
        toServer: LinkConditions,
        toClient: LinkConditions,
        seed: UInt64,
        observesTruth: Bool
    ) throws(ConfigurationError) {
        var seeds = SplitMix64(seed: seed)
        self.seed = seed
        let loopSeeds = [seeds.next(), seeds.next()]
        // Timers are aligned to a grid; it must not matter where on the grid a connection begins.
        let start = Instant(nanoseconds: Int64.random(in: 1_000_000_000...2_000_000_000, using: &seeds))
        self.surroundings = SimulatedPeer.Surroundings(
            start: start,
            link: SimulatedLink(toServer: toServer, toClient: toClient, seed: seeds.next(), now: start)
        )
        let loops = zip([server, client], loopSeeds).map { configuration, seed in
            SimulatedLoop(now: start.nanoseconds, wakeUpLateness: configuration.wakeUpLateness, seed: seed)
        }
        self.server = try SimulatedPeer(server, end: .server, on: loops[0], in: self.surroundings)
        self.client = try SimulatedPeer(client, end: .client, on: loops[1], in: self.surroundings)
        self.surroundings.oracle = observesTruth ? Oracle(self.server, self.client, toServer, toClient) : nil
        self.server.open()
        self.client.open()
    }

    /// What happened so far.
    public var timeline: Timeline { self.surroundings.timeline }

    /// How much time has passed.
    public var elapsed: Duration { self.surroundings.start.duration(to: self.surroundings.link.now) }

    /// What has happened on the way to this end.
    public func counters(to end: LinkEnd) -> LinkCounters { self.surroundings.link.counters(to: end) }

    /// Lets something happen at one end, at a time since the beginning.
    public func schedule(_ action: SimulatedAction, by end: LinkEnd, at time: Duration) {
        self.script.push(.action(action, by: end, isRepeated: false), at: self.instant(time).nanoseconds)
    }

    /// Lets nothing through towards one end, from a time since the beginning on; nil is for ever.
    public func interrupt(to end: LinkEnd, at time: Duration, for duration: Duration?) {
        self.script.push(.outage(to: end, for: duration), at: self.instant(time).nanoseconds)
    }

    /// Lets nothing through in both directions: a pulled cable, a host without power.
    ///
    /// Nil is for ever.
    public func interrupt(at time: Duration, for duration: Duration?) {
        for end in LinkEnd.allCases { self.interrupt(to: end, at: time, for: duration) }
    }

    /// Lets time pass.
    public func run(for duration: Duration) {
        let deadline = self.instant(self.elapsed + duration)
        while case let next = self.nextTime, next <= deadline.nanoseconds, next < .max {
            self.surroundings.link.advance(to: Instant(nanoseconds: next))
            while let scheduled = self.script.pop(dueAt: next) { self.perform(scheduled, at: next) }
            Self.turn(self.server, at: next)
            Self.turn(self.client, at: next)
            self.surroundings.oracle?.stepped()
        }
        self.surroundings.link.advance(to: deadline)
        self.surroundings.oracle?.stepped()
    }

    /// The process of an end runs, if it has something to do: it reads and does what is due, in either order.
    private static func turn(_ peer: SimulatedPeer, at time: Int64) {
        let isDue = Self.wakeUp(of: peer) <= time
        if isDue || peer.nextRead <= time { peer.surroundings.oracle?.runs(peer) }
        let readsLast = isDue && peer.loop.generator.next() & 1 == 1
        if !readsLast { peer.read() }
        if isDue {
            peer.loop.turn(at: time)
        }
        if readsLast { peer.read() }
    }

    private static func wakeUp(of peer: SimulatedPeer) -> Int64 { max(peer.loop.wakesAt, peer.loop.stoppedUntil) }

    /// When something happens next; never is the largest number.
    private var nextTime: Int64 {
        let link = self.surroundings.link.nextEvent?.nanoseconds ?? .max
        var next = min(link, self.script.nextTime)
        for peer in [self.server, self.client] { next = min(next, peer.nextRead, Self.wakeUp(of: peer)) }
        return max(next, self.surroundings.link.now.nanoseconds)
    }

    private func perform(_ scheduled: Scheduled, at time: Int64) {
        switch scheduled {
        case .outage(let end, let duration):
            let begin = self.surroundings.link.now
            self.surroundings.record(.cutOff(for: duration), at: end)
            let outage = begin..<(duration.map(begin.advanced(by:)) ?? .distantFuture)
            self.surroundings.link.interrupt(to: end, during: outage)
            self.surroundings.oracle?.cutOff(end, until: outage.upperBound.nanoseconds)
        case .action(let action, let end, let isRepeated):
            self.perform(action, by: end, isRepeated: isRepeated, at: time)
        }
    }

    private func perform(_ action: SimulatedAction, by end: LinkEnd, isRepeated: Bool, at time: Int64) {
        let peer = end == .server ? self.server : self.client
        guard !peer.isGone else { return }
        let stoppedUntil = peer.loop.stoppedUntil
        guard !action.needsProcess || stoppedUntil <= time else {
            let stoppedForEver = stoppedUntil == .max
            if !stoppedForEver {
                self.script.push(.action(action, by: end, isRepeated: isRepeated), at: stoppedUntil)
            }
            return
        }
        if !isRepeated { self.surroundings.record(.performed(action), at: end) }
        self.surroundings.oracle?.performs(action, peer)
        peer.perform(action)
        switch action {
        case .suspend(let duration):
            self.perform(.outage(to: end, for: duration), at: time)
            self.perform(.outage(to: end.other, for: duration), at: time)
        case .crash(let duration):
            self.perform(.outage(to: end, for: duration), at: time)
            self.perform(.outage(to: end.other, for: duration), at: time)
        case .talk(let interval, _):
            let next = time + max(1, interval.wholeNanoseconds)
            self.script.push(.action(action, by: end, isRepeated: true), at: next)
        case .pauseReading(.some(let duration)):
            let resumption = Scheduled.action(.resumeReading, by: end, isRepeated: false)
            self.script.push(resumption, at: time + duration.wholeNanoseconds)
        case .pauseReading, .freeze, .setWallClock, .resumeReading, .readSlowly, .send, .close, .drain, .exit, .reset:
            break
        }
    }

    private func instant(_ time: Duration) -> Instant { self.surroundings.start.advanced(by: time) }
}

extension Simulation {
    /// What the oracle found wrong in all, once nothing more is to happen.
    func finalComplaints() -> [String] {
        guard let oracle = self.surroundings.oracle else { return [] }
        oracle.checkWheels()
        oracle.checkEnds()
        let spins = self.timeline.entries.filter { $0.event == .spun }.map { "\($0)" }
        return oracle.complaints + spins
    }
}
