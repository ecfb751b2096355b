//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import BelaySocket
import Foundation
import Logging
import ServiceLifecycle

/// `belay inspect`: every TCP connection of this host, of any program, with a verdict and why.
struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show every TCP connection of this host with a verdict and why.",
        discussion: """
            Asks the kernel twice, some time apart, and puts the worst first. Nothing is sent and no program is touched. From \
            outside a quiet peer and a frozen one look alike: only what nobody acknowledges is held against a peer. Needs no \
            privilege but to see the processes of others (root) and for --kill (CAP_NET_ADMIN).
            """
    )

    @Flag(help: "Go on and show again, like top, until SIGINT; changes are marked: ! worse, ~ better, + new.")
    var watch = false

    @Option(help: "Only with this verdict: alive, suspect or dead; can be repeated.")
    var verdict: [Verdict] = []

    @Option(help: "Only with this port at either end, 1 to 65535.", transform: UInt16.portFlag)
    var port: UInt16?

    @Option(help: "Only what this process holds.")
    var pid: Int32?

    @Option(help: "The time between the two looks, 0s (one look) to 1h. Default: 1s.", transform: Duration.flag)
    var over: Duration = .seconds(1)

    @Flag(
        help:
            "Close what is shown (SOCK_DESTROY: RST to the peer, ECONNABORTED here). Needs --verdict, --port or --pid."
    )
    var kill = false

    @Flag(help: "Do not ask before --kill.")
    var yes = false

    @Flag(help: "One JSON array; with --watch one in each line.")
    var json = false

    private static let allowedOver: ClosedRange<Duration> = .zero ... .seconds(3_600)

    private var survey: SocketSurvey { SocketSurvey(port: self.port, pid: self.pid) }

    private var verdicts: Set<Verdict> { Set(self.verdict) }

    func validate() throws {
        if !Self.allowedOver.contains(self.over) {
            throw ValidationError("--over is \(self.over.text), allowed are 0s to 1h")
        }
        if let pid, pid < 1 { throw ValidationError("--pid is \(pid), allowed are 1 to \(Int32.max)") }
        if self.watch, self.over < .milliseconds(100) {
            throw ValidationError("--over is \(self.over.text), with --watch allowed are 100ms to 1h")
        }
        if self.watch, self.kill { throw ValidationError("--kill and --watch cannot be combined") }
        if self.kill, self.verdict.isEmpty, self.port == nil, self.pid == nil {
            throw ValidationError("--kill needs a filter: --verdict, --port or --pid")
        }
        if self.kill, !self.yes, !Terminal.isInteractive {
            throw ValidationError("--kill needs --yes where there is no terminal to ask on")
        }
        if self.yes, !self.kill { throw ValidationError("--yes is for --kill") }
    }

    func run() async throws {
        if self.watch {
            let watch = InspectWatch(
                survey: self.survey,
                verdicts: self.verdicts,
                interval: self.over,
                printsJSON: self.json
            )
            try await CommandRunner.run(
                watch,
                logger: Logger(label: "belay", factory: { _ in SwiftLogNoOpLogHandler() })
            )
            if let failure = watch.failure { throw failure }
            return
        }
        let first = self.over > .zero ? try self.survey.look() : nil
        if first != nil { try await Task.sleep(for: self.over) }
        let findings = try self.survey.findings(after: first).only(self.verdicts)
        // What is to be closed is shown, all of it.
        InspectReport(printsJSON: self.json, showsAll: self.kill).show(findings)
        guard self.kill else { return }
        try SocketKiller(asks: !self.yes) { try self.survey.findings(after: first).only(self.verdicts) }.kill(findings)
    }
}

extension UInt16 {
    /// Reads a port from the value of a flag.
    ///
    /// - Throws: `ValidationError` that names the range.
    static func portFlag(_ text: String) throws -> UInt16 {
        guard text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }), let port = UInt16(text), port > 0 else {
            throw ValidationError("write a port, 1 to 65535")
        }
        return port
    }
}
