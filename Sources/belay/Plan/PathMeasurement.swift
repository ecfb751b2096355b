//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayNIO
import NIOPosix
import Synchronization

/// Measures how long heartbeats take on a path, before heartbeats are planned for it.
///
/// The pings are up to half a second apart on each of several connections: far enough that a lost one is sent again by TCP's
/// own timers, as it will be with the planned interval, and not sooner because the next ping shows the gap.
struct PathMeasurement {
    private static let connections = 8
    private static let interval = Duration.milliseconds(500)
    /// Fewer answers say nothing.
    private static let fewestAnswers = 10
    /// How often progress is told where it cannot be redrawn.
    private static let linesEvery = 5

    /// The server; it must answer heartbeats.
    let endpoint: Endpoint
    /// For how long, 1 s to 1 h.
    let duration: Duration

    /// Measures, and tells how far it is on standard error.
    ///
    /// - Throws: ``CommandFailure`` when too little could be measured.
    func run() async throws -> MeasuredPath {
        let roundTrips = RoundTripHistogram()
        let ends = ConnectionEnds()
        let failure = try await withThrowingTaskGroup(of: DisconnectReason?.self) { group in
            for _ in 0..<Self.connections {
                group.addTask { try await self.client(roundTrips, ends).runUntilOver() }
            }
            group.addTask {
                try await self.waitUntilOver(roundTrips)
                return nil
            }
            defer { group.cancelAll() }
            var failure: DisconnectReason?
            for _ in 0..<Self.connections {
                // Nil is the end of the time; a connection ends before it for a reason only.
                guard let reason = try await group.next() ?? nil else { return (reason: failure, isOver: false) }
                failure = reason
            }
            return (reason: failure, isOver: true)
        }
        Terminal.clearProgress()
        let path = self.path(roundTrips, ends.all)
        if failure.isOver, let reason = failure.reason {
            throw self.failed("no connection lasted: \(reason)")
        }
        guard let path, path.answered >= Self.fewestAnswers, path.answered * 2 >= path.sent else {
            let (answered, sent) = (path?.answered ?? 0, path?.sent ?? 0)
            throw self.failed(
                answered == 0 ? "no heartbeat was answered" : "\(answered) of \(sent) heartbeats were answered"
            )
        }
        return path
    }

    private func failed(_ why: String) -> CommandFailure {
        CommandFailure(message: "--measure \(self.endpoint): \(why)", exitCode: .badAnswer)
    }

    /// What was measured, and what was still unanswered at the end: that took at least as long as it had been waiting.
    private func path(_ roundTrips: RoundTripHistogram, _ ends: [ConnectionEnds.End]) -> MeasuredPath? {
        guard let answered = roundTrips.summary else { return nil }
        var unanswered = 0
        for end in ends {
            let missing =
                Int(clamping: end.summary.figures.pingsSent) - Int(clamping: end.summary.figures.pongsReceived)
            unanswered += max(0, missing)
            for number in 0..<min(max(0, missing), 100_000) {
                let age = Self.interval * 7 / 8 * number
                if age > answered.mean { roundTrips.record(age) }
            }
        }
        guard let summary = roundTrips.summary else { return nil }
        return MeasuredPath(
            roundTrips: summary,
            answered: answered.count,
            sent: answered.count + unanswered,
            connectionsLost: ends.count { $0.reason.initiator != .local }
        )
    }

    private func client(_ roundTrips: RoundTripHistogram, _ ends: ConnectionEnds) -> BelayClient {
        // Nobody is judged here: whatever comes in an hour is measured.
        var liveness = LivenessPolicy(interval: Self.interval, detectWithin: .seconds(7_200))
        liveness.pingAlways = true
        var configuration = BelayClient.Configuration(endpoint: self.endpoint, liveness: liveness)
        configuration.reconnect = nil
        configuration.events = ends
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

/// What a measurement found.
struct MeasuredPath: Sendable {
    /// How long round trips took; an unanswered one counts with the time that it had waited.
    var roundTrips: RoundTripSummary
    /// How many heartbeats were answered.
    var answered: Int
    /// How many were sent.
    var sent: Int
    /// How many connections ended before the time.
    var connectionsLost: Int
}

/// How each connection ended.
private final class ConnectionEnds: EventSink {
    typealias End = (summary: ConnectionSummary, reason: DisconnectReason)

    private let ends = Mutex<[End]>([])

    var all: [End] { self.ends.withLock { $0 } }

    func record(_ event: Event) {
        guard case .connectionClosed(let summary, let reason) = event.kind else { return }
        self.ends.withLock { $0.append((summary, reason)) }
    }
}
