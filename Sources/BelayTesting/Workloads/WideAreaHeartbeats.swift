//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import RealModule

/// Datagrams over a wide area network: a delay that varies little, and losses in bursts.
///
/// Made after the first moments of the trace on which detectors have been compared since N. Hayashibara and others, "The phi
/// accrual failure detector" (SRDS 2004): a week of heartbeats between Switzerland and Japan, one every 103.5 ms, a round
/// trip of 283 ms, 0.399 % of them lost in bursts of 28.5 in the mean.
///
/// The delay is 135 ms and a gamma distributed rest of shape 2 and scale 6.7 ms. Losses follow E. N. Gilbert's model: the
/// path is good, or bad and loses everything; each heartbeat finds it gone bad with a chance of 1 in 7153, and good again
/// with one of 1 in 28.5. The sequence ends after 292 years, with the time; take a
/// `prefix` of it.
public struct WideAreaHeartbeats: Sequence, IteratorProtocol, Sendable {
    /// The time between two heartbeats.
    public static let interval: Duration = .microseconds(103_500)

    private static let intervalNanoseconds = Self.interval.wholeNanoseconds
    static let leastDelaySeconds = 0.135
    static let delayScaleSeconds = 0.0067
    static let goesBad = 1 / 7153.0
    static let goesGood = 1 / 28.5

    private var generator: SplitMix64
    private var number = 0
    private var isBad = false

    /// The heartbeats of this seed; the path is good at first.
    public init(seed: UInt64) {
        self.generator = SplitMix64(seed: seed)
    }

    /// The next heartbeat; nil at the end of time.
    public mutating func next() -> Heartbeat? {
        guard let sentAt = Int64(sendingOf: self.number, every: Self.intervalNanoseconds) else { return nil }
        defer { self.number += 1 }
        var heartbeat = Heartbeat(number: self.number, sentAt: Instant(nanoseconds: sentAt), arrivedAt: nil)
        if self.generator.unit() < (self.isBad ? Self.goesGood : Self.goesBad) { self.isBad.toggle() }
        guard !self.isBad else { return heartbeat }
        // The sum of two exponentials is a gamma of shape 2.
        let rest = -Self.delayScaleSeconds * Double.log(self.generator.unit() * self.generator.unit())
        heartbeat.arrivedAt = Instant(nanoseconds: sentAt + Int64(nanosecondsOfSeconds: Self.leastDelaySeconds + rest))
        return heartbeat
    }
}
