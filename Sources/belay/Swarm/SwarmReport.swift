//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What became of a swarm.
struct SwarmReport {
    var url: String
    var options: SwarmOptions
    var outcome: SwarmOutcome
    /// How the server judged it; nil where its events were not read.
    var verdicts: Verdicts?

    var tally: SwarmTally { self.outcome.tally }

    /// Prints it on standard output.
    func show(asJSON: Bool) {
        Output.write(asJSON ? self.json : Array(self.text.utf8), to: STDOUT_FILENO)
    }

    /// Whether the answer is bad, or cannot be found out because the swarm was over too soon.
    var exitCode: ExitCode {
        if self.tally.failed + self.tally.violations > 0 { return .badAnswer }
        guard let verdicts else { return self.tally.drops.unprovoked > 0 ? .badAnswer : .success }
        // None of the connections is in the events: they are those of another server, or an address was translated.
        if verdicts.known == 0, self.tally.made > 0 { return .unknown }
        if !verdicts.isGood || self.tally.drops.unprovoked > 0 { return .badAnswer }
        return verdicts.undecided > 0 ? .unknown : .success
    }

    // MARK: - For people

    var text: String {
        var lines = [
            "\(self.tally.made) connections made, \(self.tally.failed) failed\(Self.list(self.tally.failures))"
        ]
        if let times = Percentiles(self.tally.connectTimes) { lines[0] += "; made: \(times.text)" }
        lines.append(self.drops)
        let heartbeats = self.tally.heartbeats
        lines.append("\(heartbeats.pongsSent) pings answered of \(heartbeats.pingsReceived)")
        if heartbeats.pingsSent > 0 {
            lines[2] += "; \(heartbeats.pingsSent) sent, \(heartbeats.pongsReceived) answered"
            if let times = Percentiles(self.tally.roundTrips) { lines[2] += ": \(times.text)" }
        }
        let messages = self.tally.messages
        if messages.sent + messages.received > 0 {
            lines.append("\(messages.sent) messages sent, \(messages.received) received")
        }
        if self.tally.violations > 0 {
            lines.append("\(self.tally.violations) given up because the server broke the protocol")
        }
        if self.outcome.isCutShort { lines.append("ended by a signal before its time") }
        if let verdicts { lines += self.lines(on: verdicts) }
        return lines.map { $0 + "\n" }.joined()
    }

    private var drops: String {
        let drops = self.tally.drops
        var ways: [String] = []
        if drops.finished > 0 { ways.append("\(drops.finished) with FIN") }
        if drops.reset > 0 { ways.append("\(drops.reset) with RST") }
        for (code, count) in drops.goodbyes.sorted(by: { $0.key < $1.key }) {
            ways.append("\(count) saying \(code.isEmpty ? "goodbye" : code)")
        }
        for (name, count) in drops.errors.sorted(by: { $0.key < $1.key }) { ways.append("\(count) with \(name)") }
        let how = ways.isEmpty ? "" : ": \(ways.joined(separator: ", "))"
        return "\(drops.count) ended by the server, \(drops.unprovoked) of them without a fault\(how)"
    }

    private static func list(_ counts: [String: Int]) -> String {
        guard !counts.isEmpty else { return "" }
        let parts = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        return " (\(parts.joined(separator: ", ")))"
    }

    private func lines(on verdicts: Verdicts) -> [String] {
        var lines: [String] = []
        for kind in SwarmFault.Kind.allCases {
            guard let verdict = verdicts.faults[kind] else { continue }
            lines.append("\(kind.rawValue): \(Self.text(of: verdict))")
        }
        lines.append("orderly ends: \(Self.text(of: verdicts.endings))")
        lines.append(
            "verdicts: \(verdicts.right) right, \(verdicts.missed) missed, \(verdicts.wrong) wrong, "
                + "\(verdicts.falseCount) false\(Self.list(verdicts.false)), \(verdicts.undecided) undecided"
                + (verdicts.repeated > 0 ? ", \(verdicts.repeated) given twice" : "")
        )
        lines += verdicts.examples.map { "  \($0)" }
        if verdicts.known == 0 {
            lines.append(
                "the events speak of none of these connections: are they this server's, without a proxy between?"
            )
        } else if verdicts.undecided > 0 {
            lines.append("undecided: the swarm was over before the bound was; stay longer with --for")
        }
        return lines
    }

    private static func text(of verdict: Verdicts.Verdict) -> String {
        var text = "\(verdict.right) right"
        if verdict.missed > 0 { text += ", \(verdict.missed) missed" }
        if verdict.wrong > 0 { text += ", \(verdict.wrong) wrong" }
        if verdict.undecided > 0 { text += ", \(verdict.undecided) undecided" }
        text += Self.list(verdict.reasons)
        if let latency = Percentiles(verdict.latencies) { text += "; after the fault: \(latency.text)" }
        if let lateness = Percentiles(verdict.latenesses) { text += "; after the bound: \(lateness.text)" }
        return text
    }
}
