//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

@testable import BelayTesting

/// Many clients on one event loop of a server: they connect, lose the server together, and come back (rules R13, R14).
///
/// The server keeps a presence table as a gateway does: each connection of a client has an epoch, and the end of a
/// connection makes its client offline only while no newer one is there.
final class SimulatedStorm {
    private struct Line {
        let identity: Int
        let epoch: UInt64
        let surroundings: SimulatedPeer.Surroundings
        let server: SimulatedPeer
        let client: SimulatedPeer
        let openedAt: Int64
        var serverClosed = false
        var clientClosed = false
    }

    private struct Client {
        var backoff = ReconnectBackoff(ReconnectPolicy())
        var connectsAt: Int64
        /// The epoch in which it is online, as the server sees it.
        var onlineEpoch: UInt64?
        var latestEpoch: UInt64 = 0
    }

    let serverLoop: SimulatedLoop
    private let policy: LivenessPolicy
    private let conditions: LinkConditions
    private var random: SplitMix64
    private var registry = EpochRegistry()
    private var clients: [Client]
    private var lines: [Line] = []
    private var outage: Range<Int64> = .max..<(.max)
    private var now: Int64 = 1_000_000_000
    /// Connections that were opened, and ends that their two machines reported.
    private(set) var opened = 0
    private(set) var serverCloses = 0
    private(set) var clientCloses = 0
    /// What the oracles beside the connections found wrong.
    private(set) var complaints: [String] = []
    /// When clients connected, since the beginning.
    private(set) var connects: [Duration] = []

    init(clients: Int, policy: LivenessPolicy, over conditions: LinkConditions, seed: UInt64) {
        self.policy = policy
        self.conditions = conditions
        self.random = SplitMix64(seed: seed)
        self.serverLoop = SimulatedLoop(now: self.now, wakeUpLateness: .microseconds(500), seed: seed &+ 1)
        self.clients = (0..<clients).map { Client(connectsAt: 1_000_000_000 + Int64($0) * 1_000_000) }
    }

    /// How many clients are online, as the server sees it.
    var onlineCount: Int { self.clients.filter { $0.onlineEpoch != nil }.count }
    /// Whether everybody is online in the connection that is the latest.
    var isEverybodyOnline: Bool { self.clients.allSatisfy { $0.onlineEpoch == $0.latestEpoch && $0.latestEpoch > 0 } }
    /// How many connections are open at the server.
    var openAtServer: Int { self.lines.filter { !$0.server.isGone }.count }

    /// Nothing gets through to anybody, and nobody can connect, from now on for this long.
    func interrupt(for length: Duration) {
        self.outage = self.now..<self.now + length.wholeNanoseconds
        for line in self.lines { self.interrupt(line.surroundings) }
    }

    /// The process of the server dies, and its kernel resets all connections at the same instant.
    func resetEverybody() {
        for line in self.lines where !line.server.isGone {
            line.surroundings.link.advance(to: Instant(nanoseconds: self.now))
            line.surroundings.oracle?.performs(.reset, line.server)
            line.server.perform(.reset)
        }
    }

    private func interrupt(_ surroundings: SimulatedPeer.Surroundings) {
        let range = Instant(nanoseconds: self.outage.lowerBound)..<Instant(nanoseconds: self.outage.upperBound)
        for end in LinkEnd.allCases {
            surroundings.link.interrupt(to: end, during: range)
            surroundings.oracle?.cutOff(end, until: self.outage.upperBound)
        }
    }

    func run(for length: Duration) throws {
        let end = self.now + length.wholeNanoseconds
        while case let next = max(self.nextTime, self.now), next <= end {
            self.now = next
            for line in self.lines { line.surroundings.link.advance(to: Instant(nanoseconds: next)) }
            for index in self.clients.indices where self.clients[index].connectsAt <= next { try self.connect(index) }
            for line in self.lines {
                line.server.read()
                line.client.read()
                if line.client.loop.wakesAt <= next { line.client.loop.turn(at: next) }
            }
            if self.serverLoop.wakesAt <= next { self.serverLoop.turn(at: next) }
            for line in self.lines { line.surroundings.oracle?.stepped(checkingWheels: false) }
            self.noteEnds()
        }
        self.now = end
        self.serverLoop.wheel.checkInvariants()
    }

    private var nextTime: Int64 {
        var next = min(self.serverLoop.wakesAt, self.clients.map(\.connectsAt).min() ?? .max)
        for line in self.lines {
            next = min(next, line.surroundings.link.nextEvent?.nanoseconds ?? .max, line.server.nextRead)
            next = min(next, line.client.nextRead, line.client.loop.wakesAt)
        }
        return next
    }

    private func connect(_ identity: Int) throws {
        self.clients[identity].connectsAt = .max
        guard !self.outage.contains(self.now) else {
            return self.ended(identity, DisconnectReason(.pathUnreachable, phase: .handshake), lasted: nil)
        }
        let start = Instant(nanoseconds: self.now)
        let surroundings = SimulatedPeer.Surroundings(
            start: start,
            link: SimulatedLink(self.conditions, seed: self.random.next(), now: start)
        )
        let loop = SimulatedLoop(now: self.now, wakeUpLateness: .microseconds(500), seed: self.random.next())
        let configuration = SimulatedPeer.Configuration(self.policy)
        let server = try SimulatedPeer(configuration, end: .server, on: self.serverLoop, in: surroundings)
        let client = try SimulatedPeer(configuration, end: .client, on: loop, in: surroundings)
        surroundings.oracle = Oracle(server, client, self.conditions, self.conditions)
        let epoch = self.registry.next(for: "client-\(identity)")
        self.lines.append(
            Line(
                identity: identity,
                epoch: epoch,
                surroundings: surroundings,
                server: server,
                client: client,
                openedAt: self.now
            )
        )
        server.open()
        client.open()
        self.opened += 1
        self.connects.append(.nanoseconds(self.now - 1_000_000_000))
        self.clients[identity].onlineEpoch = epoch
        self.clients[identity].latestEpoch = epoch
    }

    private func noteEnds() {
        for index in self.lines.indices {
            let line = self.lines[index]
            if !line.serverClosed, line.server.isOver || line.server.isGone {
                self.lines[index].serverClosed = true
                if self.clients[line.identity].onlineEpoch == line.epoch {
                    self.clients[line.identity].onlineEpoch = nil
                }
            }
            if !line.clientClosed, let close = line.surroundings.timeline.closes(of: .client).first?.close {
                self.lines[index].clientClosed = true
                self.ended(line.identity, close.reason, lasted: .nanoseconds(self.now - line.openedAt))
            }
            if line.server.isGone, line.client.isGone {
                self.serverCloses += line.surroundings.timeline.closes(of: .server).count
                self.clientCloses += line.surroundings.timeline.closes(of: .client).count
                line.surroundings.oracle?.checkEnds()
                self.complaints += line.surroundings.oracle?.complaints ?? []
            }
        }
        self.lines.removeAll { $0.server.isGone && $0.client.isGone }
    }

    private func ended(_ identity: Int, _ reason: DisconnectReason, lasted: Duration?) {
        guard case .wait(let delay) = self.clients[identity].backoff.ended(reason, lasted: lasted, using: &self.random)
        else { return }
        self.clients[identity].connectsAt = self.now + max(1, delay.wholeNanoseconds)
    }
}
