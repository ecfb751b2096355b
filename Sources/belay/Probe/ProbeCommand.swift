//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import BelaySocket

/// `belay probe`: one look at a connection, without consuming a byte.
struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Look once at a connection: open, closed by whom, broken by what.",
        discussion: """
            No data is consumed and nothing is sent; tcp:// opens a connection and closes it again. Ends with 0 when the \
            connection is open, with 1 when it is not or nobody answers, with 3 when that cannot be found out.
            """
    )

    @Argument(
        help: """
            tcp://HOST:PORT connects; pid:PID/fd:FD is a descriptor of a process; SRC,DST is a connection of this host by its \
            two addresses, as in 192.0.2.1:7400,192.0.2.7:51234.
            """
    )
    var target: String

    @Option(help: "How long connecting may take, 20ms to 1h. Default: 5s.", transform: Duration.flag)
    var within: Duration = .seconds(5)

    @Flag(help: "One JSON object.")
    var json = false

    private static let allowedWithin: ClosedRange<Duration> = .milliseconds(20) ... .seconds(3_600)

    func validate() throws {
        if !Self.allowedWithin.contains(self.within) {
            throw ValidationError("--within is \(self.within.text), allowed are 20ms to 1h")
        }
    }

    func run() async throws {
        let target: ProbeTarget
        do throws(ProbeTarget.ParseError) {
            target = try ProbeTarget(text: self.target)
        } catch {
            throw CommandFailure(message: "TARGET: \(error)", exitCode: .usage)
        }
        let report: ProbeReport
        switch target {
        case .service(let host, let port):
            report = try await ServiceProbe(host: host, port: port, within: self.within).report(on: self.target)
        case .descriptor, .pair:
            report = try TableProbe(target: target).report(on: self.target)
        }
        report.show(asJSON: self.json)
        guard report.exitCode == .success else { throw report.exitCode }
    }
}
