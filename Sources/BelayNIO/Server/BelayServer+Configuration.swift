//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore
public import Logging

extension BelayServer {
    /// What a server listens on and what it holds its connections to.
    public struct Configuration: Sendable {
        /// Where to listen; at least one.
        ///
        /// Port 0 lets the system choose.
        public var listeners: [Endpoint]
        /// How fast to know that a peer is gone.
        ///
        /// Default: within 30 s.
        public var liveness: LivenessPolicy
        /// What connections may use.
        public var limits = ConnectionLimits()
        /// Which second line the kernel holds.
        ///
        /// Default: patient.
        public var kernel: KernelTimeouts.Mode = .patient
        /// How long a graceful shutdown may take before what is left is reset.
        ///
        /// Default: 5 s. 0 to 1 h.
        public var drainWithin: Duration = .seconds(5)
        /// The length of the queue of connections that wait to be accepted.
        ///
        /// Default: 4,096. 1 to 65,535.
        public var backlog: Int = 4_096
        /// Who takes the events.
        ///
        /// Default: nil, nobody.
        public var events: (any EventSink)?
        /// Where to log.
        ///
        /// Default: a logger that drops everything.
        public var logger = Logger(label: "belay", factory: { _ in SwiftLogNoOpLogHandler() })

        /// A configuration with defaults for everything but the listeners and the policy.
        public init(listeners: [Endpoint], liveness: LivenessPolicy = .wan) {
            self.listeners = listeners
            self.liveness = liveness
        }

        /// Checks the configuration.
        ///
        /// - Throws: ``ConfigurationError`` with every problem at once.
        public func validate() throws(ConfigurationError) {
            var problems = ProblemCollector()
            if self.listeners.isEmpty { problems.report("listeners", "is empty: give at least one") }
            problems.check("drainWithin", self.drainWithin, in: .zero ... .seconds(3_600))
            problems.check("backlog", self.backlog, in: 1...65_535)
            problems.absorb { () throws(ConfigurationError) in try self.liveness.validate() }
            problems.absorb { () throws(ConfigurationError) in try self.limits.validate() }
            try problems.throwIfAny()
        }
    }
}
