//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket

extension SwarmEngine {
    private static let connectWithin: Int64 = 10_000_000_000
    /// Room of one that will stop reading, so that its window closes soon.
    private static let smallBuffer: Int32 = 4_096

    /// Begins to connect.
    func connect(_ index: Int) {
        self.connections[index].startedAt = Host.wallClockNanoseconds
        self.connections[index].connectBegan = Host.monotonicNanoseconds
        self.connections[index].comeBackAt = SwarmConnection.never
        do throws(ErrorNumber) {
            self.connections[index].socket = try self.openSocket(for: index)
            try self.watch(index)
        } catch {
            return self.fail(index, error)
        }
        self.connections[index].state = .connecting
        self.connections[index].giveUpAt = self.now + Self.connectWithin
        self.connectingCount += 1
        self.arm(index)
    }

    private func openSocket(for index: Int) throws(ErrorNumber) -> StreamSocket {
        let strike = self.settings.plan.strikes[self.settings.numbers.lowerBound + index]
        let buffer = strike?.kind == .stopReading ? Self.smallBuffer : nil
        while true {
            do throws(ErrorNumber) {
                let source = self.sources.next()
                let socket = try StreamSocket.connecting(
                    to: self.settings.server,
                    from: source,
                    receiveBufferBytes: buffer
                )
                self.sources.succeeded()
                return socket
            } catch {
                // Another of our addresses has ports of its own.
                guard error == .addressNotAvailable, self.sources.ranOut() else { throw error }
            }
        }
    }

    /// The connection was not made.
    func fail(_ index: Int, _ error: ErrorNumber) {
        self.outcome.tally.failures[error.name, default: 0] += 1
        self.finish(index)
    }

    /// The connection is made.
    func established(_ index: Int) {
        let now = Host.monotonicNanoseconds
        self.connectingCount -= 1
        self.openCount += 1
        self.outcome.tally.made += 1
        self.outcome.tally.connectTimes.record(nanoseconds: now - self.connections[index].connectBegan)
        self.connections[index].state = .open
        self.connections[index].giveUpAt = SwarmConnection.never
        self.connections[index].lastSent = now
        self.connections[index].record = SwarmRecord(
            local: self.connections[index].socket?.localAddress.map { "\($0)" } ?? "",
            startedAt: self.connections[index].startedAt
        )
        if let prefix = self.settings.identityPrefix {
            var hello: [UInt8] = []
            let identity = "\(prefix)-\(self.settings.numbers.lowerBound + index)"
            self.settings.format.writeHello(Hello(identity: identity), into: &hello)
            self.send(index, hello)
        }
        // Everybody at another time, as clients that were not started together.
        if let interval = self.settings.pingInterval?.wholeNanoseconds {
            self.connections[index].nextPing = now + Int64.random(in: 0...interval, using: &self.generator)
        }
        if let interval = self.messageInterval {
            self.connections[index].nextMessage = now + Int64.random(in: 0...interval, using: &self.generator)
        }
        self.checkSending(index)
        self.arm(index)
    }

    /// Nanoseconds between two messages; nil where none are sent.
    var messageInterval: Int64? {
        guard self.settings.messagesPerSecond > 0 else { return nil }
        return Int64(1e9 / self.settings.messagesPerSecond)
    }

    /// Says what there is to say yet, and FIN; the server's FIN is awaited.
    func finishSending(_ index: Int, saysGoodbye: Bool) {
        guard let socket = self.connections[index].socket, self.connections[index].state == .open else { return }
        if saysGoodbye, !self.connections[index].isMute {
            var goodbye: [UInt8] = []
            self.settings.format.writeGoodbye(Goodbye(), into: &goodbye)
            if !goodbye.isEmpty { self.send(index, goodbye) }
        }
        socket.finishSending()
        self.connections[index].state = .closing
        self.connections[index].giveUpAt = Host.monotonicNanoseconds + Self.closeWithin
        self.openCount -= 1
        self.closingCount += 1
        self.arm(index)
    }

    /// The server ended the connection: with FIN where there is no error.
    func ended(_ index: Int, _ error: ErrorNumber?) {
        guard self.connections[index].state == .open else { return self.finish(index) }
        let connection = self.connections[index]
        if connection.record?.strike == nil, connection.record?.freezes.isEmpty != false {
            self.outcome.tally.drops.unprovoked += 1
        }
        // The error may have been told to a send already.
        let error = error ?? connection.sendError
        if let farewell = connection.farewell {
            self.outcome.tally.drops.goodbyes[farewell, default: 0] += 1
        } else if error == .connectionReset || error == .brokenPipe {
            self.outcome.tally.drops.reset += 1
        } else if let error {
            self.outcome.tally.drops.errors[error.name, default: 0] += 1
        } else {
            self.outcome.tally.drops.finished += 1
        }
        self.finish(index)
    }

    /// Closes the socket and keeps the record; a connection that is to come back waits for that.
    func finish(_ index: Int) {
        switch self.connections[index].state {
        case .idle: break
        case .connecting: self.connectingCount -= 1
        case .open: self.openCount -= 1
        case .closing: self.closingCount -= 1
        }
        self.connections[index].socket?.close()
        if let record = self.connections[index].record { self.outcome.records.append(record) }
        var fresh = SwarmConnection(parser: self.settings.format.makeParser())
        fresh.generation = self.connections[index].generation &+ 1
        fresh.comeBackAt = self.connections[index].comeBackAt
        self.connections[index] = fresh
        self.arm(index)
    }
}
