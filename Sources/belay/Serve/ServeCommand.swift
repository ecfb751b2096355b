//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import BelayNIO
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

/// `belay serve`: keeps long-lived connections, and says when one ends and why.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve long-lived connections and report, exactly once, when one ends and why.",
        discussion: "SIGTERM or SIGINT says goodbye to everybody, waits for --drain-within, and ends with 0."
    )

    @Option(
        help:
            "Where to listen: lines://HOST:PORT, raw://HOST:PORT or frames://HOST:PORT; port 0 chooses one. Repeatable."
    )
    var listen: [String] = []

    @OptionGroup(title: "Liveness") var liveness: LivenessOptions

    @Flag(help: "A peer must say hello before its first message.")
    var requireHello = false

    @Flag(help: "A peer that closed its sending half may go on receiving.")
    var allowHalfClosure = false

    @Option(help: "Connections in all. Default: the limit on open files less a reserve.")
    var maxConnections: Int?

    @Option(help: "Connections of one address. Default: no limit.")
    var maxConnectionsPerAddress: Int?

    @Option(help: "Bytes of one message, 64 to 67108864. Default: 65536 for lines, 1048576 for frames.")
    var maxMessageSize: Int?

    @Option(help: "Bytes that may wait for one peer, 4096 to 1073741824. Default: 4194304.")
    var maxOutbound: Int?

    @Option(
        help: "How long a shutdown may take before what is left is reset, 0s to 1h. Default: 5s.",
        transform: Duration.flag
    )
    var drainWithin: Duration = .seconds(5)

    @Option(help: "The kernel's second line: patient (slow readers survive) or strict (pure heartbeats).")
    var kernel: KernelTimeouts.Mode = .patient

    @Option(help: "What to do with messages: count them, or echo them to their sender.")
    var messages: Messages = .count

    @Option(help: "How many event loops to run, 1 to 256. Default: one for each core.")
    var threads: Int = System.coreCount

    @OptionGroup(title: "Output") var output: OutputOptions

    /// The values of `--messages`.
    enum Messages: String, CaseIterable, ExpressibleByArgument {
        case count, echo
    }

    func run() async throws {
        let configuration = try self.makeConfiguration()
        let descriptor = try self.output.openEvents()
        let writer = EventWriter(descriptor: descriptor, node: self.output.nodeName) { event in
            guard case .nodeStarted(let listeners) = event.kind else { return }
            for listener in listeners { Output.tell("listening \(listener)") }
        }
        defer { writer.finish() }
        var server = configuration
        server.events = writer
        let group = MultiThreadedEventLoopGroup(numberOfThreads: self.threads)
        let service = BelayServer(
            configuration: server,
            delegate: self.messages == .echo ? EchoDelegate() : nil,
            group: group
        )
        try await CommandRunner.run(service, logger: server.logger)
        // Fails when it was shut down before, which is what is wanted.
        try? await group.shutdownGracefully()
    }

    private func makeConfiguration() throws -> BelayServer.Configuration {
        guard !self.listen.isEmpty else {
            throw CommandFailure(
                message: "--listen is missing: give at least one URL such as lines://127.0.0.1:7400",
                exitCode: .usage
            )
        }
        guard (1...256).contains(self.threads) else {
            throw CommandFailure(message: "--threads is \(self.threads), allowed are 1 to 256", exitCode: .usage)
        }
        let listeners = try self.listen.map { try Endpoint(flag: "--listen", url: $0) }
        var configuration = BelayServer.Configuration(listeners: listeners, liveness: self.liveness.policy)
        configuration.liveness.requiresHello = self.requireHello
        configuration.liveness.allowHalfClosure = self.allowHalfClosure
        configuration.limits.connections = self.maxConnections
        configuration.limits.connectionsPerAddress = self.maxConnectionsPerAddress
        configuration.limits.messageBytes = self.maxMessageSize
        configuration.limits.outboundBytes = self.maxOutbound ?? configuration.limits.outboundBytes
        configuration.kernel = self.kernel
        configuration.drainWithin = self.drainWithin
        configuration.logger = self.output.logger
        do throws(ConfigurationError) {
            try configuration.validate()
        } catch {
            throw CommandFailure(message: error.forFlags, exitCode: .usage)
        }
        if self.requireHello, listeners.contains(where: { $0.format == .raw }) {
            throw CommandFailure(
                message: "--require-hello cannot be met on raw://, which has no hello",
                exitCode: .usage
            )
        }
        return configuration
    }
}

/// Sends each message back to its sender, and reads no faster than the sender takes.
private struct EchoDelegate: ConnectionDelegate {
    func received(_ message: ByteBuffer, on connection: Connection) {
        // A connection that is over has nobody to echo to. What was received can be sent, but for a line that ends with CR.
        try? connection.send(message)
        if !connection.isWritable { connection.pauseReading() }
    }

    func writabilityChanged(_ connection: Connection) {
        if connection.isWritable { connection.resumeReading() } else { connection.pauseReading() }
    }
}
