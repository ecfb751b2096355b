//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

#if os(Linux)
/// A look leaves the connection, its bytes and its owner as they were.
@Suite(.timeLimit(.minutes(1))) struct ConnectionProbeUndisturbedTests {
    /// What brings a connection with unread bytes into a state.
    enum Ending: CaseIterable {
        case none
        case peerEnds
        case peerResets
        case weShutSending
        case weShutReceiving
        case weShutBoth
        case bothEnd

        var state: ConnectionProbe.State {
            switch self {
            case .none: .open
            case .peerEnds: .closedByPeer
            case .peerResets: .reset
            case .weShutSending: .halfClosed(.sending)
            case .weShutReceiving: .halfClosed(.receiving)
            case .weShutBoth: .closedLocally
            case .bothEnd: .over
            }
        }

        func bringAbout(_ sockets: TestSockets) throws {
            switch self {
            case .none: break
            case .peerEnds: try sockets.finishAndWait()
            case .peerResets: try sockets.resetAndWait()
            case .weShutSending: try sockets.shutOurs(Int32(SHUT_WR))
            case .weShutReceiving: try sockets.shutOurs(Int32(SHUT_RD))
            case .weShutBoth: try sockets.shutOurs(Int32(SHUT_RDWR))
            case .bothEnd:
                try sockets.shutOurs(Int32(SHUT_WR))
                try sockets.finishAndWait()
                try sockets.waitUntilOver()
            }
        }
    }

    @Test("bytes that wait are all there after a thousand looks, in each state", arguments: Ending.allCases)
    func bytesStay(ending: Ending) throws {
        let sockets = try TestSockets()
        try sockets.peerSends("what was sent before the end")
        try ending.bringAbout(sockets)
        var probe = ConnectionProbe(of: sockets.descriptor)
        for _ in 0..<1_000 {
            let look = try probe.look()
            #expect(look.state == ending.state)
            #expect(look.hasUnreadBytes)
        }
        #expect(sockets.drain().text == "what was sent before the end")
        #expect(try !probe.look().hasUnreadBytes)
    }

    @Test("after a thousand looks both directions work, and the options are what they were")
    func bothDirections() throws {
        let sockets = try TestSockets()
        let options = (Int32(0)...60).map { sockets.option(SOL_SOCKET, $0) }
        var probe = ConnectionProbe(of: sockets.descriptor)
        for _ in 0..<1_000 { #expect(try probe.look().state == .open) }
        #expect((Int32(0)...60).map { sockets.option(SOL_SOCKET, $0) } == options)
        try sockets.peerSends("ping")
        #expect(sockets.drain().text == "ping")
        #expect(Array("pong".utf8).withUnsafeBytes { sockets.descriptor.send($0) } == .sent(4))
        #expect(fcntl(sockets.ours, F_GETFL) & O_NONBLOCK == 0)
    }

    @Test("a few bytes below the owner's SO_RCVLOWAT, of which poll is silent, are seen")
    func lowWatermark() throws {
        let sockets = try TestSockets()
        var bytes: Int32 = 100
        try #require(
            setsockopt(sockets.ours, SOL_SOCKET, SO_RCVLOWAT, &bytes, socklen_t(MemoryLayout<Int32>.size)) == 0
        )
        let peer = try Descriptor(rawValue: #require(sockets.peer))
        #expect(Array("ping".utf8).withUnsafeBytes { peer.send($0) } == .sent(4))
        var byte: UInt8 = 0
        // Waits until the bytes are there.
        try #require(recv(sockets.ours, &byte, 1, Int32(MSG_PEEK)) == 1)
        var entry = pollfd(fd: sockets.ours, events: Int16(POLLIN), revents: 0)
        #expect(poll(&entry, 1, 0) == 0)
        var probe = ConnectionProbe(of: sockets.descriptor)
        #expect(try probe.look().hasUnreadBytes)
    }

    @Test("the offset of an owner who peeks with SO_PEEK_OFF does not move")
    func peekOffset() throws {
        let sockets = try TestSockets()
        try sockets.peerSends("ping")
        var offset: Int32 = 0
        // Linux 6.9 on; an older kernel has no offset that could move.
        guard setsockopt(sockets.ours, SOL_SOCKET, 42, &offset, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            return
        }
        var probe = ConnectionProbe(of: sockets.descriptor)
        for _ in 0..<10 { #expect(try probe.look().hasUnreadBytes) }
        #expect(sockets.option(SOL_SOCKET, 42) == 0)
    }

    @Test("ten thousand looks, good and bad, leave no descriptor open")
    func noLeak() throws {
        let sockets = try TestSockets()
        var probe = ConnectionProbe(of: sockets.descriptor)
        let before = Self.openDescriptors()
        for _ in 0..<10_000 {
            _ = try probe.look()
            #expect(throws: ConnectionProbe.Failure.self) { try ConnectionProbe.state(of: -1) }
        }
        // Other tests open some meanwhile, but not thousands.
        #expect(abs(Self.openDescriptors() - before) < 1_000)
    }

    private static func openDescriptors() -> Int {
        guard let directory = opendir("/proc/self/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        return count
    }

    // MARK: - While another thread uses the socket

    @Test("a look does not wait for a thread that is blocked in a read")
    func blockedReader() throws {
        let sockets = try TestSockets()
        let ours = sockets.ours
        let reader = try TestThread {
            var byte: UInt8 = 0
            return recv(ours, &byte, 1, 0) == 1 ? [byte] : []
        }
        for _ in 0..<1_000 { #expect(try ConnectionProbe.state(of: ours) == .open) }
        // Not peerSends: the reader may have taken it before anybody waits for it.
        let peer = try Descriptor(rawValue: #require(sockets.peer))
        #expect([UInt8(ascii: "!")].withUnsafeBytes { peer.send($0) } == .sent(1))
        #expect(reader.join() == [UInt8(ascii: "!")])
    }

    /// How another thread ends a connection that is being looked at.
    enum Race: CaseIterable {
        case fin
        case reset
        case finAfterOurs
    }

    @Test(
        "a connection that ends while it is looked at goes from one state to the next, by way of no other",
        arguments: Race.allCases
    )
    func endsMeanwhile(race: Race) throws {
        for _ in 0..<100 {
            let sockets = try TestSockets()
            let peer = dup(try #require(sockets.peer))
            if race == .finAfterOurs { try sockets.shutOurs(Int32(SHUT_WR)) }
            if race == .reset { Descriptor(rawValue: peer).resetOnClose() }
            sockets.finish()
            var probe = ConnectionProbe(of: sockets.descriptor)
            let before = try probe.look().state
            let closer = try TestThread {
                close(peer)
                return []
            }
            var states = [before]
            while states.count < 2 {
                let state = try probe.look().state
                if state != before { states.append(state) }
            }
            _ = closer.join()
            switch race {
            case .fin: #expect(states == [.open, .closedByPeer])
            case .reset: #expect(states == [.open, .reset])
            // CLOSING, where our own FIN is not acknowledged yet.
            case .finAfterOurs: #expect([.over, .closedByPeer].contains(states[1]) && before == .halfClosed(.sending))
            }
        }
    }

    @Test("while one thread writes and one reads, looks lose no byte and see the connection open, then ended")
    func concurrentReader() throws {
        let sockets = try TestSockets()
        let ours = sockets.ours
        let peer = try #require(sockets.peer)
        let sent = (0..<4_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let writer = try TestThread {
            var done = 0
            while done < sent.count {
                let count = sent.withUnsafeBytes { write(peer, $0.baseAddress! + done, min(7_919, $0.count - done)) }
                guard count > 0 else { break }
                done += count
            }
            shutdown(peer, Int32(SHUT_WR))
            return []
        }
        let reader = try TestThread {
            var received: [UInt8] = []
            var bytes = [UInt8](repeating: 0, count: 4_099)
            while case let count = read(ours, &bytes, bytes.count), count > 0 { received += bytes.prefix(count) }
            return received
        }
        var probe = ConnectionProbe(of: ours)
        var states: Set<ConnectionProbe.State> = []
        repeat { states.insert(try probe.look().state) } while !states.contains(.closedByPeer)
        _ = writer.join()
        #expect(reader.join() == sent)
        #expect(states == [.open, .closedByPeer])
    }
}
#endif
