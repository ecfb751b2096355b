//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import RealModule

/// Heartbeats that are lost or late independently of each other: a constant chance of loss, an exponential delay.
///
/// The workload of the figure in W. Chen, S. Toueg, M. K. Aguilera, "On the quality of service of failure detectors", IEEE
/// Transactions on Computers 51(5), 2002, section 7, for which the quality of detectors is known exactly: see
/// ``expectedRecurrence(detectWithin:)``.
///
/// The sequence ends after 292 years, with the time; take a `prefix` of it. Each heartbeat is a function of the seed and its number, so that any of
/// them can be looked at without those before it.
public struct IndependentHeartbeats: Sequence, IteratorProtocol, Sendable {
    /// The time between two heartbeats.
    public let interval: Duration
    /// The chance of each to be lost.
    public let loss: Double
    /// The mean delay of those that are not.
    public let meanDelay: Duration

    let intervalNanoseconds: Int64
    let meanDelaySeconds: Double
    private let seed: UInt64
    private var number = 0

    /// Heartbeats with these properties; the defaults are those of the paper's figure.
    ///
    /// - Parameters:
    ///   - interval: the time between two heartbeats, at least 1 ns; default 1 s.
    ///   - loss: the chance to be lost, 0 to 1; default 0.01.
    ///   - meanDelay: the mean delay, not negative; default 20 ms.
    ///   - seed: decides everything that is random.
    public init(
        interval: Duration = .seconds(1),
        loss: Double = 0.01,
        meanDelay: Duration = .milliseconds(20),
        seed: UInt64
    ) {
        self.intervalNanoseconds = Swift.max(1, interval.wholeNanoseconds)
        self.interval = .nanoseconds(self.intervalNanoseconds)
        self.loss = loss.isNaN ? 0 : Swift.min(Swift.max(loss, 0), 1)
        self.meanDelaySeconds = Swift.max(0, meanDelay.seconds)
        self.meanDelay = Swift.max(.zero, meanDelay)
        self.seed = seed
    }

    /// The next heartbeat; nil at the end of time.
    public mutating func next() -> Heartbeat? {
        guard Int64(sendingOf: self.number, every: self.intervalNanoseconds) != nil else { return nil }
        defer { self.number += 1 }
        return self[self.number]
    }

    /// The heartbeat with this number, which is not negative; at the end of time all are sent together.
    ///
    /// One draw decides both: the share of it below the chance of loss is the loss, the rest the delay.
    public subscript(number: Int) -> Heartbeat {
        let sentAt = Int64(sendingOf: number, every: self.intervalNanoseconds) ?? .max
        let draw = self.draw(number)
        guard draw >= self.loss else {
            return Heartbeat(number: number, sentAt: Instant(nanoseconds: sentAt), arrivedAt: nil)
        }
        let delay = -self.meanDelaySeconds * Double.log((draw - self.loss) / (1 - self.loss))
        return Heartbeat(
            number: number,
            sentAt: Instant(nanoseconds: sentAt),
            arrivedAt: Instant(nanoseconds: sentAt).advanced(byNanoseconds: Int64(nanosecondsOfSeconds: delay))
        )
    }

    /// What decides about a heartbeat, between 0 and 1: the less, the later it arrives.
    func draw(_ number: Int) -> Double {
        // The generator adds a constant to its state for each number; this is where it would be after so many.
        var generator = SplitMix64(seed: self.seed &+ UInt64(bitPattern: Int64(number)) &* 0x9E37_79B9_7F4A_7C15)
        return generator.unit()
    }
}
