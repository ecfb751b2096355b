//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

// What a peer reads and writes.
extension SimulatedPeer {
    private static let controlBytes = 16
    private static let messageBytes = 4_096

    // MARK: - Reading

    /// Whether something has arrived that the program wants to read.
    func canRead(in surroundings: borrowing Surroundings) -> Bool {
        !self.isGone && !self.machine.areReadsPaused && surroundings.link.hasUnread(at: self.end)
    }

    /// Reads what has arrived; a slow program reads one item.
    func read(at now: Instant, in surroundings: inout Surroundings) {
        let time = surroundings.link.now.nanoseconds
        guard self.canRead(in: surroundings), self.readsAgainAt <= time else { return }
        while let (arrival, bytes) = surroundings.link.receive(at: self.end) {
            self.handle(arrival, bytes: bytes, at: now, in: &surroundings)
            if self.isGone { return }
            if let bytesPerSecond {
                self.readsAgainAt = time + Int64(bytes) * 1_000_000_000 / Int64(max(1, bytesPerSecond))
                break
            }
        }
        if case .recovered(let silence) = self.machine.readEnded(unfinishedBytes: 0, at: now) {
            surroundings.record(.recovered(silence: silence), at: self.end)
        }
        self.answerPings(in: &surroundings)
        self.observeOutbound(at: now, in: &surroundings)
    }

    private func handle(
        _ arrival: SimulatedLink<Element>.Arrival,
        bytes: Int,
        at now: Instant,
        in surroundings: inout Surroundings
    ) {
        switch arrival {
        case .item(let element):
            self.machine.bytesReceived(bytes)
            if !self.machine.isOver { self.handle(element, at: now, in: &surroundings) }
        case .end:
            self.inputEnded = true
            switch self.machine.peerClosed(at: now) {
            case .close(let close): self.perform(close, in: &surroundings)
            case .release: self.leave(in: &surroundings)
            case .keepWriting, .doNothing: break
            }
        case .reset:
            if let close = self.machine.end(.failed(.connectionReset), at: now) {
                self.perform(close, in: &surroundings)
            }
            self.leave(in: &surroundings)
        }
    }

    private func handle(_ element: Element, at now: Instant, in surroundings: inout Surroundings) {
        switch element {
        case .ping(let token):
            switch self.machine.pingReceived(at: now) {
            case .answer where self.configuration.echoesTokens: self.owedToken = token
            case .answer: self.owedUntokened += 1
            case .doNothing: break
            case .close(let close): self.perform(close, in: &surroundings)
            }
        case .pong(let token):
            self.machine.pongReceived(token: token, at: now)
        case .message:
            if case .close(let close) = self.machine.messageReceived(at: now) {
                self.perform(close, in: &surroundings)
            }
        case .hello(let within):
            switch self.machine.helloReceived(every: nil, within: within, at: now) {
            case .welcome(let every, let within):
                self.send(.welcome(every: every, within: within), in: &surroundings)
            case .close(let close): self.perform(close, in: &surroundings)
            case .doNothing: break
            }
            self.timingsChanged()
        case .welcome(let every, let within):
            self.machine.welcomeReceived(every: every, within: within, at: now)
            self.timingsChanged()
        case .goodbye(let code):
            if let close = self.machine.end(.goodbye(code: code, retryAfter: nil), at: now) {
                self.perform(close, in: &surroundings)
            }
        }
    }

    /// Answers what a batch asked: the latest ping where they have tokens (rule R12), else each of them.
    private func answerPings(in surroundings: inout Surroundings) {
        if !self.machine.isOver {
            for _ in 0..<self.owedUntokened { self.send(.pong(nil), in: &surroundings) }
            if let owedToken { self.send(.pong(owedToken), in: &surroundings) }
        }
        self.owedUntokened = 0
        self.owedToken = nil
    }

    // MARK: - Writing

    /// Sends an element.
    func send(_ element: Element, bytes: Int = controlBytes, in surroundings: inout Surroundings) {
        guard surroundings.link.send(element, bytes: bytes, from: self.end) else { return }
        self.machine.bytesSent(bytes)
    }

    /// Lets the machine see our own queue.
    func observeOutbound(at now: Instant, in surroundings: inout Surroundings) {
        let queuedBytes = surroundings.link.queuedBytes(of: self.end)
        switch self.machine.outboundObserved(queuedBytes: queuedBytes, at: now) {
        case .doNothing: break
        case .look: self.look(for: .standstill, at: now, in: &surroundings)
        case .close(let close): self.perform(close, in: &surroundings)
        }
    }

    /// Reports a close and carries it out.
    func perform(_ close: ConnectionMachine.Close, in surroundings: inout Surroundings) {
        let lastSign = surroundings.link.lastSignOfLife(at: self.end) ?? surroundings.start
        let sinceLastSign = lastSign.duration(to: surroundings.link.now)
        surroundings.record(.closed(close, sinceLastSignOfLife: sinceLastSign), at: self.end)
        switch close.manner {
        case .abort:
            surroundings.link.reset(from: self.end)
            self.leave(in: &surroundings)
        case .farewell(let sayGoodbye):
            if sayGoodbye { self.send(.goodbye(close.reason.code.rawValue), in: &surroundings) }
            surroundings.link.finish(from: self.end)
            if self.inputEnded { self.leave(in: &surroundings) }
        }
    }

    // MARK: - The script

    /// Does what the script says.
    ///
    /// The process is running, or the action does not need it.
    func perform(_ action: SimulatedAction, in surroundings: inout Surroundings) {
        let now = action.needsProcess ? self.observe(&surroundings) : surroundings.link.now
        switch action {
        case .freeze(let duration):
            let until = duration.map(surroundings.link.now.advanced(by:)) ?? .distantFuture
            self.stoppedUntil = max(self.stoppedUntil, until.nanoseconds)
            return
        case .exit where !surroundings.link.hasUnread(at: self.end):
            surroundings.link.finish(from: self.end)
            return self.leave(in: &surroundings)
        case .exit, .reset:
            surroundings.link.reset(from: self.end)
            return self.leave(in: &surroundings)
        case .pauseReading:
            self.machine.readsPaused(at: now)
        case .resumeReading:
            self.machine.readsResumed(at: now)
        case .readSlowly(let bytesPerSecond):
            self.bytesPerSecond = bytesPerSecond
        case .send(let bytes), .talk(_, let bytes):
            self.sendMessages(bytes: bytes, at: now, in: &surroundings)
        case .close:
            if let close = self.machine.closeRequested(at: now) { self.perform(close, in: &surroundings) }
        }
        self.rearm(in: surroundings)
    }

    private func sendMessages(bytes: Int, at now: Instant, in surroundings: inout Surroundings) {
        guard !self.machine.isOver else { return }
        var remaining = bytes
        while remaining > 0 {
            self.send(.message, bytes: min(remaining, Self.messageBytes), in: &surroundings)
            remaining -= Self.messageBytes
        }
        self.observeOutbound(at: now, in: &surroundings)
    }
}
