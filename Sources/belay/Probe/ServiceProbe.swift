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
import NIOCore
import NIOPosix

/// Connects to a service, looks once, and closes.
struct ServiceProbe {
    var host: String
    var port: Int
    var within: Duration

    func report(on text: String) async throws -> ProbeReport {
        let group = MultiThreadedEventLoopGroup.singleton
        let begun = ContinuousClock.now
        do {
            let channel = try await ClientBootstrap(group: group)
                .connectTimeout(TimeAmount(self.within))
                // What the service says first stays where it is.
                .channelOption(.autoRead, value: false)
                .connect(host: self.host, port: self.port).get()
            let connectTime = begun.duration(to: .now)
            let look = try await channel.eventLoop.submit { try Self.look(at: channel) }.get()
            // Nothing is unsaid: the report stands, however the close ends.
            try? await channel.close()
            guard let look else {
                return ProbeReport(target: text, state: "unknown", text: "no look was possible", exitCode: .unknown)
            }
            var report = ProbeReport(target: text, state: look.state)
            report.connectTime = connectTime
            report.local = channel.localAddress?.hostAndPort
            report.remote = channel.remoteAddress?.hostAndPort
            report.tcp = look.tcpInfo?.evidence
            return report
        } catch {
            return self.failure(DisconnectCause(connecting: error), text)
        }
    }

    private static func look(at channel: any Channel) throws -> ConnectionProbe.Look? {
        try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { descriptor in
            var probe = ConnectionProbe(of: descriptor)
            return try probe.look()
        }
    }

    private func failure(_ cause: DisconnectCause, _ text: String) -> ProbeReport {
        let reason = cause.reason(in: .handshake)
        let why = reason.evidence.errno.map { errno in
            switch errno {
            case .connectionRefused: "nobody listens there"
            case .timedOut: "nobody answers within \(self.within.text)"
            default: "not reachable: \(errno.name)"
            }
        }
        return ProbeReport(
            target: text,
            state: reason.evidence.errno == .connectionRefused ? "refused" : "unreachable",
            text: why ?? reason.evidence.detail ?? reason.code.explanation,
            exitCode: .badAnswer,
            errno: reason.evidence.errno
        )
    }
}
