//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Glibc
import PeerSupport

/// What deciding costs: one connection machine, a ping sent and a pong received, and no system call anywhere.
///
/// usage: machine [HEARTBEATS]       10,000,000 by default
@main
enum Machine {
    static func main() throws {
        let heartbeats = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 10_000_000
        let policy = LivenessPolicy(interval: .seconds(15), detectWithin: .seconds(30))
        var random = SplitMix64(seed: 1)
        var machine = ConnectionMachine(timings: try policy.timings(), outboundLimit: 4_194_304)
        var now = Instant(nanoseconds: 1)
        machine.opened(at: now, using: &random)
        var pings = 0
        Meter.measure("heartbeat", operations: heartbeats) {
            while pings < heartbeats {
                guard let deadline = machine.nextDeadline else { break }
                now = deadline
                switch machine.tick(at: now, using: &random) {
                case .doNothing:
                    continue
                case .sendPing:
                    pings += 1
                    machine.bytesSent(4)
                    now = Instant(nanoseconds: now.nanoseconds + 100_000)
                    machine.bytesReceived(4)
                    machine.pongReceived(token: nil, at: now)
                case .look, .observeOutbound, .close, .abort:
                    print("the machine doubts a peer that answers")
                    exit(1)
                }
            }
        }
        precondition(machine.figures.pongsReceived == UInt64(heartbeats))
    }
}
