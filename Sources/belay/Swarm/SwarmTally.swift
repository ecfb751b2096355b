//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// What a swarm counts while it runs.
struct SwarmTally: Codable, Sendable {
    /// Connections that were made, those of a flap that came back included.
    var made = 0
    /// Connections that could not be made, by the name of the error.
    var failures: [String: Int] = [:]
    /// Connections that the server ended.
    var drops = Drops()
    /// Connections that we gave up because the server broke the protocol.
    var violations = 0
    /// Faults that struck, by kind; a connection that is over already is not struck any more.
    var struck: [SwarmFault.Kind: Int] = [:]
    var heartbeats = Heartbeats()
    var messages = Messages()
    /// From our ping to its pong.
    var roundTrips = TimeHistogram()
    /// From the first SYN to the connection.
    var connectTimes = TimeHistogram()
    /// How long this process was on processors.
    var processorNanoseconds: Int64 = 0
    /// The longest time that one round through all connections took: how late this process itself may have made answers.
    var longestRoundNanoseconds: Int64 = 0

    /// Heartbeats both ways.
    struct Heartbeats: Codable, Sendable {
        var pingsReceived = 0
        var pongsSent = 0
        var pingsSent = 0
        var pongsReceived = 0
    }

    /// Messages both ways.
    struct Messages: Codable, Sendable {
        var sent = 0
        var received = 0
        /// Not sent because too much waited for the server to read.
        var skipped = 0
    }

    /// How the server ended connections.
    struct Drops: Codable, Sendable {
        /// FIN without a goodbye.
        var finished = 0
        /// RST.
        var reset = 0
        /// A goodbye or an error report first, by its code; a goodbye may have none.
        var goodbyes: [String: Int] = [:]
        /// Another error, by its name.
        var errors: [String: Int] = [:]
        /// How many of all these had suffered nothing: nobody gave the server a reason.
        var unprovoked = 0

        var count: Int {
            self.finished + self.reset + self.goodbyes.values.reduce(0, +) + self.errors.values.reduce(0, +)
        }
    }

    var failed: Int { self.failures.values.reduce(0, +) }

    /// Adds what another process counted.
    mutating func add(_ other: SwarmTally) {
        self.made += other.made
        self.failures.merge(other.failures, uniquingKeysWith: +)
        self.drops.finished += other.drops.finished
        self.drops.reset += other.drops.reset
        self.drops.goodbyes.merge(other.drops.goodbyes, uniquingKeysWith: +)
        self.drops.errors.merge(other.drops.errors, uniquingKeysWith: +)
        self.drops.unprovoked += other.drops.unprovoked
        self.violations += other.violations
        self.struck.merge(other.struck, uniquingKeysWith: +)
        self.heartbeats.pingsReceived += other.heartbeats.pingsReceived
        self.heartbeats.pongsSent += other.heartbeats.pongsSent
        self.heartbeats.pingsSent += other.heartbeats.pingsSent
        self.heartbeats.pongsReceived += other.heartbeats.pongsReceived
        self.messages.sent += other.messages.sent
        self.messages.received += other.messages.received
        self.messages.skipped += other.messages.skipped
        self.roundTrips.add(other.roundTrips)
        self.connectTimes.add(other.connectTimes)
        self.processorNanoseconds += other.processorNanoseconds
        self.longestRoundNanoseconds = max(self.longestRoundNanoseconds, other.longestRoundNanoseconds)
    }
}
