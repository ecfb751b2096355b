//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// When a client connects again (rule R14): exponential backoff with full jitter.
///
/// The delay before attempt n is drawn evenly from zero to min(longest, shortest x 2^n), so that clients that lost the
/// same server never return in step (Brooker, "Exponential Backoff and Jitter", 2015). A connection that held for the
/// stable period starts the count again; the server's advice is honoured.
public struct ReconnectPolicy: Hashable, Sendable {
    /// The upper limit of the first delay.
    ///
    /// Default: 500 ms. 1 ms to 1 h.
    public var shortestDelay: Duration = .milliseconds(500)
    /// The upper limit of every delay.
    ///
    /// Default: 30 s. At least ``shortestDelay``, at most 24 h.
    public var longestDelay: Duration = .seconds(30)
    /// How long a connection must have lasted for the backoff to start anew.
    ///
    /// Default: 10 s. 0 to 24 h.
    public var stableAfter: Duration = .seconds(10)
    /// How many attempts in a row may fail, at least 1.
    ///
    /// Default: nil, no limit.
    public var maximumAttempts: Int?

    /// The default policy.
    public init() {}

    /// Checks the policy.
    ///
    /// - Throws: ``ConfigurationError`` with every problem at once.
    public func validate() throws(ConfigurationError) {
        var problems = ProblemCollector()
        problems.check("shortestDelay", self.shortestDelay, in: .milliseconds(1) ... .seconds(3_600))
        problems.check("longestDelay", self.longestDelay, in: .milliseconds(1) ... .seconds(86_400))
        problems.check("stableAfter", self.stableAfter, in: .zero ... .seconds(86_400))
        problems.check("maximumAttempts", self.maximumAttempts, in: 1...Int.max)
        if self.longestDelay < self.shortestDelay {
            problems.report(
                "longestDelay",
                "is \(self.longestDelay.text), it must be at least shortestDelay \(self.shortestDelay.text)"
            )
        }
        try problems.throwIfAny()
    }
}

/// The state of a client between its connections.
public struct ReconnectBackoff: Hashable, Sendable {
    /// What to do after a connection or an attempt ended.
    public enum Decision: Hashable, Sendable {
        /// Connect again after this long.
        case wait(Duration)
        /// Do not connect again, because the server said so or the attempts are used up.
        case giveUp
    }

    private let policy: ReconnectPolicy
    /// Attempts in a row that did not lead to a stable connection.
    public private(set) var attempts = 0

    /// A backoff that has seen no failure.
    public init(_ policy: ReconnectPolicy) {
        self.policy = policy
    }

    /// Decides what follows an end.
    ///
    /// - Parameters:
    ///   - reason: why the connection, or the attempt to make one, ended.
    ///   - lasted: how long the connection was up; nil when the attempt failed.
    ///   - generator: the source of the jitter.
    /// - Returns: when to connect again, if at all.
    public mutating func ended(
        _ reason: DisconnectReason,
        lasted: Duration?,
        using generator: inout some RandomNumberGenerator
    ) -> Decision {
        guard reason.mayReconnect else { return .giveUp }
        if let lasted, lasted >= self.policy.stableAfter {
            self.attempts = 0
        }
        self.attempts += 1
        if let maximum = self.policy.maximumAttempts, self.attempts > maximum {
            return .giveUp
        }
        let longest = max(1, self.policy.longestDelay.wholeNanoseconds)
        let doublings = min(self.attempts - 1, 40)
        let (grown, overflow) = max(1, self.policy.shortestDelay.wholeNanoseconds)
            .multipliedReportingOverflow(by: 1 << Int64(doublings))
        let ceiling = overflow ? longest : min(grown, longest)
        let jitter = Duration.nanoseconds(Int64.random(in: 0...ceiling, using: &generator))
        // The server's advice is a floor; the jitter on top of it keeps clients that got the same advice apart.
        return .wait((reason.evidence.retryAfter.map { min(max($0, .zero), .seconds(86_400)) } ?? .zero) + jitter)
    }
}
