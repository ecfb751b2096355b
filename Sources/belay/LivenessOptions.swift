//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore

/// The flags that say how fast to know that a peer is gone.
struct LivenessOptions: ParsableArguments {
    @Option(
        help: "A silent peer is declared dead within this time, 20ms to 24h. Default: 30s.",
        transform: Duration.flag
    )
    var detectWithin: Duration?

    @Option(help: "Ping after this long without a byte, 5ms to 24h.", transform: Duration.flag)
    var interval: Duration?

    @Option(help: "An answer must come this soon; the bound is then interval + reply.", transform: Duration.flag)
    var replyWithin: Duration?

    @Option(help: "How many pings may stay unanswered within the bound, 1 to 100. Default: 2.")
    var attempts: Int?

    @Option(help: "Suspect a peer after this long. Default: two thirds of the bound.", transform: Duration.flag)
    var suspectAfter: Duration?

    @Option(
        help: """
            What may suspect a peer earlier: fixed (nothing), nfde (an answer that is late for this path) or phi (an \
            improbably late one).
            """
    )
    var detector: DetectorName = .fixed

    @Option(help: "Bytes may wait this long for a peer without moving. Default: the bound.", transform: Duration.flag)
    var writeWithin: Duration?

    @Option(
        help: "The first line, frame or byte must come within this time. Default: the bound.",
        transform: Duration.flag
    )
    var handshakeWithin: Duration?

    @Option(help: "An orderly close may take this long. Default: 5s.", transform: Duration.flag)
    var closeWithin: Duration?

    @Option(
        help: "Close when no message came for this long, although heartbeats do. Default: never.",
        transform: Duration.flag
    )
    var idleLimit: Duration?

    @Option(help: "A peer may not ping more often than this on average. Default: 5ms.", transform: Duration.flag)
    var minimumPeerInterval: Duration?

    @Option(help: "Which heartbeats to send: both, ping, answer or listen.")
    var heartbeats: LivenessPolicy.Heartbeats = .both

    @Flag(help: "Ping under traffic too, for a fresh round trip time.")
    var pingAlways = false

    /// The policy that the flags describe; it may contradict itself, which its validation reports.
    var policy: LivenessPolicy {
        var policy = LivenessPolicy(
            detectWithin: self.detectWithin,
            attempts: self.attempts,
            interval: self.interval,
            replyWithin: self.replyWithin
        )
        policy.suspectAfter = self.suspectAfter
        policy.detector = self.detector.detector
        policy.writeWithin = self.writeWithin
        policy.handshakeWithin = self.handshakeWithin
        policy.closeWithin = self.closeWithin ?? policy.closeWithin
        policy.idleLimit = self.idleLimit
        policy.minimumPeerInterval = self.minimumPeerInterval ?? policy.minimumPeerInterval
        policy.heartbeats = self.heartbeats
        policy.pingAlways = self.pingAlways
        return policy
    }

    /// The values of `--detector`.
    enum DetectorName: String, CaseIterable, ExpressibleByArgument {
        case fixed, nfde, phi

        var detector: Detector {
            switch self {
            case .fixed: .fixed
            case .nfde: .nfde()
            case .phi: .phi()
            }
        }
    }
}
