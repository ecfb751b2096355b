//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// A point on the observer clock, in nanoseconds since an origin that only the clock's owner knows.
///
/// The observer clock (rule R6) follows the monotonic clock but leaves out the time in which this process could not
/// observe its peers, so that such time is nobody's silence. Instants of different clocks must not be mixed.
///
/// Stored as one 64-bit integer, because a received heartbeat costs one store of an instant and nothing else.
/// Arithmetic saturates: no instant that a configuration or a peer can cause overflows.
public struct Instant: InstantProtocol, Hashable, Sendable {
    /// Nanoseconds since the origin of the clock.
    public var nanoseconds: Int64

    /// An instant so many nanoseconds after the origin of its clock.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The instant that no clock reaches, for deadlines that do not apply.
    public static let distantFuture = Instant(nanoseconds: .max)

    /// The instant that every clock has passed, for what has not happened yet.
    public static let distantPast = Instant(nanoseconds: .min)

    /// The instant `duration` later, saturating at the limits.
    public func advanced(by duration: Duration) -> Instant {
        self.advanced(byNanoseconds: duration.wholeNanoseconds)
    }

    /// The time from this instant to `other`, negative when `other` is earlier.
    public func duration(to other: Instant) -> Duration {
        .nanoseconds(other.nanoseconds(since: self))
    }

    /// Whether `lhs` is earlier.
    @inlinable
    public static func < (lhs: Instant, rhs: Instant) -> Bool {
        lhs.nanoseconds < rhs.nanoseconds
    }

    /// The instant so many nanoseconds later, saturating at the limits.
    @inlinable
    package func advanced(byNanoseconds nanoseconds: Int64) -> Instant {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return Instant(nanoseconds: overflow ? (nanoseconds < 0 ? .min : .max) : sum)
    }

    /// The nanoseconds from `other` until this instant, saturating at the limits.
    @inlinable
    package func nanoseconds(since other: Instant) -> Int64 {
        let (difference, overflow) = self.nanoseconds.subtractingReportingOverflow(other.nanoseconds)
        return overflow ? (self < other ? .min : .max) : difference
    }
}

extension Duration {
    /// This duration in whole nanoseconds, rounded towards zero and saturating at the limits of 64 bits (292 years).
    public var wholeNanoseconds: Int64 {
        // Not `components`, which traps beyond 64 bits of seconds.
        Int64(clamping: self.attoseconds / 1_000_000_000)
    }

    /// This duration in milliseconds, for figures that people read.
    public var milliseconds: Double {
        // Double(Int128) takes ten times as long, and no figure needs more than nanoseconds.
        let nanoseconds = self.wholeNanoseconds
        return nanoseconds.magnitude < UInt64(Int64.max) ? Double(nanoseconds) / 1e6 : Double(self.attoseconds) / 1e15
    }
}
