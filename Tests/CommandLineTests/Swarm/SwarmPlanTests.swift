//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import Testing

@testable import belay

@Suite("which connection suffers what and when")
struct SwarmPlanTests {
    private static func plan(_ texts: [String], _ connections: Int, seed: UInt64 = 1) throws -> SwarmPlan {
        SwarmPlan(faults: try texts.map { try SwarmFault(text: $0) }, connections: connections, seed: seed)
    }

    @Test("each fault strikes its share, within its time, and nobody suffers two")
    func shares() throws {
        let plan = try Self.plan(["silence=10%@2s+3s", "reset=25%@1s", "bye=0.5%@9s"], 1_000)
        #expect(plan.count(of: .silence) == 100)
        #expect(plan.count(of: .reset) == 250)
        #expect(plan.count(of: .bye) == 5)
        #expect(plan.strikes.count { $0 == nil } == 645)
        let silences = plan.strikes.compactMap { $0 }.filter { $0.kind == .silence }.map(\.at)
        #expect(silences.allSatisfy { $0 >= .seconds(2) && $0 <= .seconds(5) })
        // Spread, not at once: a hundred of three seconds leave no half of it empty.
        #expect(silences.contains { $0 < .milliseconds(3_500) } && silences.contains { $0 > .milliseconds(3_500) })
        #expect(plan.strikes.compactMap { $0 }.filter { $0.kind == .reset }.allSatisfy { $0.at == .seconds(1) })
    }

    @Test("the same seed draws the same plan, another one another")
    func seeds() throws {
        let faults = ["silence=10%@2s+3s", "close=10%@2s+3s"]
        #expect(try Self.plan(faults, 500, seed: 7) == Self.plan(faults, 500, seed: 7))
        #expect(try Self.plan(faults, 500, seed: 7) != Self.plan(faults, 500, seed: 8))
    }

    @Test("thirds that are rounded up strike everybody once at most, and a small share strikes somebody")
    func rounding() throws {
        let thirds = try Self.plan(["close=33.4@0s", "reset=33.3@0s", "silence=33.3@0s"], 10)
        #expect(thirds.strikes.count { $0 != nil } <= 10)
        let halves = try Self.plan(["close=50@0s", "reset=50@0s"], 3)
        #expect(halves.count(of: .close) == 2 && halves.count(of: .reset) == 1)
        #expect(try Self.plan(["close=0.01@0s"], 10).count(of: .close) == 1)
        #expect(try Self.plan(["close=100@0s"], 10).count(of: .close) == 10)
    }

    @Test("freezes strike the process, in the order of their times")
    func freezes() throws {
        let plan = try Self.plan(["freeze=2s@9s", "freeze=1s@3s", "close=100%@0s"], 4)
        #expect(plan.freezes.map(\.at) == [.seconds(3), .seconds(9)])
        #expect(plan.freezes.map(\.lasts) == [.seconds(1), .seconds(2)])
        #expect(plan.count(of: .close) == 4)
    }

    @Test("the shares of processes have each connection once", arguments: [(1, 1), (1_500, 4), (7, 3), (100_001, 6)])
    func processes(connections: Int, count: Int) {
        let shares = (0..<count).map { SwarmShare(index: $0, count: count).numbers(of: connections) }
        #expect(shares.flatMap { Array($0) } == Array(0..<connections))
        let sizes = shares.map(\.count)
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
    }

    @Test("a share is written as index and count", arguments: ["", "1", "1/", "2/2", "-1/2", "0/0", "a/b", "0/2/3"])
    func shareText(text: String) {
        #expect(SwarmShare(argument: "1/3") == SwarmShare(index: 1, count: 3))
        #expect(SwarmShare(argument: text) == nil)
    }

    @Test("towards this host, an address is left before its ports run out; towards others the kernel chooses")
    func sources() {
        var sources = SourceAddresses(server: TransportAddress(ipv4: 0x7F00_0001, port: 1))
        let hosts = (0..<SourceAddresses.connectionsOfEach + 1).map { _ in sources.next()?.host }
        #expect(Set(hosts.dropLast()) == ["127.0.0.1"])
        #expect(hosts.last == "127.0.0.2")
        let hasNext = sources.ranOut()
        let next = sources.next()?.host
        #expect(hasNext && next == "127.0.0.3")
        // Not for ever, but a port that was found begins anew.
        while sources.ranOut() {}
        sources.succeeded()
        let hasAnother = sources.ranOut()
        #expect(hasAnother)

        var other = SourceAddresses(server: TransportAddress(ipv4: 0xC000_0201, port: 1))
        let chosen = other.next()
        let hasOther = other.ranOut()
        #expect(chosen == nil && !hasOther)
        var second = SourceAddresses(server: TransportAddress(ipv4: 0x7F00_0001, port: 1), skipping: 3)
        let first = second.next()?.host
        #expect(first == "127.0.0.4")
    }
}
