//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayNIO
import NIOPosix

/// Measures how long heartbeats take on a path, before heartbeats are planned for it.
///
/// The pings are half a second apart on each of several connections: far enough that a lost one is sent again by TCP's own
/// timers, as it will be with the planned interval, and not sooner because the next ping shows the gap.
struct PathMeasurement {
    private static let connections = 8
    private static let interval = Duration.milliseconds(500)
    /// How often progress is told where it cannot be redrawn.
    private static let linesEvery = 5

    /// The server; it must answer heartbeats.
    let endpoint: Endpoint
    /// For how long, 1 s to 1 h.
    let duration: Duration

    /// Measures, and tells how far it is on standard error.
    ///
    /// - Throws: ``CommandFailure`` when nothing could be measured.
    func run() async throws -> RoundTripSummary {
        let roundTrips = RoundTripHistogram()
        let failure = try await withThrowingTaskGroup(of: DisconnectReason?.self) { group in
            for _ in 0..<Self.connections {
                group.addTask { try await self.client(roundTrips).runUntilOver() }
            }
            group.addTask {
                try await self.waitUntilOver(roundTrips)
                return nil
            }
            defer { group.cancelAll() }
            var failure: DisconnectReason?
            for _ in 0..<Self.connections {
                // Nil is the end of the time; a connection ends before it for a reason only.
                guard let reason = try await group.next() ?? nil else { break }
                failure = reason
            }
            return failure
        }
        Terminal.clearProgress()
        if let summary = roundTrips.summary { return summary }
        let why = failure.map { "\($0)" } ?? "no heartbeat was answered"
        throw CommandFailure(message: "--measure \(self.endpoint): \(why)", exitCode: .badAnswer)
    }

    private func client(_ roundTrips: RoundTripHistogram) -> BelayClient {
        // Nobody is judged here: whatever comes in an hour is measured.
        var liveness = LivenessPolicy(interval: Self.interval, detectWithin: .seconds(7_200))
        liveness.pingAlways = true
        var configuration = BelayClient.Configuration(endpoint: self.endpoint, liveness: liveness)
        configuration.reconnect = nil
        return BelayClient(
            configuration: configuration,
            group: MultiThreadedEventLoopGroup.singleton,
            roundTrips: roundTrips
        )
    }

    private func waitUntilOver(_ roundTrips: RoundTripHistogram) async throws {
        let clock = ContinuousClock()
        let start = clock.now
        let end = start.advanced(by: self.duration)
        var seconds = 0
        while clock.now < end {
            seconds += 1
            try await clock.sleep(until: min(start.advanced(by: .seconds(seconds)), end))
            self.tell(seconds, roundTrips.summary)
        }
    }

    private func tell(_ seconds: Int, _ summary: RoundTripSummary?) {
        let elapsed = min(.seconds(seconds), self.duration)
        var line = "measuring \(self.endpoint): \(elapsed.text) of \(self.duration.text)"
        if let summary {
            line += ", \(summary.count) heartbeats, mean \(summary.mean.rounded), longest \(summary.longest.rounded)"
        }
        Terminal.showProgress(line, orTell: seconds.isMultiple(of: Self.linesEvery) || elapsed == self.duration)
    }
}
