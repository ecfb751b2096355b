//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// A whole simulation as a value: two peers, the path between them, and what happens to them when.
///
/// ``init(seed:)`` draws one from a seed: any policy, detector and wire format, any path, any faults. ``run()`` plays it with
/// an oracle beside it, which knows what really happened and complains about every false verdict, missed bound, wrong
/// reason, second close, lost timer or ping that did not come. ``shrunk()`` takes away what a complaint does not need.
///
/// ```swift
/// let scenario = Scenario(seed: 1)
/// print(scenario, scenario.run().complaints)
/// ```
public struct Scenario: Hashable, Sendable {
    /// Something that happens.
    public enum Occurrence: Hashable, Sendable {
        /// To one end.
        case action(SimulatedAction, by: LinkEnd)
        /// Nothing gets through to one end, or to both, for this long; nil is for ever.
        case outage(to: LinkEnd?, for: Duration?)
    }

    /// Something that happens at a time.
    public struct Step: Hashable, Sendable {
        /// When, since the connection was opened.
        public var at: Duration
        /// What.
        public var occurrence: Occurrence

        /// A step.
        public init(at: Duration, _ occurrence: Occurrence) {
            self.at = at
            self.occurrence = occurrence
        }
    }

    /// The seed of everything that is random while it runs.
    public var seed: UInt64
    /// The end that accepted the connection.
    public var server: SimulatedPeer.Configuration
    /// The end that opened it.
    public var client: SimulatedPeer.Configuration
    /// What the way from the client to the server is like.
    public var toServer: LinkConditions
    /// What the way back is like.
    public var toClient: LinkConditions
    /// What happens.
    public var steps: [Step]
    /// How long it takes.
    public var length: Duration

    /// A scenario of these parts.
    public init(
        seed: UInt64,
        server: SimulatedPeer.Configuration,
        client: SimulatedPeer.Configuration,
        toServer: LinkConditions,
        toClient: LinkConditions,
        steps: [Step],
        length: Duration
    ) {
        self.seed = seed
        self.server = server
        self.client = client
        self.toServer = toServer
        self.toClient = toClient
        self.steps = steps
        self.length = length
    }

    /// What came of a scenario.
    public struct Outcome: Sendable {
        /// What the oracle found wrong, each with its time and the end that it is about; empty when all is well.
        public var complaints: [String]
        /// What happened, and what the machines decided.
        public var timeline: Timeline
        /// Heartbeats, messages and parts of them that reached an end.
        public var deliveries: Int
    }

    /// Plays the scenario.
    ///
    /// A policy that is not valid is a complaint too.
    public func run() -> Outcome {
        let simulation: Simulation
        do {
            simulation = try Simulation(
                server: self.server,
                client: self.client,
                toServer: self.toServer,
                toClient: self.toClient,
                seed: self.seed,
                observesTruth: true
            )
        } catch {
            return Outcome(complaints: ["\(error)"], timeline: Timeline(), deliveries: 0)
        }
        for step in self.steps {
            switch step.occurrence {
            case .action(let action, let end): simulation.schedule(action, by: end, at: step.at)
            case .outage(.some(let end), let duration): simulation.interrupt(to: end, at: step.at, for: duration)
            case .outage(nil, let duration): simulation.interrupt(at: step.at, for: duration)
            }
        }
        simulation.run(for: self.length)
        return Outcome(
            complaints: simulation.finalComplaints(),
            timeline: simulation.timeline,
            deliveries: LinkEnd.allCases.map { simulation.counters(to: $0).delivered }.reduce(0, +)
        )
    }

    /// The smallest scenario like this one that still gives a complaint: fewer steps, a simpler path, a shorter time.
    ///
    /// - Returns: this one if it gives none.
    public func shrunk() -> Scenario {
        var smallest = self
        guard !smallest.run().complaints.isEmpty else { return self }
        var hasShrunk = true
        while hasShrunk {
            hasShrunk = false
            for candidate in smallest.simplifications where !candidate.run().complaints.isEmpty {
                smallest = candidate
                hasShrunk = true
                break
            }
        }
        return smallest
    }

    /// This scenario with one thing less.
    private var simplifications: [Scenario] {
        var candidates = self.steps.indices.map { index in
            self.changed { $0.steps.remove(at: index) }
        }
        candidates += [
            self.changed {
                $0.toServer.loss = 0
                $0.toClient.loss = 0
            },
            self.changed {
                $0.toServer.jitter = .zero
                $0.toClient.jitter = .zero
            },
            self.changed {
                $0.toServer.bytesPerSecond = nil
                $0.toClient.bytesPerSecond = nil
            },
            self.changed {
                $0.server.format = nil
                $0.client.format = nil
            },
            self.changed {
                $0.server.showsEvidence = false
                $0.client.showsEvidence = false
            },
            self.changed {
                $0.server.policy.detector = .fixed
                $0.client.policy.detector = .fixed
            },
            self.changed {
                $0.client = .answering()
                $0.client.format = self.client.format
            },
            self.changed {
                $0.server.policy.idleLimit = nil
                $0.server.policy.requiresHello = false
            },
            self.changed { $0.client.asksFor = nil },
            self.changed { $0.length = $0.length * 0.75 },
        ]
        for index in self.steps.indices {
            candidates.append(self.changed { $0.steps[index].at = .seconds(Int64($0.steps[index].at / .seconds(1))) })
        }
        return candidates.filter { $0 != self }
    }

    private func changed(_ change: (inout Scenario) -> Void) -> Scenario {
        var scenario = self
        change(&scenario)
        return scenario
    }
}

extension Scenario: CustomStringConvertible {
    /// The parts that matter, one per line.
    public var description: String {
        let steps = self.steps.sorted { $0.at < $1.at }.map { "  \($0)" }
        let ends = [("server", self.server), ("client", self.client)].map { "\($0): \($1.text)" }
        let paths = [("to the server", self.toServer), ("to the client", self.toClient)].map { "\($0): \($1.text)" }
        let parts = ["seed \(self.seed), \(self.length.text)"] + ends + paths + steps
        return parts.joined(separator: "\n")
    }
}

extension Scenario.Step: CustomStringConvertible {
    /// When and what.
    public var description: String {
        switch self.occurrence {
        case .action(let action, let end): "\(self.at.text) \(end.rawValue) \(action)"
        case .outage(let end, let duration):
            "\(self.at.text) nothing reaches \(end?.rawValue ?? "either end") for \(duration?.text ?? "ever")"
        }
    }
}

extension LinkConditions {
    fileprivate var text: String {
        let rate = self.bytesPerSecond.map { ", \($0) B/s" } ?? ""
        return "\(self.latency.text) + \(self.jitterShape.rawValue) \(self.jitter.text), loss \(self.loss)\(rate)"
            + ", buffers \(self.sendBufferBytes) and \(self.receiveBufferBytes) B"
    }
}

extension SimulatedPeer.Configuration {
    fileprivate var text: String {
        let timings = try? self.policy.timings()
        let times = timings.map { "bound \($0.bound.text), interval \($0.interval.text), reply \($0.replyWithin.text)" }
        var text =
            "\(self.format?.rawValue ?? "elements"), \(self.policy.heartbeats.rawValue), "
            + "\(times ?? "no valid policy"), \(self.policy.detector.name), late by \(self.wakeUpLateness.text)"
        if self.showsEvidence { text += ", with evidence" }
        if !self.echoesTokens { text += ", without tokens" }
        if self.policy.pingAlways { text += ", pings always" }
        if let writeWithin = self.policy.writeWithin { text += ", writes within \(writeWithin.text)" }
        if let asksFor { text += ", asks for \(asksFor.text)" }
        if let bounds = self.policy.peerBounds {
            text += ", permits \(bounds.lowerBound.text) to \(bounds.upperBound.text)"
        }
        if self.policy.requiresHello { text += ", requires a hello within \(timings?.handshakeWithin.text ?? "")" }
        if let idleLimit = self.policy.idleLimit { text += ", idle for \(idleLimit.text)" }
        if let limit = self.policy.readPauseLimit { text += ", pauses for \(limit.text)" }
        if self.policy.minimumPeerInterval != LivenessPolicy(detectWithin: .seconds(1)).minimumPeerInterval {
            text += ", is pinged every \(self.policy.minimumPeerInterval.text) at most"
        }
        return text
    }
}
