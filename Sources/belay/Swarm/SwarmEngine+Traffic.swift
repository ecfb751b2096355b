//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket

extension SwarmEngine {
    /// What may wait for the server to read; a client that is worth anything waits with more.
    private static let outputLimit = 262_144
    /// A pong of `raw` that has not come in this time is lost, because a message swallowed it.
    private static let pongWithin: Int64 = 5_000_000_000

    /// Something happened to a socket.
    func handle(_ token: UInt64, _ readiness: EventPoll.Readiness) {
        let index = Int(token & 0xFFFF_FFFF)
        // What is reported of a socket that was closed since is of no interest.
        guard UInt64(self.connections[index].generation) == token >> 32 else { return }
        let isOver = !readiness.isDisjoint(with: [.failed, .over, .ended])
        if self.connections[index].state == .connecting {
            if let error = self.connections[index].socket?.descriptor.takeError() { return self.fail(index, error) }
            guard readiness.contains(.writable) else { return }
            self.established(index)
        }
        if self.connections[index].isDeaf {
            guard isOver else { return }
            self.ended(index, self.connections[index].socket?.descriptor.takeError())
        } else {
            if readiness.contains(.writable), !self.connections[index].output.isEmpty { self.flush(index) }
            if isOver || readiness.contains(.readable) { self.read(index, untilEnd: isOver) }
        }
    }

    // MARK: - Reading

    /// Reads what is there; `untilEnd` where the end is known to be behind it.
    func read(_ index: Int, untilEnd: Bool) {
        while let socket = self.connections[index].socket {
            switch socket.receive(into: self.room) {
            case .received(let count):
                if self.connections[index].state == .open { self.take(index, count) }
                if self.connections[index].hasViolation { return self.giveUp(index) }
                let hasFailed = self.connections[index].sendError != nil
                if count < self.room.count, !untilEnd, !hasFailed { return }
            case .nothing:
                return
            case .ended:
                return self.ended(index, nil)
            case .failed(let error):
                return self.ended(index, error)
            }
        }
    }

    /// The server speaks another protocol, or breaks this one.
    private func giveUp(_ index: Int) {
        self.outcome.tally.violations += 1
        self.connections[index].record?.closedAt = Host.wallClockNanoseconds
        self.finish(index)
    }

    private func take(_ index: Int, _ count: Int) {
        self.replies.removeAll(keepingCapacity: true)
        let bytes = UnsafeRawBufferPointer(rebasing: self.room[..<count])
        if self.connections[index].input.isEmpty {
            let used = self.parse(index, RawSpan(_unsafeBytes: bytes))
            if used < count { self.connections[index].input = Array(bytes[used...]) }
        } else {
            var input: [UInt8] = []
            swap(&input, &self.connections[index].input)
            input.append(contentsOf: bytes)
            let used = self.parse(index, input.span.bytes)
            input.removeFirst(used)
            self.connections[index].input = input
        }
        if !self.replies.isEmpty { self.send(index, self.replies) }
    }

    /// Deals with each whole element; returns how many bytes they have.
    private func parse(_ index: Int, _ bytes: RawSpan) -> Int {
        var offset = 0
        while true {
            let element: WireElement?
            do throws(WireError) {
                element = try self.connections[index].parser.next(in: bytes, at: &offset)
            } catch {
                // It speaks another protocol than the URL says.
                self.connections[index].hasViolation = true
                return bytes.byteCount
            }
            switch element {
            case nil:
                return offset
            case .ping(let token):
                self.outcome.tally.heartbeats.pingsReceived += 1
                guard !self.connections[index].isMute else { continue }
                self.settings.format.writePong(echoing: bytes.extracting(token ?? 0..<0), into: &self.replies)
                self.outcome.tally.heartbeats.pongsSent += 1
            case .pong(let token):
                self.pongReceived(index, token.flatMap { self.settings.format.pingNumber(of: bytes.extracting($0)) })
            case .message:
                self.outcome.tally.messages.received += 1
            case .goodbye(let goodbye):
                self.connections[index].farewell = goodbye.code ?? ""
            case .error(let report):
                self.connections[index].farewell = report.code
            case .hello, .welcome:
                break
            }
        }
    }

    private func pongReceived(_ index: Int, _ number: UInt64?) {
        self.outcome.tally.heartbeats.pongsReceived += 1
        // On `raw` pongs have no name: only when one is awaited is it known whose it is.
        let isOurs =
            self.settings.format == .raw
            ? self.connections[index].unanswered == 1
            : number == self.connections[index].pingNumber && self.connections[index].unanswered > 0
        if isOurs {
            let roundTrip = Host.monotonicNanoseconds - self.connections[index].pingSentAt
            self.outcome.tally.roundTrips.record(nanoseconds: roundTrip)
        }
        let unanswered = self.connections[index].unanswered
        self.connections[index].unanswered = self.settings.format == .raw ? max(0, unanswered - 1) : 0
    }

    // MARK: - Sending

    /// Sends as much as the kernel takes and keeps the rest; nothing where too much is kept already.
    func send(_ index: Int, _ bytes: [UInt8]) {
        let waiting = self.connections[index].output.count
        guard waiting == 0 else {
            guard waiting + bytes.count <= Self.outputLimit else {
                self.outcome.tally.messages.skipped += 1
                return
            }
            return self.connections[index].output.append(contentsOf: bytes)
        }
        let count = self.hand(index, bytes)
        if count < bytes.count { self.connections[index].output.append(contentsOf: bytes[count...]) }
    }

    /// Gives bytes to the kernel; returns how many it took.
    private func hand(_ index: Int, _ bytes: [UInt8]) -> Int {
        guard let socket = self.connections[index].socket, self.connections[index].sendError == nil else { return 0 }
        switch bytes.withUnsafeBytes({ socket.descriptor.send($0) }) {
        case .sent(let count):
            if count > 0 {
                self.connections[index].lastSent = Host.monotonicNanoseconds
                self.connections[index].hasSpoken = true
            }
            return count
        case .failed(let error):
            self.connections[index].sendError = error
            return 0
        }
    }

    private func flush(_ index: Int) {
        let count = self.hand(index, self.connections[index].output)
        self.connections[index].output.removeFirst(count)
        self.checkSending(index)
    }

    /// Where sending failed: reads what the server said before the end.
    func checkSending(_ index: Int) {
        guard let error = self.connections[index].sendError else { return }
        let generation = self.connections[index].generation
        if !self.connections[index].isDeaf { self.read(index, untilEnd: true) }
        if self.connections[index].generation == generation { self.ended(index, error) }
    }

    func sendPing(_ index: Int) {
        if self.settings.format == .raw, self.now - self.connections[index].pingSentAt > Self.pongWithin {
            self.connections[index].unanswered = 0
        }
        self.connections[index].pingNumber += 1
        self.connections[index].unanswered += 1
        var ping: [UInt8] = []
        self.settings.format.writePing(self.connections[index].pingNumber, into: &ping)
        self.connections[index].pingSentAt = Host.monotonicNanoseconds
        self.outcome.tally.heartbeats.pingsSent += 1
        self.send(index, ping)
    }

    func sendMessage(_ index: Int) {
        guard self.connections[index].output.isEmpty else {
            self.outcome.tally.messages.skipped += 1
            return
        }
        self.outcome.tally.messages.sent += 1
        self.send(index, self.message)
    }
}
