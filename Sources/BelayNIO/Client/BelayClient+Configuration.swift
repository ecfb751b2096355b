//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore
public import Logging

extension BelayClient {
    /// What a client connects to and how it stays connected.
    public struct Configuration: Sendable {
        /// The server.
        public var endpoint: Endpoint
        /// How fast to know that the server is gone.
        ///
        /// Default: within 30 s.
        public var liveness: LivenessPolicy
        /// Who we are, as the hello says; nil says no hello.
        ///
        /// 1 to 128 bytes of printable UTF-8 without spaces.
        ///
        /// `raw` has no hello: there the identity is not told.
        public var identity: String?
        /// The credential in the hello.
        ///
        /// 1 to 1,024 bytes of printable UTF-8 without spaces; needs an identity.
        public var token: String?
        /// Whether and when to connect again; nil ends with the first connection.
        ///
        /// Default: exponential with full jitter.
        public var reconnect: ReconnectPolicy? = ReconnectPolicy()
        /// How to learn how rarely a heartbeat is enough; its interval counts instead of that of ``liveness``.
        ///
        /// Needs an identity, a protocol with a hello, heartbeats of our own, and ``LivenessPolicy/replyWithin``.
        ///
        /// Default: nil, the interval is that of ``liveness``.
        public var smartHeartbeats: SmartHeartbeats?
        /// How long one attempt to connect may take.
        ///
        /// Default: 10 s. 20 ms to 1 h.
        public var connectWithin: Duration = .seconds(10)
        /// What the connection may use.
        public var limits = ConnectionLimits()
        /// Which second line the kernel holds.
        ///
        /// Default: patient.
        public var kernel: KernelTimeouts.Mode = .patient
        /// Who takes the events.
        ///
        /// Default: nil, nobody.
        public var events: (any EventSink)?
        /// Where to log.
        ///
        /// Default: a logger that drops everything.
        public var logger = Logger(label: "belay", factory: { _ in SwiftLogNoOpLogHandler() })

        /// A configuration with defaults for everything but the server and the policy.
        public init(endpoint: Endpoint, liveness: LivenessPolicy = .wan, identity: String? = nil) {
            self.endpoint = endpoint
            self.liveness = liveness
            self.identity = identity
        }

        /// Checks the configuration.
        ///
        /// - Throws: ``ConfigurationError`` with every problem at once.
        public func validate() throws(ConfigurationError) {
            var problems = ProblemCollector()
            if self.endpoint.port == 0 { problems.report("endpoint", "has port 0, allowed are 1 to 65535") }
            if let identity, !Hello.isIdentity(identity) {
                problems.report("identity", "must be 1 to 128 bytes of printable text without spaces")
            }
            if let token {
                if self.identity == nil { problems.report("token", "needs an identity") }
                if !Hello.isToken(token) {
                    problems.report("token", "must be printable text without spaces, within its limit")
                }
            }
            if self.smartHeartbeats != nil { self.checkSmartHeartbeats(&problems) }
            problems.check("connectWithin", self.connectWithin, in: .milliseconds(20) ... .seconds(3_600))
            problems.absorb { () throws(ConfigurationError) in try self.liveness.validate() }
            problems.absorb { () throws(ConfigurationError) in try self.limits.validate() }
            if let reconnect { problems.absorb { () throws(ConfigurationError) in try reconnect.validate() } }
            try problems.throwIfAny()
        }

        private func checkSmartHeartbeats(_ problems: inout ProblemCollector) {
            if self.identity == nil || self.endpoint.format == .raw {
                problems.report("smartHeartbeats", "needs an identity and a protocol with a hello: lines or frames")
            }
            if self.liveness.replyWithin == nil {
                problems.report(
                    "smartHeartbeats",
                    "needs interval and replyWithin: the bound follows from its interval"
                )
            }
            if self.liveness.heartbeats == .answer || self.liveness.heartbeats == .listen {
                problems.report("smartHeartbeats", "needs pings of our own: heartbeats must be both or ping")
            }
        }
    }

    /// What happened to a client's connection.
    public enum Change: Hashable, Sendable {
        /// A connection was opened.
        case connected(ConnectionID)
        /// The server has been silent for this long and is suspected.
        case suspected(silence: Duration)
        /// The server spoke again after this long.
        case recovered(silence: Duration)
        /// The connection ended.
        case disconnected(DisconnectReason)
        /// An attempt to connect failed.
        case connectFailed(DisconnectReason)
        /// The next attempt comes after this long.
        case waiting(for: Duration)
    }
}
