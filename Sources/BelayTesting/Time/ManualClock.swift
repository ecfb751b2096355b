//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// A clock that moves when it is told to.
///
/// A value: code that takes the time as a parameter, as all of BelayCore does, is tested with nothing else.
public struct ManualClock: Hashable, Sendable {
    /// The time it shows.
    public private(set) var now: Instant

    /// A clock that shows `now`, by default one second after the origin.
    public init(now: Instant = Instant(nanoseconds: 1_000_000_000)) {
        self.now = now
    }

    /// Moves the clock forward by a time that is not negative.
    public mutating func advance(by duration: Duration) {
        precondition(duration >= .zero, "time does not go back")
        self.now = self.now.advanced(by: duration)
    }

    /// Moves the clock to a later time; an earlier one leaves it where it is.
    public mutating func advance(to instant: Instant) {
        self.now = max(self.now, instant)
    }
}
