//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// What one end has to judge by: worked out from its policy and from what was asked for, not taken from its machine.
///
/// In nanoseconds, as the machines count.
struct Promise {
    private static let shortestInterval: Int64 = 5_000_000

    private let policy: LivenessPolicy
    /// What the policy alone says.
    private let ownBound: Int64
    private let ownSuspicion: Double?
    private(set) var bound: Int64
    private(set) var interval: Int64

    /// What a valid policy promises.
    init(_ policy: LivenessPolicy) {
        let bound = policy.detectWithin ?? (policy.interval ?? .zero) + (policy.replyWithin ?? .zero)
        self.policy = policy
        self.bound = bound.wholeNanoseconds
        self.interval = (policy.interval ?? bound / ((policy.attempts ?? 2) + 1)).wholeNanoseconds
        self.ownBound = self.bound
        self.ownSuspicion = policy.suspectAfter.map { Double($0.wholeNanoseconds) / Double(bound.wholeNanoseconds) }
    }

    var sendsPings: Bool { self.policy.heartbeats == .both || self.policy.heartbeats == .ping }

    /// When a peer that answers nothing is to be suspected.
    var suspectAfter: Int64 {
        self.ownSuspicion.map { Int64(Double(self.bound) * $0) }
            ?? max(self.bound / 3 * 2, self.interval + (self.bound - self.interval) / 4)
    }

    /// How long nothing of a backlog may move (rule R8).
    var writeWithin: Int64 { self.policy.writeWithin?.wholeNanoseconds ?? self.bound }

    /// How long the first element, or the hello, may take (rule R10).
    var handshakeWithin: Int64 {
        let longest = self.policy.requiresHello ? min(self.ownBound, 10_000_000_000) : self.ownBound
        return self.policy.handshakeWithin?.wholeNanoseconds ?? longest
    }

    /// How often the other end may ping (rule R12).
    var minimumPeerInterval: Int64 { self.policy.minimumPeerInterval.wholeNanoseconds }

    // MARK: - What peers ask for (rule R12)

    /// The other end said hello and asked for a bound.
    mutating func asked(within: Int64) {
        let shortest = max(LivenessPolicy.allowedBounds.lowerBound.wholeNanoseconds, self.ownBound / 10)
        let lowest = self.policy.peerBounds?.lowerBound.wholeNanoseconds ?? shortest
        let highest = self.policy.peerBounds?.upperBound.wholeNanoseconds ?? max(shortest, self.ownBound)
        let ratio = Double(self.interval) / Double(self.bound)
        self.bound = min(max(within, lowest), highest)
        let interval = max(Int64(Double(self.bound) * ratio), Self.shortestInterval)
        self.interval = min(interval, max(self.bound / 2, Self.shortestInterval))
    }

    /// The other end welcomed this one and said what is in force.
    mutating func welcomed(every: Int64, within: Int64) {
        guard !self.sendsPings else {
            self.interval = min(self.interval, max(every, Self.shortestInterval))
            return
        }
        let allowed = LivenessPolicy.allowedBounds
        self.bound = min(max(within, allowed.lowerBound.wholeNanoseconds), allowed.upperBound.wholeNanoseconds)
        self.interval = min(max(every, Self.shortestInterval), self.bound - self.bound / 20)
    }
}
