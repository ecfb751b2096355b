//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// NFD-E with a margin that follows the errors of its own expectation, as TCP's retransmission timeout does.
///
/// After M. Bertier, O. Marin, P. Sens, "Implementation and performance evaluation of an adaptable failure detector", DSN
/// 2002, with the constants of Jacobson's estimator. It has nothing to be set: it is one point wherever others are a line,
/// and an impatient one. A yardstick, not to be used.
public struct BertierDetector: FailureDetector {
    /// The weight of a new error; in the margin, that of the mean error and that of its deviation.
    private static let gain = 0.1
    private static let errorWeight = 1.0
    private static let deviationWeight = 4.0

    private let intervalNanoseconds: Int64
    private var expectation: NFDE
    private var newest: Instant?
    private var errorNanoseconds = 0.0
    private var deviationNanoseconds = 0.0

    /// A detector that knows nothing yet.
    ///
    /// - Parameters:
    ///   - interval: the time between two heartbeats.
    ///   - window: over how many heartbeats the expectation is the mean.
    public init(interval: Duration, window: Int = 1_000) {
        self.intervalNanoseconds = interval.wholeNanoseconds
        self.expectation = NFDE(interval: interval, margin: .fixed(.zero), window: window)
    }

    /// A ping was sent.
    public mutating func asked(at now: Instant) { self.expectation.asked(at: now) }

    /// A heartbeat arrived; how far it was from what was expected is a sample.
    public mutating func arrived(sentAt: Instant, at now: Instant) {
        guard self.newest.map({ sentAt > $0 }) ?? true else { return }
        if let newest, let expected = self.expectation.expectedArrival {
            let expectedDelay = expected.nanoseconds(since: newest.advanced(byNanoseconds: self.intervalNanoseconds))
            let late = Double(now.nanoseconds(since: sentAt)) - Double(expectedDelay)
            let error = late - self.errorNanoseconds
            self.errorNanoseconds += Self.gain * error
            self.deviationNanoseconds += Self.gain * (abs(error) - self.deviationNanoseconds)
        }
        self.newest = sentAt
        self.expectation.arrived(sentAt: sentAt, at: now)
    }

    /// Something else proved the peer alive; it is no sample.
    public mutating func heard(at now: Instant) { self.expectation.heard(at: now) }

    /// The expected arrival of the next heartbeat and the margin.
    public var suspicionAt: Instant {
        let margin = Self.errorWeight * self.errorNanoseconds + Self.deviationWeight * self.deviationNanoseconds
        guard let expected = self.expectation.expectedArrival else { return .distantFuture }
        return expected.advanced(byNanoseconds: Int64(min(max(margin.rounded(), -9e18), 9e18)))
    }
}
