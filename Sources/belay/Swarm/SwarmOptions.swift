//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore

/// The flags that say what a swarm is and does.
struct SwarmOptions: ParsableArguments {
    @Option(help: "How many connections, 1 to 1000000; past the limit on open files several processes share them.")
    var connections: Int

    @Option(help: "How many to make in a second, 1 to 1000000.")
    var ramp: Double = 2_000

    @Option(
        name: .customLong("for"),
        help: "How long to stay once all are made, 0s to 24h. Default: 30s.",
        transform: Duration.flag
    )
    var stay: Duration = .seconds(30)

    @Option(
        help: ArgumentHelp(
            "What is to go wrong with which share of the connections, when after the ramp, and over which time. Repeatable.",
            discussion: """
                Kinds: silence, close (FIN), reset (RST), bye (goodbye, then FIN), stop-reading, babble (garbage), flap (FIN, \
                and back within a second). freeze=D@TIME stops all of the swarm's processes for D.
                """,
            valueName: "kind=percent@time[+spread]"
        ),
        transform: Self.fault
    )
    var fault: [SwarmFault] = []

    @Option(help: "Each connection pings this often, 10ms to 24h. Default: it only answers.", transform: Duration.flag)
    var pingEvery: Duration?

    @Option(help: "How many messages each connection sends in a second, 0 to 1000.")
    var messageRate: Double = 0

    @Option(help: "Bytes of a message, 1 to 65536.")
    var messageSize = 64

    @Option(help: "Each connection says hello as PREFIX-NUMBER; lines and frames only. Default: no hello.")
    var idPrefix: String?

    @Option(help: "Where randomness begins: the same seed strikes the same connections at the same times.")
    var seed: UInt64 = 1

    private static let stays: ClosedRange<Duration> = .zero ... .seconds(86_400)
    private static let intervals: ClosedRange<Duration> = .milliseconds(10) ... .seconds(86_400)

    func validate() throws {
        guard 1...1_000_000 ~= self.connections else {
            throw ValidationError("--connections is \(self.connections), allowed are 1 to 1000000")
        }
        guard 1...1_000_000 ~= self.ramp else {
            throw ValidationError("--ramp is \(self.ramp), allowed are 1 to 1000000 a second")
        }
        guard Self.stays.contains(self.stay) else {
            throw ValidationError("--for is \(self.stay.text), allowed are 0s to 24h")
        }
        if let pingEvery, !Self.intervals.contains(pingEvery) {
            throw ValidationError("--ping-every is \(pingEvery.text), allowed are 10ms to 24h")
        }
        guard 0...1_000 ~= self.messageRate else {
            throw ValidationError("--message-rate is \(self.messageRate), allowed are 0 to 1000 a second")
        }
        guard 1...65_536 ~= self.messageSize else {
            throw ValidationError("--message-size is \(self.messageSize), allowed are 1 to 65536")
        }
        // The longest number and its hyphen have to fit, too.
        if let idPrefix, !Hello.isIdentity(idPrefix) || idPrefix.utf8.count > 120 {
            throw ValidationError(
                "--id-prefix '\(idPrefix.prefix(40).visible)': 1 to 120 bytes without spaces are allowed"
            )
        }
        let percent = self.fault.filter { $0.kind != .freeze }.reduce(0) { $0 + $1.percent }
        // Thirds and their like need not add up exactly.
        guard percent <= 100.001 else {
            throw ValidationError("--fault: the shares add up to \(percent) %, allowed are 100 % together")
        }
        if let late = self.fault.first(where: { $0.end > self.stay }) {
            throw ValidationError(
                "--fault \(late.kind.rawValue) ends \(late.end.text) after the ramp, allowed is --for, \(self.stay.text)"
            )
        }
    }

    /// Holds the flags against the protocol.
    func validate(on format: WireFormat) throws {
        if let fault = self.fault.first(where: { !$0.isPossible(on: format) }) {
            throw ValidationError(
                "--fault \(fault.kind.rawValue) is not possible on raw://, which "
                    + (fault.kind == .bye ? "has no goodbye" : "no bytes can break")
            )
        }
        if self.idPrefix != nil, format == .raw {
            throw ValidationError("--id-prefix is not possible on raw://, which has no hello")
        }
    }

    private static func fault(_ text: String) throws -> SwarmFault {
        do throws(SwarmFault.ParseError) {
            return try SwarmFault(text: text)
        } catch {
            throw ValidationError(error.description)
        }
    }
}
