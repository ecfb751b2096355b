//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// The event loop of a simulated process: one observer clock and one timing wheel for all of its connections.
///
/// It does with simulated clocks what the loops of `BelayNIO` do with real ones. Three clocks are simulated: true time,
/// on which the simulation runs; the monotonic clock, which stands still while the host is suspended; and the wall clock,
/// which jumps.
final class SimulatedLoop {
    /// A connection of this loop, which its simulation holds.
    private struct Member {
        unowned let peer: SimulatedPeer
    }

    /// The tick of the timing wheel, and how many due entries are handled before sockets are served again.
    static let tickNanoseconds: Int64 = 500_000
    private static let entriesPerTurn = 256
    private static let pauseNanoseconds: Int64 = 50_000

    private(set) var wheel: TimingWheel
    var generator: SplitMix64
    /// Grows by one with each stall; a peer that has seen fewer owes the other end a fresh ping.
    private(set) var stalls: UInt32 = 0
    /// How long one must be to count: each peer is promised a fresh ping then.
    private(set) var stallThreshold = Duration.milliseconds(250)
    private(set) var localHealth = LocalHealth()
    private var clock = ObserverClock(tolerance: .milliseconds(100))
    private var peers: [Member?] = []
    private var healthyAt = Instant(nanoseconds: .min)
    private var isTurning = false
    private let longestLateness: Int64
    // Nanoseconds of the monotonic clock.
    private var scheduledFor = Int64.max
    // Nanoseconds of true time, from here on.
    /// When the timer of the loop goes off.
    private(set) var wakesAt = Int64.max
    /// When it should.
    private(set) var isDueAt = Int64.max
    /// The process does not run before this.
    private(set) var stoppedUntil = Int64.min
    private var suspensions: [Range<Int64>] = []
    /// How long the host was suspended in all, and how much of that the loop has noticed.
    private var suspendedNanoseconds: Int64 = 0
    private var noticedNanoseconds: Int64 = 0
    /// By how much the wall clock is ahead.
    var wallClockOffset: Int64 = 0

    init(now: Int64, wakeUpLateness: Duration, seed: UInt64) {
        self.wheel = TimingWheel(startingAt: UInt64(max(0, now / Self.tickNanoseconds)))
        self.longestLateness = max(0, wakeUpLateness.wholeNanoseconds)
        self.generator = SplitMix64(seed: seed)
    }

    // MARK: - Clocks

    /// What the monotonic clock of the host shows.
    private func monotonicNanoseconds(at time: Int64) -> Int64 { time - self.suspendedNanoseconds }

    /// What the wall clock of the host shows.
    func wallClock(at time: Int64) -> WallClock {
        WallClock(millisecondsSince1970: (time &+ self.wallClockOffset) / 1_000_000)
    }

    /// The observer's time now.
    func now(at time: Int64) -> Instant {
        let (now, stall) = self.clock.read(monotonicNanoseconds: self.monotonicNanoseconds(at: time))
        if let stall { self.stallNoticed(stall.length, at: now) }
        return now
    }

    /// The observer's time so long before, on the monotonic clock.
    func instant(at time: Int64, ago age: Duration) -> Instant {
        self.clock.instant(ofMonotonicNanoseconds: self.monotonicNanoseconds(at: time) - age.wholeNanoseconds)
    }

    /// A connection judges by these times from now on, which may be shorter.
    func lowerTolerance(for timings: LivenessTimings) {
        self.clock.lowerTolerance(to: timings.stallTolerance)
        self.stallThreshold = min(self.stallThreshold, timings.stallThreshold)
    }

    /// How late this loop may be without it being a stall.
    var tolerance: Duration { self.clock.tolerance }

    private func stallNoticed(_ length: Duration, at now: Instant) {
        if length >= self.stallThreshold { self.stalls &+= 1 }
        self.judgeOwnHealth(isLate: true, at: now)
        for case .some(let member) in self.peers { member.peer.loopStalled(length) }
    }

    private func judgeOwnHealth(isLate: Bool, at now: Instant) {
        self.localHealth.tick(isLate: isLate)
        self.healthyAt = now.advanced(by: self.clock.tolerance * 8)
    }

    // MARK: - What happens to the process

    /// The process is stopped.
    func stop(until time: Int64) { self.stoppedUntil = max(self.stoppedUntil, time) }

    /// The host is suspended: its monotonic clock stands still too.
    func suspend(from time: Int64, for length: Int64) {
        let suspendedUntil = time + length
        let begin = max(time, self.suspensions.last?.upperBound ?? time)
        let added = max(0, suspendedUntil - begin)
        if added > 0 { self.suspensions.append(begin..<suspendedUntil) }
        self.suspendedNanoseconds += added
        if self.wakesAt < .max {
            self.wakesAt += added
            self.isDueAt += added
        }
        self.stop(until: suspendedUntil)
    }

    /// What the kernel of the host counts of so many milliseconds of true time, of which its clock left out those asleep.
    func countedMilliseconds(of milliseconds: UInt32, until time: Int64) -> UInt32 {
        let since = time - Int64(milliseconds) * 1_000_000
        let counted = self.suspensions.reduce(time - since) { counted, suspension in
            counted - max(0, min(suspension.upperBound, time) - max(suspension.lowerBound, since))
        }
        return UInt32(clamping: counted / 1_000_000)
    }

    // MARK: - Entries

    func add(_ peer: SimulatedPeer, judgedBy timings: LivenessTimings) -> TimingWheel.Entry {
        self.lowerTolerance(for: timings)
        let entry = self.wheel.add()
        while self.peers.count <= entry.index { self.peers.append(nil) }
        self.peers[entry.index] = Member(peer: peer)
        return entry
    }

    func remove(_ entry: TimingWheel.Entry) {
        self.peers[entry.index] = nil
        self.wheel.remove(entry)
    }

    /// Wakes the connection at `deadline`, not before it and at most one tick later.
    func arm(_ entry: TimingWheel.Entry, at deadline: Instant, from time: Int64) {
        let nanoseconds = max(0, deadline.nanoseconds)
        let tick = nanoseconds / Self.tickNanoseconds + (nanoseconds % Self.tickNanoseconds == 0 ? 0 : 1)
        self.wheel.arm(entry, at: UInt64(tick))
        if !self.isTurning { self.schedule(forTick: tick, notBefore: self.monotonicNanoseconds(at: time)) }
    }

    // MARK: - Turning

    /// The timer went off: everything that is due is handled.
    func turn(at time: Int64) {
        self.isTurning = true
        defer { self.isTurning = false }
        self.scheduledFor = .max
        self.wakesAt = .max
        let now = self.now(at: time)
        self.clock.expectReading(at: .min)
        self.noticeSuspension(at: now)
        if now >= self.healthyAt { self.judgeOwnHealth(isLate: false, at: now) }
        self.wheel.advance(to: UInt64(max(0, now.nanoseconds / Self.tickNanoseconds)))
        var budget = Self.entriesPerTurn
        while budget > 0, let entry = self.wheel.popDue() {
            self.peers[entry.index]?.peer.deadlineReached(at: now)
            budget -= 1
        }
        if let next = self.wheel.nextTick {
            let soon = self.monotonicNanoseconds(at: time) + Self.pauseNanoseconds
            self.schedule(forTick: Int64(clamping: next), notBefore: soon)
        }
        if self.scheduledFor == .max { self.clock.expectReading(at: .max) }
    }

    /// A suspended host stops the monotonic clock with everything else; only the boot time clock goes on.
    private func noticeSuspension(at now: Instant) {
        let length = self.suspendedNanoseconds - self.noticedNanoseconds
        guard length > 100_000_000 else { return }
        self.noticedNanoseconds = self.suspendedNanoseconds
        self.stallNoticed(.nanoseconds(length), at: now)
    }

    private func schedule(forTick tick: Int64, notBefore earliest: Int64) {
        let (nanoseconds, overflow) = tick.multipliedReportingOverflow(by: Self.tickNanoseconds)
        guard !overflow else { return }
        let deadline = max(self.clock.monotonicNanoseconds(of: Instant(nanoseconds: nanoseconds)), earliest)
        guard deadline < self.scheduledFor else { return }
        self.scheduledFor = deadline
        self.clock.expectReading(at: deadline)
        let lateness = self.longestLateness > 0 ? Int64.random(in: 0...self.longestLateness, using: &self.generator) : 0
        self.isDueAt = deadline + self.suspendedNanoseconds
        self.wakesAt = self.isDueAt + lateness
    }
}
