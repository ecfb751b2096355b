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
            // Before it is closed: it has no addresses then.
            var report = try await channel.eventLoop.submit { try Self.report(on: channel, text) }.get()
            report.connectTime = connectTime
            // Nothing is unsaid: the report stands, however the close ends.
            try? await channel.close()
            return report
        } catch let failure as ConnectionProbe.Failure {
            return ProbeReport(target: text, state: "unknown", text: failure.description, exitCode: .unknown)
        } catch {
            return self.failure(DisconnectCause(connecting: error), text)
        }
    }

    private static func report(on channel: any Channel, _ text: String) throws -> ProbeReport {
        let look = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            var probe = ConnectionProbe(of: $0)
            return try probe.look()
        }
        guard let look else {
            return ProbeReport(target: text, state: "unknown", text: "no look was possible", exitCode: .unknown)
        }
        var report = ProbeReport(target: text, state: look.state)
        report.local = channel.localAddress?.hostAndPort
        report.remote = channel.remoteAddress?.hostAndPort
        report.hasUnreadBytes = look.hasUnreadBytes
        report.tcp = look.tcpInfo?.evidence
        return report
    }

    private func failure(_ cause: DisconnectCause, _ text: String) -> ProbeReport {
        let reason = cause.reason(in: .handshake)
        if reason.code == .peerReset { return ProbeReport(target: text, state: .reset) }
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
