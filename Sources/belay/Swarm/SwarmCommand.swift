//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import BelayNIO
import BelaySocket
import Foundation
import NIOCore

/// `belay swarm`: thousands of clients that behave, and faults that strike some of them.
struct SwarmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swarm",
        abstract: "Hold thousands of connections to a server, and let faults strike them.",
        discussion: """
            Answers heartbeats, and tells what became of its connections. With --events it reads the server's events and says \
            which faults the server missed, how late it was, and whom it wronged. Ends with 1 when a connection failed, the \
            server ended one that behaved, or a verdict was missed, false or wrong; with 3 when it was over before the bound.
            """
    )

    @Argument(help: "The server: lines://HOST:PORT, frames://HOST:PORT or raw://HOST:PORT.")
    var url: String

    @OptionGroup var options: SwarmOptions

    @Option(help: "The file that the server, on this host, appends its events to as JSON lines.")
    var events: String?

    @Flag(help: "One JSON object.")
    var json = false

    @Option(help: .hidden)
    var share: SwarmShare?

    /// Descriptors that are no connections of the swarm.
    private static let reserve = 64
    /// How long the last events may take to reach their file.
    private static let eventsWithin = Duration.seconds(5)

    func run() throws {
        let endpoint = try Endpoint(flag: "URL", url: self.url)
        try self.options.validate(on: endpoint.format)
        let server = try Self.address(of: endpoint)
        if let share {
            return try SwarmProcesses.runShare(self.settings(endpoint.format, server, share))
        }
        let file = try self.events.map { try ServerEventFile(path: $0) }
        let each = max(1, Host.raiseOpenFileLimit() - Self.reserve)
        let processes = (self.options.connections + each - 1) / each
        var outcome: SwarmOutcome
        if processes == 1 {
            Interruption.install()
            let settings = self.settings(endpoint.format, server, SwarmShare(index: 0, count: 1))
            outcome = try Self.run(settings) { progress in
                Terminal.showProgress(progress.text, orTell: progress.milliseconds / 1_000 % 5 == 0)
            }
        } else {
            outcome = try SwarmProcesses(count: processes).run()
        }
        Terminal.clearProgress()
        let verdicts = file.map { Self.verdicts(on: outcome, endpoint.format, from: $0) }
        outcome.records = []
        let report = SwarmReport(url: self.url, options: self.options, outcome: outcome, verdicts: verdicts)
        report.show(asJSON: self.json)
        if report.exitCode != .success { throw report.exitCode }
    }

    /// Runs one process's part.
    ///
    /// - Throws: ``CommandFailure`` when the system cannot do that.
    static func run(_ settings: SwarmSettings, tell: @escaping (SwarmProgress) -> Void) throws -> SwarmOutcome {
        do throws(ErrorNumber) {
            return try SwarmEngine(settings: settings, tell: tell).run()
        } catch {
            throw CommandFailure(message: "a swarm is not possible here: \(error.name)", exitCode: .internalError)
        }
    }

    private func settings(_ format: WireFormat, _ server: TransportAddress, _ share: SwarmShare) -> SwarmSettings {
        let numbers = share.numbers(of: self.options.connections)
        return SwarmSettings(
            format: format,
            server: server,
            numbers: numbers,
            plan: SwarmPlan(
                faults: self.options.fault,
                connections: self.options.connections,
                seed: self.options.seed
            ),
            connectionsPerSecond: self.options.ramp / Double(share.count),
            stay: self.options.stay,
            pingInterval: self.options.pingEvery,
            messagesPerSecond: self.options.messageRate,
            messageBytes: self.options.messageSize,
            identityPrefix: self.options.idPrefix,
            seed: self.options.seed,
            skippedSources: share.index * (numbers.count / SourceAddresses.connectionsOfEach + 2)
        )
    }

    private static func address(of endpoint: Endpoint) throws -> TransportAddress {
        guard endpoint.port > 0 else {
            throw CommandFailure(message: "URL: the port is 0, allowed are 1 to 65535", exitCode: .usage)
        }
        // The name is looked up once, and all connections go to the first of its addresses.
        guard
            let address = try? SocketAddress.makeAddressResolvingHost(endpoint.host, port: endpoint.port),
            let server = try? TransportAddress(text: address.hostAndPort)
        else {
            throw CommandFailure(
                message: "URL: no address is known of '\(endpoint.host.visible)'",
                exitCode: .badAnswer
            )
        }
        return server
    }

    /// Reads the server's events until they speak of the end of each connection, or no more come.
    private static func verdicts(
        on outcome: SwarmOutcome,
        _ format: WireFormat,
        from file: ServerEventFile
    ) -> Verdicts {
        let ownDelay = Duration.nanoseconds(outcome.tally.longestRoundNanoseconds)
        var match = VerdictMatch(records: outcome.records, format: format, ownDelay: ownDelay)
        let deadline = ContinuousClock.now + Self.eventsWithin
        while true {
            file.readOn { match.add($0) }
            if match.isComplete || ContinuousClock.now >= deadline { return match.verdicts }
            // Another process appends to the file, which cannot be waited for; the engine is over, so nobody else waits.
            Thread.sleep(forTimeInterval: 0.1)
        }
    }
}
