//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

extension SimulatedPeer {
    /// What one end of a simulation is like.
    public struct Configuration: Hashable, Sendable {
        /// What its machine judges the other end by.
        public var policy: LivenessPolicy

        /// Bytes that may wait for the other end.
        ///
        /// Default: 4 MiB.
        public var outboundLimit = 4 << 20

        /// Whether its pongs bring back the token of their ping.
        ///
        /// Default: true; on `raw` they cannot.
        public var echoesTokens = true

        /// The bound that it asks for in a hello when the connection opens.
        ///
        /// Default: nil, it says no hello.
        public var asksFor: Duration?

        /// How late its process wakes up at most, evenly distributed.
        ///
        /// Default: 500 us, a healthy host.
        public var wakeUpLateness: Duration = .microseconds(500)

        /// The wire format that it speaks, in bytes that are cut and joined anywhere.
        ///
        /// Default: nil, elements that arrive whole. Both ends must speak the same.
        public var format: WireFormat?

        /// Whether its kernel tells what it knows of the connection, as TCP_INFO does on Linux.
        ///
        /// Default: false, so that silence has no other reason than `peer.silent`.
        public var showsEvidence = false

        /// A peer that judges by this policy.
        public init(_ policy: LivenessPolicy) {
            self.policy = policy
        }

        /// A peer that answers pings and judges nobody within 24 h, as programs do that do not use Belay.
        ///
        /// - Parameter echoesTokens: whether its pongs bring back the token of their ping.
        /// - Returns: the configuration.
        public static func answering(echoesTokens: Bool = true) -> Configuration {
            var configuration = Self.judgingNobody(.answer)
            configuration.echoesTokens = echoesTokens
            return configuration
        }

        /// A peer that sends no heartbeats and judges nobody within 24 h: it says what the script says.
        public static var mute: Configuration { Self.judgingNobody(.listen) }

        private static func judgingNobody(_ heartbeats: LivenessPolicy.Heartbeats) -> Configuration {
            var policy = LivenessPolicy(detectWithin: LivenessPolicy.allowedBounds.upperBound)
            policy.heartbeats = heartbeats
            return Configuration(policy)
        }
    }
}
