//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

// What a peer writes, and how it ends.
extension SimulatedPeer {
    private static let controlBytes = 16
    private static let messageBytes = 4_096

    /// Sends an element.
    func send(_ element: Element) {
        if let stream {
            self.send(stream.encoded(element))
        } else {
            let bytes = if case .message(let bytes) = element { bytes } else { Self.controlBytes }
            guard self.surroundings.link.send(element, bytes: bytes, from: self.end) else { return }
            self.machine.bytesSent(bytes)
        }
    }

    /// Sends bytes of a wire format, cut anywhere: TCP keeps no borders.
    private func send(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let cut = self.loop.generator.next() & 3
            let longest = min(rest.count, Self.messageBytes)
            let count = cut > 0 ? longest : Int.random(in: 1...longest, using: &self.loop.generator)
            guard self.surroundings.link.send(.bytes(Array(rest.prefix(count))), bytes: count, from: self.end) else {
                return
            }
            self.machine.bytesSent(count)
            rest = rest.dropFirst(count)
        }
    }

    /// Sends a ping.
    func sendPing(_ token: UInt64) {
        self.surroundings.oracle?.pinged(token, by: self)
        self.send(.ping(token))
    }

    /// Answers what a batch asked.
    func answerPings(at now: Instant) {
        defer { self.owed = OwedPongs() }
        guard !self.owed.isEmpty, !self.machine.isOver else { return }
        for _ in 0..<self.owed.untokened { self.send(.pong(nil)) }
        if let token = self.owed.token { self.send(.pong(token)) }
        if let tokenBytes = self.owed.tokenBytes, let format = self.stream?.format {
            var bytes: [UInt8] = []
            format.writePong(echoing: tokenBytes.span.bytes, into: &bytes)
            self.send(bytes)
        }
        self.observeOutbound(at: now)
    }

    /// Lets the machine see our own queue.
    func observeOutbound(at now: Instant) {
        let queuedBytes = self.surroundings.link.queuedBytes(of: self.end)
        switch self.machine.outboundObserved(queuedBytes: queuedBytes, at: now) {
        case .doNothing: self.rearm()
        case .look: self.look(for: .standstill, at: now)
        case .close(let close): self.perform(close)
        }
    }

    /// Reports a close and carries it out.
    func perform(_ close: ConnectionMachine.Close) {
        let link = self.surroundings.link
        let sinceLastSign = (link.lastSignOfLife(at: self.end) ?? self.surroundings.start).duration(to: link.now)
        self.surroundings.record(.closed(close, sinceLastSignOfLife: sinceLastSign), at: self.end)
        self.surroundings.oracle?.closed(close, by: self)
        switch close.manner {
        case .abort:
            self.surroundings.link.reset(from: self.end)
            self.leave()
        case .farewell(let sayGoodbye):
            if sayGoodbye { self.send(.goodbye(close.reason.code.rawValue)) }
            self.surroundings.link.finish(from: self.end)
            if self.inputEnded { self.leave() } else { self.rearm() }
        }
    }

    // MARK: - The script

    /// Does what the script says.
    ///
    /// The process is running, or the action does not need it.
    func perform(_ action: SimulatedAction) {
        switch action {
        case .freeze(let duration):
            self.loop.stop(until: self.time(after: duration))
        case .suspend(let duration):
            self.loop.suspend(from: self.time, for: duration.wholeNanoseconds)
        case .setWallClock(let ahead):
            self.loop.wallClockOffset &+= ahead.wholeNanoseconds
        case .crash:
            self.surroundings.link.forget(self.end)
            self.leave()
        case .exit where !self.surroundings.link.hasUnread(at: self.end):
            self.surroundings.link.finish(from: self.end)
            self.leave()
        case .exit, .reset:
            self.surroundings.link.reset(from: self.end)
            self.leave()
        case .pauseReading, .resumeReading, .readSlowly, .send, .talk, .close, .drain:
            self.performInProcess(action)
        }
    }

    private func performInProcess(_ action: SimulatedAction) {
        let now = self.observe()
        switch action {
        case .pauseReading:
            self.machine.readsPaused(at: now)
        case .resumeReading:
            self.machine.readsResumed(at: now)
        case .readSlowly(let bytesPerSecond):
            self.bytesPerSecond = bytesPerSecond
        case .send(let bytes), .talk(_, let bytes):
            self.sendMessages(bytes: bytes, at: now)
        case .close:
            if let close = self.machine.closeRequested(at: now) { self.perform(close) }
        case .drain:
            if let close = self.machine.drainRequested(at: now) { self.perform(close) }
        case .freeze, .suspend, .setWallClock, .crash, .exit, .reset:
            break
        }
        if !self.isGone { self.rearm() }
    }

    private func time(after duration: Duration?) -> Int64 {
        duration.map { self.surroundings.link.now.advanced(by: $0).nanoseconds } ?? .max
    }

    private func sendMessages(bytes: Int, at now: Instant) {
        guard !self.machine.isOver else { return }
        var remaining = bytes
        while remaining > 0 {
            let count = min(remaining, Self.messageBytes)
            self.sentMessageBytes += count
            self.send(.message(bytes: count))
            remaining -= count
        }
        self.observeOutbound(at: now)
    }
}
