//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import NIOCore
import Synchronization

/// Time for every connection of one event loop: one observer clock and one timing wheel behind one scheduled callback.
///
/// Tickless: the callback is scheduled for the next slot that holds something and not at all while the wheel is empty.
/// A wake-up that comes later than it was scheduled is a stall (rule R6); a sleep of any length is not.
///
/// Bound to its loop: every method must be called there.
final class LoopTimekeeper {
    /// The fine tick.
    ///
    /// Verdicts are armed at least three of them before their bound, so that they never fall after it.
    private static let tickNanoseconds: Int64 = 500_000

    /// How many due entries are handled before the loop gets to serve its sockets again.
    private static let entriesPerTurn = 256

    /// How long the rest of what is due waits then.
    private static let pauseNanoseconds: Int64 = 50_000

    let eventLoop: any EventLoop
    // SAFETY: neither the generator nor the buffer, the clock, the wheel or its table calls anybody while it is changed.
    @exclusivity(unchecked) var generator: SplitMix64
    /// Where heartbeats are written before they are sent; its storage is used again and again.
    @exclusivity(unchecked) var scratch = ByteBuffer()
    /// Where heartbeats are received.
    let receiveBuffer = SharedReceiveBuffer()
    /// Grows by one with each stall that is worth an event; a driver that has seen fewer owes its peer a fresh ping.
    ///
    /// A shorter one is left out of the clock as well, but puts no verdict off for the time of a ping and its answer: what the
    /// peer said in it is in the receive queue, where the last look finds it.
    private(set) var stalls: UInt32 = 0
    private var stallThreshold = Duration.milliseconds(250)
    /// How late this loop has been: suspicion of its connections waits longer for it.
    private(set) var localHealth = LocalHealth()

    @exclusivity(unchecked) private var clock = ObserverClock(tolerance: .milliseconds(100))
    @exclusivity(unchecked) private var wheel: TimingWheel
    /// By the index of their entries, each retained once; unmanaged, because to retain is to wait for memory.
    @exclusivity(unchecked) private var drivers: ContiguousArray<Unmanaged<ConnectionDriver>?> = []
    private var observers: [ObjectIdentifier: @Sendable (ObserverClock.Stall) -> Void] = [:]
    private var scheduled: NIOScheduledCallback?
    private var scheduledNanoseconds: Int64 = .max
    private var isTurning = false
    /// From when on another turn on time counts for the health of this loop.
    private var healthyAt: Instant = .distantPast
    private var suspendedNanoseconds = Host.suspendedNanoseconds

    fileprivate init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        let now = Self.monotonicNanoseconds(of: eventLoop)
        self.wheel = TimingWheel(startingAt: UInt64(max(0, now / Self.tickNanoseconds)))
        var system = SystemRandomNumberGenerator()
        self.generator = SplitMix64(seed: system.next())
    }

    deinit {
        for case .some(let driver) in self.drivers { driver.release() }
        LoopTimekeepers.shared.forget(self)
    }

    /// How many connections are watched.
    var connectionCount: Int { self.wheel.entryCount }

    /// The observer's time now.
    func now() -> Instant {
        let (now, stall) = self.clock.read(monotonicNanoseconds: Self.monotonicNanoseconds(of: self.eventLoop))
        if let stall { self.stallNoticed(stall) }
        return now
    }

    /// The observer's time so long ago on the monotonic clock.
    func instant(ago age: Duration) -> Instant {
        let now = Self.monotonicNanoseconds(of: self.eventLoop)
        return self.clock.instant(ofMonotonicNanoseconds: now - age.wholeNanoseconds)
    }

    /// Watches a connection; returns its place in the wheel.
    func add(_ driver: ConnectionDriver, judgedBy timings: LivenessTimings) -> TimingWheel.Entry {
        self.lowerTolerance(for: timings)
        let entry = self.wheel.add()
        while self.drivers.count <= entry.index { self.drivers.append(nil) }
        self.drivers[entry.index] = .passRetained(driver)
        return entry
    }

    /// A connection of this loop judges by these times from now on, which may be shorter: what is a stall for it is one for all.
    func lowerTolerance(for timings: LivenessTimings) {
        self.clock.lowerTolerance(to: timings.stallTolerance)
        self.stallThreshold = min(self.stallThreshold, timings.stallThreshold)
    }

    /// Forgets a connection.
    func remove(_ entry: TimingWheel.Entry) {
        self.drivers[entry.index]?.release()
        self.drivers[entry.index] = nil
        self.wheel.remove(entry)
    }

    /// Wakes the connection at `deadline`, not before it and at most one tick later.
    func arm(_ entry: TimingWheel.Entry, at deadline: Instant) {
        let nanoseconds = max(0, deadline.nanoseconds)
        let tick = nanoseconds / Self.tickNanoseconds + (nanoseconds % Self.tickNanoseconds == 0 ? 0 : 1)
        self.wheel.arm(entry, at: UInt64(tick))
        // The end of a turn schedules for all that it armed.
        if !self.isTurning { self.schedule(forTick: tick) }
    }

    /// Takes the connection's deadline away.
    func disarm(_ entry: TimingWheel.Entry) {
        self.wheel.disarm(entry)
    }

    /// Calls `body` for every connection that is watched.
    func forEachDriver(_ body: (ConnectionDriver) -> Void) {
        for case .some(let driver) in self.drivers { body(driver.takeUnretainedValue()) }
    }

    /// Tells `observer` about stalls of this loop, on the loop.
    func observeStalls(as owner: AnyObject, _ observer: (@Sendable (ObserverClock.Stall) -> Void)?) {
        self.observers[ObjectIdentifier(owner)] = observer
    }

    // MARK: - Turning

    fileprivate func turn() {
        self.isTurning = true
        defer { self.isTurning = false }
        self.scheduled = nil
        self.scheduledNanoseconds = .max
        let now = self.now()
        // The process may be stopped in the middle of this turn: until the next wake-up is announced, every reading is
        // expected at once.
        self.clock.expectReading(at: .min)
        self.noticeSuspension()
        if now >= self.healthyAt { self.judgeOwnHealth(isLate: false, at: now) }
        self.wheel.advance(to: UInt64(max(0, now.nanoseconds / Self.tickNanoseconds)))
        var budget = Self.entriesPerTurn
        while budget > 0, let entry = self.wheel.popDue() {
            // While this one is handled, mostly within a system call, the next one comes into the cache: with thousands of
            // connections none is there, and each of its lines would be waited for.
            if let next = self.wheel.firstDue, let driver = self.drivers[next.index] {
                Memory.prefetch(driver.toOpaque(), byteCount: ConnectionDriver.hotBytes)
            }
            self.drivers[entry.index]?.takeUnretainedValue().deadlineReached(at: now)
            budget -= 1
        }
        if let next = self.wheel.nextTick {
            // A loop looks at its sockets only while nothing is due: what is left waits a moment, so that it does.
            let soon = Self.monotonicNanoseconds(of: self.eventLoop) + Self.pauseNanoseconds
            self.schedule(forTick: Int64(clamping: next), notBefore: soon)
        }
        // Where nothing was scheduled, nothing can be late.
        if self.scheduled == nil { self.clock.expectReading(at: .max) }
    }

    private func schedule(forTick tick: Int64, notBefore earliest: Int64 = .min) {
        let (nanoseconds, overflow) = tick.multipliedReportingOverflow(by: Self.tickNanoseconds)
        let due = self.clock.monotonicNanoseconds(of: overflow ? .distantFuture : Instant(nanoseconds: nanoseconds))
        let deadline = max(due, earliest)
        guard deadline < self.scheduledNanoseconds else { return }
        self.scheduled?.cancel()
        self.scheduledNanoseconds = deadline
        self.clock.expectReading(at: deadline)
        // Fails when the loop is shut down, and then nothing is watched any more.
        self.scheduled = try? self.eventLoop.scheduleCallback(
            at: .uptimeNanoseconds(UInt64(max(0, deadline))),
            handler: WakeUp(timekeeper: self)
        )
    }

    // MARK: - Stalls

    private func stallNoticed(_ stall: ObserverClock.Stall) {
        if stall.length >= self.stallThreshold { self.stalls &+= 1 }
        self.judgeOwnHealth(isLate: true, at: self.now())
        for observer in self.observers.values { observer(stall) }
    }

    /// A stall counts at once; being on time once for each of the shortest intervals of this loop, however often it turns.
    private func judgeOwnHealth(isLate: Bool, at now: Instant) {
        self.localHealth.tick(isLate: isLate)
        self.healthyAt = now.advanced(by: self.clock.tolerance * 8)
    }

    /// A suspended machine stops the monotonic clock with everything else; only the boot time clock goes on.
    private func noticeSuspension() {
        let suspended = Host.suspendedNanoseconds
        let length = suspended - self.suspendedNanoseconds
        guard length > 100_000_000 else { return }
        self.suspendedNanoseconds = suspended
        self.stallNoticed(
            .init(
                length: .nanoseconds(length),
                endedAtMonotonicNanoseconds: Self.monotonicNanoseconds(of: self.eventLoop)
            )
        )
    }

    private static func monotonicNanoseconds(of eventLoop: any EventLoop) -> Int64 {
        Int64(clamping: eventLoop.now.uptimeNanoseconds)
    }
}

@available(*, unavailable)
extension LoopTimekeeper: Sendable {}

/// The scheduled callback of a timekeeper.
private struct WakeUp: NIOScheduledCallbackHandler, @unchecked Sendable {
    // SAFETY: an event loop runs its callbacks on itself, where the timekeeper lives; the reference is only carried.
    // It is strong, so that a timekeeper never goes while a wake-up is on its way; it goes after the last one.
    let timekeeper: LoopTimekeeper

    func handleScheduledCallback(eventLoop: some EventLoop) {
        self.timekeeper.turn()
    }
}

/// The timekeepers of this process, one per event loop, for as long as something on that loop is watched.
final class LoopTimekeepers: Sendable {
    static let shared = LoopTimekeepers()

    private struct Weak: @unchecked Sendable {
        // SAFETY: the reference is only followed on the loop it was stored for.
        weak var timekeeper: LoopTimekeeper?
        let id: ObjectIdentifier
    }

    private let byLoop = Mutex<[ObjectIdentifier: Weak]>([:])

    /// The timekeeper of the loop that the caller runs on.
    func timekeeper(of eventLoop: any EventLoop) -> LoopTimekeeper {
        eventLoop.preconditionInEventLoop()
        let key = ObjectIdentifier(eventLoop)
        if let known = self.byLoop.withLock({ $0[key] })?.timekeeper { return known }
        let timekeeper = LoopTimekeeper(eventLoop: eventLoop)
        let weak = Weak(timekeeper: timekeeper, id: ObjectIdentifier(timekeeper))
        self.byLoop.withLock { $0[key] = weak }
        return timekeeper
    }

    /// Called by the timekeeper's `deinit`, on whatever thread let it go last; the loop may have another one by now.
    fileprivate func forget(_ timekeeper: LoopTimekeeper) {
        let (key, id) = (ObjectIdentifier(timekeeper.eventLoop), ObjectIdentifier(timekeeper))
        self.byLoop.withLock { table in
            if table[key]?.id == id { table[key] = nil }
        }
    }
}

/// The timekeepers of all loops of a group, held for as long as somebody wants to hear of their stalls.
struct LoopTimekeeperGroup: Sendable {
    private let timekeepers: [(eventLoop: any EventLoop, bound: NIOLoopBound<LoopTimekeeper>)]

    init(_ group: any EventLoopGroup) async throws {
        var timekeepers: [(any EventLoop, NIOLoopBound<LoopTimekeeper>)] = []
        for eventLoop in group.makeIterator() {
            let bound = try await eventLoop.submit {
                NIOLoopBound(LoopTimekeepers.shared.timekeeper(of: eventLoop), eventLoop: eventLoop)
            }.get()
            timekeepers.append((eventLoop, bound))
        }
        self.timekeepers = timekeepers
    }

    /// Calls `body` on each loop and waits for it.
    ///
    /// A loop that is shut down is passed over: nothing runs there any more.
    func onEach(_ body: @escaping @Sendable (LoopTimekeeper) -> Void) async {
        for (eventLoop, bound) in self.timekeepers {
            try? await eventLoop.submit { body(bound.value) }.get()
        }
    }
}
