//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import Foundation

/// Runs thousands of connections in one thread: what they do is decided by the plan, when by one timing wheel.
final class SwarmEngine {
    /// How many connections may be under way: a server's queue of connections to accept is no longer.
    private static let connectingAtMost = 512
    private static let longestWait: Int64 = 100_000_000
    private static let pollsAtMost = 64
    private static let progressEvery: Int64 = 1_000_000_000
    /// How long the server may take for its FIN.
    static let closeWithin: Int64 = 5_000_000_000
    static let readSize = 65_536

    let settings: SwarmSettings
    var connections: [SwarmConnection]
    var outcome = SwarmOutcome()
    var sources: SourceAddresses
    var generator: SplitMix64
    let message: [UInt8]
    /// Answers to what is being read.
    var replies: [UInt8] = []
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: SwarmEngine.readSize, alignment: 16)
    /// The time of this turn.
    var now: Int64
    var connectingCount = 0
    var openCount = 0
    var closingCount = 0

    private let poll: EventPoll
    private var wheel: TimingWheel
    private var entries: [TimingWheel.Entry] = []
    private let started: Int64
    private var phase = SwarmProgress.Phase.connecting
    private let tell: (SwarmProgress) -> Void
    private var nextProgress: Int64

    /// - Parameters:
    ///   - settings: what to do.
    ///   - tell: called about once a second with how far it is.
    /// - Throws: the error of the kernel.
    init(settings: SwarmSettings, tell: @escaping (SwarmProgress) -> Void) throws(ErrorNumber) {
        self.poll = try EventPoll()
        self.settings = settings
        self.tell = tell
        self.message = settings.message
        self.sources = SourceAddresses(server: settings.server, skipping: settings.skippedSources)
        self.generator = SplitMix64(seed: settings.seed ^ (UInt64(settings.numbers.lowerBound) << 32))
        self.now = Host.monotonicNanoseconds
        self.started = self.now
        self.nextProgress = self.now + Self.progressEvery
        let fresh = SwarmConnection(parser: settings.format.makeParser())
        self.connections = Array(repeating: fresh, count: settings.numbers.count)
        self.wheel = TimingWheel(minimumCapacity: settings.numbers.count)
        for _ in settings.numbers { self.entries.append(self.wheel.add()) }
    }

    deinit { self.room.deallocate() }

    /// Connects, stays, and closes.
    func run() -> SwarmOutcome {
        let processorTime = Host.processorNanoseconds
        self.ramp()
        self.stay()
        self.end()
        self.outcome.isCutShort = Interruption.isRequested
        self.outcome.tally.processorNanoseconds = Host.processorNanoseconds - processorTime
        return self.outcome
    }

    // MARK: - Phases

    private func ramp() {
        let began = self.now
        var next = 0
        while next < self.connections.count, !Interruption.isRequested {
            let elapsed = Double(self.now - began) / 1e9
            let due = min(self.connections.count, Int(elapsed * self.settings.connectionsPerSecond) + 1)
            while next < min(due, next + 64), self.connectingCount < Self.connectingAtMost {
                self.connect(next)
                next += 1
                if next.isMultiple(of: 64) { break }
            }
            let isHeldUp = self.connectingCount >= Self.connectingAtMost
            let then = began + Int64(Double(next) / self.settings.connectionsPerSecond * 1e9)
            self.turn(until: isHeldUp ? self.now + 1_000_000 : then)
        }
        while self.connectingCount > 0, !Interruption.isRequested { self.turn(until: self.now + Self.longestWait) }
    }

    private func stay() {
        self.phase = .staying
        let began = self.now
        let end = began + self.settings.stay.wholeNanoseconds
        for (index, number) in self.settings.numbers.enumerated() {
            guard let strike = self.settings.plan.strikes[number] else { continue }
            self.connections[index].pending = strike.kind
            self.connections[index].strikeAt = began + strike.at.wholeNanoseconds
            self.arm(index)
        }
        var freezes = self.settings.plan.freezes[...]
        while self.now < end, !Interruption.isRequested {
            var next = end
            if let freeze = freezes.first {
                next = began + freeze.at.wholeNanoseconds
                if next <= self.now {
                    self.freeze(for: freeze.lasts)
                    freezes.removeFirst()
                    continue
                }
            }
            self.turn(until: min(next, end))
        }
    }

    private func end() {
        self.phase = .closing
        let wall = Host.wallClockNanoseconds
        for index in self.connections.indices {
            self.connections[index].comeBackAt = SwarmConnection.never
            switch self.connections[index].state {
            case .idle, .closing:
                break
            case .connecting:
                self.finish(index)
            case .open:
                self.connections[index].record?.closedAt = wall
                self.finishSending(index, saysGoodbye: self.connections[index].record?.strike == nil)
            }
        }
        self.now = Host.monotonicNanoseconds
        let deadline = self.now + Self.closeWithin
        while self.closingCount > 0, self.now < deadline { self.turn(until: deadline) }
        for index in self.connections.indices where self.connections[index].socket != nil { self.finish(index) }
    }

    // MARK: - Time

    /// Waits for what happens next, deals with it and with what is due.
    private func turn(until: Int64) {
        let nextTick = self.wheel.nextTick.map { self.started + Int64(clamping: $0) &* 1_000_000 }
        let wait = min(until, nextTick ?? until, self.now + Self.longestWait) - self.now
        // Rounded up, so that what is due is due then.
        let milliseconds = Int32(clamping: max(0, (wait + 999_999) / 1_000_000))
        let latest = self.now + Int64(milliseconds) * 1_000_000
        self.handleEvents(milliseconds)
        self.now = Host.monotonicNanoseconds
        let longest = self.outcome.tally.longestRoundNanoseconds
        self.outcome.tally.longestRoundNanoseconds = max(longest, self.now - latest)
        self.wheel.advance(to: UInt64(clamping: (self.now - self.started) / 1_000_000))
        while let entry = self.wheel.popDue() {
            self.act(entry.index)
            self.arm(entry.index)
        }
        if self.now >= self.nextProgress {
            self.nextProgress = self.now + Self.progressEvery
            self.tell(self.progress)
        }
    }

    /// Waits for events and deals with all that there are, so that new connections do not keep old ones waiting.
    private func handleEvents(_ milliseconds: Int32) {
        var wait = milliseconds
        for _ in 0..<Self.pollsAtMost {
            // A failure would be one of the poll itself, and come again; timers go on.
            let isMore = try? self.poll.wait(milliseconds: wait) { token, readiness in self.handle(token, readiness) }
            guard isMore == true else { return }
            wait = 0
        }
    }

    /// Sets the timer of a connection to what it has to do next.
    func arm(_ index: Int) {
        let deadline = self.connections[index].deadline
        guard deadline != SwarmConnection.never else { return self.wheel.disarm(self.entries[index]) }
        let tick = (max(0, deadline - self.started) + 999_999) / 1_000_000
        self.wheel.arm(self.entries[index], at: UInt64(clamping: tick))
    }

    /// Watches the socket that a connection has now.
    func watch(_ index: Int) throws(ErrorNumber) {
        guard let socket = self.connections[index].socket else { return }
        try self.poll.add(
            socket.descriptor,
            token: UInt64(self.connections[index].generation) << 32 | UInt64(index)
        )
    }

    private var progress: SwarmProgress {
        SwarmProgress(
            phase: self.phase,
            planned: self.connections.count,
            open: self.openCount,
            failed: self.outcome.tally.failed,
            dropped: self.outcome.tally.drops.count,
            pongsSent: self.outcome.tally.heartbeats.pongsSent,
            milliseconds: (self.now - self.started) / 1_000_000
        )
    }

    // MARK: - Standing still

    private func freeze(for time: Duration) {
        let wall = Host.wallClockNanoseconds
        var frozen: [Int] = []
        for index in self.connections.indices where self.connections[index].state == .open {
            guard self.connections[index].record?.strike == nil else { continue }
            let lastSentAt = wall - (self.now - self.connections[index].lastSent)
            let hasSpoken = self.connections[index].hasSpoken
            let freeze = SwarmRecord.Freeze(lastSentAt: lastSentAt, endedAt: wall, hasSpoken: hasSpoken)
            self.connections[index].record?.freezes.append(freeze)
            frozen.append(index)
        }
        self.outcome.tally.struck[.freeze, default: 0] += frozen.count
        // The fault itself: nothing of this process answers meanwhile.
        Thread.sleep(forTimeInterval: time / .seconds(1))
        let end = Host.wallClockNanoseconds
        for index in frozen {
            let last = (self.connections[index].record?.freezes.count ?? 0) - 1
            if last >= 0 { self.connections[index].record?.freezes[last].endedAt = end }
        }
        self.now = Host.monotonicNanoseconds
    }
}
