//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket

extension SwarmEngine {
    /// How much one that stops reading says before, where it says messages at all: an echo of it fills its window.
    private static let burstBytes = 65_536
    /// How soon one comes back.
    private static let absence: ClosedRange<Int64> = 100_000_000...1_000_000_000

    /// Does what is due on a connection.
    func act(_ index: Int) {
        switch self.connections[index].state {
        case .idle:
            if self.connections[index].comeBackAt <= self.now { self.connect(index) }
        case .connecting:
            if self.connections[index].giveUpAt <= self.now { self.fail(index, .timedOut) }
        case .closing:
            if self.connections[index].giveUpAt <= self.now { self.finish(index) }
        case .open:
            if self.connections[index].strikeAt <= self.now { self.strike(index) }
            self.speak(index)
        }
    }

    private func speak(_ index: Int) {
        guard self.connections[index].state == .open, !self.connections[index].isMute else { return }
        if self.connections[index].nextPing <= self.now, let interval = self.settings.pingInterval {
            self.sendPing(index)
            self.connections[index].nextPing = self.next(
                after: self.connections[index].nextPing,
                interval.wholeNanoseconds
            )
        }
        if self.connections[index].nextMessage <= self.now, let interval = self.messageInterval {
            self.sendMessage(index)
            self.connections[index].nextMessage = self.next(after: self.connections[index].nextMessage, interval)
        }
        self.checkSending(index)
    }

    /// Keeps the rhythm; what was missed while the process stood still is not made up for.
    private func next(after time: Int64, _ interval: Int64) -> Int64 {
        time + interval > self.now ? time + interval : self.now + interval
    }

    private func strike(_ index: Int) {
        guard let kind = self.connections[index].pending else { return }
        self.connections[index].pending = nil
        self.connections[index].strikeAt = SwarmConnection.never
        let wall = Host.wallClockNanoseconds
        let silence = Host.monotonicNanoseconds - self.connections[index].lastSent
        self.outcome.tally.struck[kind, default: 0] += 1
        let hasSpoken = self.connections[index].hasSpoken
        let strike = SwarmRecord.Strike(kind: kind, at: wall, lastSentAt: wall - silence, hasSpoken: hasSpoken)
        self.connections[index].record?.strike = strike
        switch kind {
        case .silence:
            self.connections[index].isMute = true
        case .close:
            self.finishSending(index, saysGoodbye: false)
        case .reset:
            self.connections[index].socket?.descriptor.resetOnClose()
            self.finish(index)
        case .bye:
            self.finishSending(index, saysGoodbye: true)
        case .stopReading:
            self.stopReading(index)
        case .babble:
            self.send(index, self.garbage())
            self.checkSending(index)
        case .flap:
            self.connections[index].comeBackAt = self.now + Int64.random(in: Self.absence, using: &self.generator)
            self.finishSending(index, saysGoodbye: false)
        case .freeze:
            // Strikes all at once.
            break
        }
    }

    private func stopReading(_ index: Int) {
        self.connections[index].isDeaf = true
        if self.settings.messagesPerSecond > 0 {
            let count = max(1, Self.burstBytes / max(1, self.message.count))
            self.outcome.tally.messages.sent += count
            for _ in 0..<count { self.send(index, self.message) }
        }
        self.connections[index].isMute = true
        self.checkSending(index)
    }

    /// Bytes that no reader of the format can take for anything.
    private func garbage() -> [UInt8] {
        let noise = (0..<32).map { _ in UInt8.random(in: 0x80...0xFF, using: &self.generator) }
        switch self.settings.format {
        case .raw, .lines: return noise + [UInt8(ascii: "\n")]
        // A length that fits and a type that there is not.
        case .frames: return [0, 0, 0, 33, 0xEE] + noise
        }
    }
}
