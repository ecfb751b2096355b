//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import BelayNIO
import Foundation
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle

/// `belay connect`: a client that stays connected and says so.
struct ConnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Stay connected to a server, answer and send heartbeats.",
        discussion: """
            Lines of standard input become messages; messages of the server go to standard output, unless --events - has it. \
            Ends with 0 when it is told to (SIGTERM, SIGINT), with 1 when the connection is lost and not made again.
            """
    )

    @Argument(help: "The server: lines://HOST:PORT, raw://HOST:PORT or frames://HOST:PORT.")
    var url: String

    @Option(help: "Who we are, for the hello of lines and frames: 1 to 128 bytes without spaces.")
    var id: String?

    @Option(help: "The credential in the hello.")
    var token: String?

    @Flag(name: .customLong("no-reconnect"), help: "End with the first connection.")
    var noReconnect = false

    @Option(help: "How long one attempt to connect may take, 20ms to 1h. Default: 10s.", transform: Duration.flag)
    var connectWithin: Duration = .seconds(10)

    @OptionGroup(title: "Liveness") var liveness: LivenessOptions

    @OptionGroup(title: "Output") var output: OutputOptions

    func run() async throws {
        var configuration = BelayClient.Configuration(
            endpoint: try Endpoint(flag: "URL", url: self.url),
            liveness: self.liveness.policy,
            identity: self.id
        )
        configuration.token = self.token
        configuration.connectWithin = self.connectWithin
        configuration.logger = self.output.logger
        if self.noReconnect { configuration.reconnect = nil }
        do throws(ConfigurationError) {
            try configuration.validate()
        } catch {
            throw CommandFailure(message: error.forFlags, exitCode: .usage)
        }
        if self.id != nil, configuration.endpoint.format == .raw {
            configuration.logger.notice("raw:// has no hello: the identity is not told")
        }
        let writer = EventWriter(descriptor: try self.output.openEvents(), node: self.output.nodeName)
        defer { writer.finish() }
        configuration.events = writer
        let session = ConnectSession(
            client: BelayClient(configuration: configuration, group: MultiThreadedEventLoopGroup(numberOfThreads: 1)),
            printsMessages: self.output.events != "-"
        )
        try await CommandRunner.run(session, logger: configuration.logger)
        if let reason = session.reasonOfEnd {
            throw CommandFailure(message: "\(self.url): \(reason)", exitCode: .badAnswer)
        }
    }
}
