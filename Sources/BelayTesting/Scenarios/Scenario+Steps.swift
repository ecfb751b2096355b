//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

// What happens in a scenario.
extension Scenario {
    static func steps(
        bound: Duration,
        format: WireFormat?,
        client: SimulatedPeer.Configuration,
        _ draw: inout Draw
    ) -> [Step] {
        var steps: [Step] = []
        let isMute = client.policy.heartbeats == .listen
        if isMute { steps.append(Step(at: .zero, .action(.talk(every: bound / 4, bytes: 100), by: .client))) }
        // On `raw` a ping that is read together with the end of a message is part of it: there who pings says nothing else.
        if format != .raw { steps += Self.traffic(bound: bound, &draw) }
        for _ in 0..<draw.one(of: [0, 1, 1, 1, 2, 3, 5]) {
            steps += Self.fault(at: bound * draw.real(0.0...6), bound: bound, &draw)
        }
        return steps
    }

    /// Somebody does not read for up to 200 bounds, stalls now and then meanwhile, and is pinged all the time.
    ///
    /// - Returns: when it reads again.
    mutating func pauseForLong(bound: Duration, _ draw: inout Draw) -> Duration {
        // A client that sends no heartbeats needs its script.
        guard self.client.policy.heartbeats != .listen else { return .zero }
        let end = draw.one(of: LinkEnd.allCases)
        let length = bound * draw.real(3...200)
        let limit = min(bound * 250, LivenessPolicy.allowedBounds.upperBound)
        let at = bound * draw.real(0.5...2)
        for configuration in [\Scenario.server, \Scenario.client] {
            self[keyPath: configuration].policy.readPauseLimit = limit
            self[keyPath: configuration].policy.idleLimit = nil
            if draw.chance(0.7) { self[keyPath: configuration].policy.pingAlways = true }
        }
        // A buffer that holds all of it.
        for path in [\Scenario.toServer, \Scenario.toClient] {
            self[keyPath: path].sendBufferBytes = 65_536
            self[keyPath: path].receiveBufferBytes = 65_536
        }
        self.steps = [Step(at: at, .action(.pauseReading(for: length), by: end))]
        for _ in 0..<draw.one(of: [0, 1, 1, 3]) {
            let stall = SimulatedAction.freeze(for: bound * draw.real(0.05...0.6))
            self.steps.append(Step(at: at + length * draw.real(0...1), .action(stall, by: end)))
        }
        return at + length
    }

    private static func traffic(bound: Duration, _ draw: inout Draw) -> [Step] {
        guard draw.chance(0.4) else { return [] }
        var steps: [Step] = []
        for end in LinkEnd.allCases where draw.chance(0.6) {
            switch draw.below(3) {
            case 0:
                let every = bound * draw.real(0.1...1)
                steps.append(
                    Step(
                        at: bound * draw.real(0...2),
                        .action(.talk(every: every, bytes: draw.one(of: [1, 100, 5_000])), by: end)
                    )
                )
            case 1:
                steps.append(
                    Step(at: bound * draw.real(0...4), .action(.send(bytes: draw.one(of: [10_000, 160_000])), by: end))
                )
            default:
                // As fast as the path, or so slow that one message takes longer than the bound.
                let rate = draw.chance(0.7) ? 40_000 * draw.real(1...5) : 4_096 / draw.real(1.1...2)
                let bytesPerSecond = max(1, Int(rate / (bound / .seconds(1))))
                steps.append(Step(at: .zero, .action(.readSlowly(bytesPerSecond: bytesPerSecond), by: end)))
                let bytes = rate < 40_000 ? 20_480 : 100_000
                steps.append(Step(at: bound * draw.real(0...2), .action(.send(bytes: bytes), by: end.other)))
            }
        }
        return steps
    }

    private static func fault(at time: Duration, bound: Duration, _ draw: inout Draw) -> [Step] {
        let end = draw.one(of: LinkEnd.allCases)
        let length = bound * draw.real(0.05...3)
        let mayBeForEver = draw.chance(0.4) ? nil : length
        func one(_ action: SimulatedAction) -> [Step] { [Step(at: time, .action(action, by: end))] }
        switch draw.below(16) {
        case 0, 1: return one(.freeze(for: mayBeForEver))
        case 2: return [Step(at: time, .outage(to: nil, for: mayBeForEver))]
        case 3: return [Step(at: time, .outage(to: end, for: mayBeForEver))]
        case 4: return one(.suspend(for: length))
        case 5: return one(.crash(cutOffFor: mayBeForEver))
        case 6:
            // Once, or again and again.
            let gap = bound * draw.real(0.01...0.5)
            return (0..<draw.one(of: [1, 1, 8])).map { index in
                Step(at: time + (length + gap) * Double(index), .action(.pauseReading(for: length), by: end))
            }
        case 7: return one(.exit)
        case 8: return one(.reset)
        case 9: return one(.close)
        case 10: return one(.setWallClock(ahead: .seconds(draw.one(of: [-7_200, -3_600, 3_600, 36_000]))))
        case 11:
            // A starved core: it runs a little now and then.
            let slice = bound * draw.real(0.01...0.4)
            return (0..<draw.one(of: [3, 10])).map { index in
                Step(at: time + slice * 1.1 * Double(index), .action(.freeze(for: slice), by: end))
            }
        case 12:
            // Both at once.
            return LinkEnd.allCases.map { Step(at: time, .action(.freeze(for: length), by: $0)) }
        case 13: return one(.drain)
        case 14:
            // A pause with a stall in it.
            let stall = length * draw.real(0.1...1)
            return [
                Step(at: time, .action(.pauseReading(for: length), by: end)),
                Step(at: time + length * draw.real(0...1), .action(.freeze(for: stall), by: end)),
            ]
        default:
            // A program that does not read while the other one sends.
            return [
                Step(at: time, .action(.freeze(for: nil), by: end)),
                Step(at: time, .action(.send(bytes: 200_000), by: end.other)),
            ]
        }
    }
}
