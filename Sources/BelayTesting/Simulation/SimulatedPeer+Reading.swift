//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

// What a peer reads.
extension SimulatedPeer {
    /// Whether something has arrived that the program wants to read.
    var canRead: Bool {
        !self.isGone && !self.machine.areReadsPaused && self.surroundings.link.hasUnread(at: self.end)
    }

    /// Reads what has arrived; a slow program reads one item.
    func read() {
        guard self.nextRead <= self.time else { return }
        let now = self.observe()
        while let (arrival, bytes) = self.surroundings.link.receive(at: self.end) {
            self.handle(arrival, bytes: bytes, at: now)
            if self.isGone { return }
            if let bytesPerSecond {
                self.readsAgainAt = self.time + Int64(bytes) * 1_000_000_000 / Int64(max(1, bytesPerSecond))
                break
            }
        }
        self.parse(at: now)
        if !self.isGone { self.batchEnded(at: now) }
    }

    private func handle(_ arrival: SimulatedLink<Element>.Arrival, bytes: Int, at now: Instant) {
        switch arrival {
        case .item(let element):
            self.machine.bytesReceived(bytes)
            self.surroundings.oracle?.read(bytes, by: self)
            if !self.machine.isOver { self.handle(element, at: now) }
        case .end:
            self.parse(at: now)
            self.ended(at: now)
        case .reset:
            self.parse(at: now)
            self.surroundings.oracle?.readReset(self)
            if let close = self.machine.end(.failed(.connectionReset), at: now) { self.perform(close) }
            if !self.isGone { self.leave() }
        }
    }

    private func ended(at now: Instant) {
        if let stream, !self.machine.isOver { self.receivedMessageBytes += stream.messageBytesAtEnd() }
        self.inputEnded = true
        self.surroundings.oracle?.readEnd(self)
        switch self.machine.peerClosed(at: now) {
        case .close(let close): self.perform(close)
        case .release: self.leave()
        case .keepWriting: self.rearm()
        case .doNothing: break
        }
    }

    private func batchEnded(at now: Instant) {
        let unfinished = self.machine.isOver ? 0 : self.stream?.unfinishedBytes ?? 0
        if unfinished > 0 { self.surroundings.oracle?.heard(self) }
        // The beginning of a token is no message that must end some time.
        let isToken = unfinished > 0 && self.stream?.format == .raw
        if isToken { self.machine.heard(at: now) }
        switch self.machine.readEnded(unfinishedBytes: isToken ? 0 : unfinished, at: now) {
        case .doNothing: break
        case .caughtUp: self.rearm()
        case .recovered(let silence):
            self.surroundings.record(.recovered(silence: silence), at: self.end)
            self.surroundings.oracle?.recovered(self)
            self.rearm()
        }
        self.answerPings(at: now)
        if unfinished > 0 { self.rearm() }
    }

    // MARK: - Elements

    /// Understands what has come of a wire format.
    private func parse(at now: Instant) {
        guard self.stream != nil else { return }
        var offset = 0
        do throws(WireError) {
            while !self.machine.isOver, let (element, bytes) = try self.stream?.next(at: &offset) {
                self.handle(element, in: bytes, at: now)
            }
        } catch {
            let cause: DisconnectCause =
                switch error {
                case .violation(let what): .protocolViolation(what)
                case .messageTooLarge(let size, let limit): .messageTooLarge(size: size, limit: limit)
                }
            if let close = self.machine.end(cause, at: now) { self.perform(close) }
        }
        self.stream?.consume(offset)
    }

    private func handle(_ element: WireElement, in bytes: [UInt8], at now: Instant) {
        switch element {
        case .ping(let token):
            guard self.pinged(at: now) else { return }
            // A frame has a token always.
            if let token, self.configuration.echoesTokens || self.stream?.format == .frames {
                self.owed.tokenBytes = Array(bytes[token])
            } else {
                self.owed.untokened += 1
            }
        case .pong(let token):
            let number = token.flatMap { self.stream?.format.pingNumber(of: bytes.span.bytes.extracting($0)) }
            self.handle(.pong(number), at: now)
        case .message(let range):
            self.handle(.message(bytes: range.count), at: now)
        case .hello(let hello):
            self.handle(.hello(within: hello.within ?? self.machine.timings.bound), at: now)
        case .welcome(let welcome):
            self.handle(.welcome(every: welcome.every, within: welcome.within), at: now)
        case .goodbye(let goodbye):
            self.handle(.goodbye(goodbye.code ?? ""), at: now)
        case .error:
            self.surroundings.oracle?.heard(self)
            self.machine.heard(at: now)
            self.rearm()
        }
    }

    private func handle(_ element: Element, at now: Instant) {
        switch element {
        case .bytes(let part):
            self.stream?.append(part)
            return
        case .pong(let token):
            self.surroundings.oracle?.heardPong(token, by: self)
            self.machine.pongReceived(token: token, at: now)
            return
        case .ping(let token):
            guard self.pinged(at: now) else { return }
            if self.configuration.echoesTokens { self.owed.token = token } else { self.owed.untokened += 1 }
        case .message(let bytes):
            self.surroundings.oracle?.heardMessage(self)
            self.receivedMessageBytes += bytes
            if case .close(let close) = self.machine.messageReceived(at: now) { self.perform(close) }
        case .hello(let within):
            self.surroundings.oracle?.readHello(within: within, by: self)
            switch self.machine.helloReceived(every: nil, within: within, at: now) {
            case .welcome(let every, let within): self.send(.welcome(every: every, within: within))
            case .close(let close): self.perform(close)
            case .doNothing: break
            }
            self.timingsChanged()
        case .welcome(let every, let within):
            self.surroundings.oracle?.readWelcome(every: every, within: within, by: self)
            self.machine.welcomeReceived(every: every, within: within, at: now)
            self.timingsChanged()
        case .goodbye(let code):
            self.surroundings.oracle?.readGoodbye(self)
            if let close = self.machine.end(.goodbye(code: code, retryAfter: nil), at: now) { self.perform(close) }
        }
    }

    /// Whether the ping is to be answered.
    private func pinged(at now: Instant) -> Bool {
        self.surroundings.oracle?.heard(self, isHello: false)
        switch self.machine.pingReceived(at: now) {
        case .answer:
            return true
        case .doNothing:
            return false
        case .close(let close):
            self.perform(close)
            return false
        }
    }
}
