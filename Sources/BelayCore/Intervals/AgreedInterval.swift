//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// An interval that both ends of a connection must agree on before it changes in the direction that looks like silence.
///
/// The rule is BFD's poll sequence (RFC 5880 section 6.8.3), reduced to what a proposal and its confirmation need:
///
/// * Who *sends* at the interval sends more often at once, and less often only after the other end has confirmed it:
///   until then that end still waits for the old interval, and would take the pause for silence.
/// * Who *expects* something at the interval waits longer at once, and shorter only after the other end has confirmed.
///
/// A client holds one for its heartbeats: it proposes with the `every=` of its hello, and the server's welcome
/// confirms. Several proposals may be under way: the safest of them is in force until the last one is confirmed.
public struct AgreedInterval: Hashable, Sendable {
    /// What the interval is for, which decides which direction is the safe one.
    public enum Use: Hashable, Sendable {
        /// We send at it: shorter is safe.
        case sending
        /// We wait for something sent at it: longer is safe.
        case expecting
    }

    /// What the interval is for.
    public let use: Use
    /// The interval in force now.
    public private(set) var inForce: Duration
    /// What was proposed last; in force once it is confirmed, if not before.
    public private(set) var proposed: Duration

    /// An interval that both ends know already.
    public init(_ interval: Duration, for use: Use) {
        self.use = use
        self.inForce = interval
        self.proposed = interval
    }

    /// We ask for another interval.
    ///
    /// - Parameter interval: the interval to be in force from the confirmation on, or at once where that is safe.
    /// - Returns: the interval in force now.
    @discardableResult
    public mutating func propose(_ interval: Duration) -> Duration {
        self.proposed = interval
        self.inForce = self.safer(self.inForce, interval)
        return self.inForce
    }

    /// The other end says which interval it goes by from now on.
    ///
    /// - Parameter interval: the proposal, what the other end made of it, or the answer to an earlier proposal. The
    ///   safer one of it and of what was proposed last comes into force.
    /// - Returns: the interval in force now.
    @discardableResult
    public mutating func confirmed(every interval: Duration) -> Duration {
        self.inForce = self.safer(interval, self.proposed)
        return self.inForce
    }

    private func safer(_ one: Duration, _ other: Duration) -> Duration {
        switch self.use {
        case .sending: min(one, other)
        case .expecting: max(one, other)
        }
    }
}
