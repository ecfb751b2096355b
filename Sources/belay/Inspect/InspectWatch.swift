//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import ServiceLifecycle
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// `belay inspect --watch`: shows the findings again and again, and what changed.
final class InspectWatch: Service {
    private let survey: SocketSurvey
    private let verdicts: Set<Verdict>
    private let interval: Duration
    private let printsJSON: Bool
    private let failed = Mutex<CommandFailure?>(nil)

    init(survey: SocketSurvey, verdicts: Set<Verdict>, interval: Duration, printsJSON: Bool) {
        self.survey = survey
        self.verdicts = verdicts
        self.interval = interval
        self.printsJSON = printsJSON
    }

    /// Why it ended, unless it was told to.
    var failure: CommandFailure? { self.failed.withLock { $0 } }

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.watch() }
        } catch is CancellationError {
            return
        } catch let failure as CommandFailure {
            self.failed.withLock { $0 = failure }
        }
    }

    private func watch() async throws {
        var known: [UInt64: Verdict] = [:]
        var isFirst = true
        var first = try self.survey.look()
        while true {
            try await Task.sleep(for: self.interval)
            var findings = try self.survey.findings(after: first)
            // What was seen now is what the next look is compared with.
            first = findings.asFirstLook
            var seen: [UInt64: Verdict] = [:]
            for index in findings.sockets.indices where findings.sockets[index].kind == .connection {
                let socket = findings.sockets[index]
                let verdict = socket.appraisal.verdict
                seen[socket.entry.cookie] = verdict
                guard !isFirst else { continue }
                findings.sockets[index].change =
                    known[socket.entry.cookie].map { before in
                        before == verdict ? nil : before < verdict ? .worse : .better
                    } ?? .new
            }
            known = seen
            isFirst = false
            guard self.draw(findings.only(self.verdicts)) else { return }
        }
    }

    /// - Returns: false when nobody reads any more.
    private func draw(_ findings: SocketSurvey.Findings) -> Bool {
        guard !self.printsJSON else { return InspectReport(printsJSON: true).showJSON(findings) }
        var table = SocketTable(width: Terminal.width, isColoured: Terminal.isColoured, showsChanges: true)
        let height = Terminal.height
        table.aliveRows = height.map { max(5, $0 - 5) }
        var lines = "\(Host.wallClock.text)  \(findings.summary)\n" + table.text(of: findings.rows)
        if let height, Terminal.canRedraw {
            // Home, each line cleared to its end, then everything below: no flicker.
            lines = lines.split(separator: "\n", omittingEmptySubsequences: false).prefix(height - 2)
                .map { $0 + "\u{1B}[K" }.joined(separator: "\n")
            lines = "\u{1B}[H" + lines + "\n\u{1B}[J"
        }
        return Output.write(Array(lines.utf8), to: STDOUT_FILENO)
    }
}
