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
/// The checks that programs use in place of a probe: what each says, what it misses, and what the probe says there.
@Suite(.timeLimit(.minutes(1))) struct ClassicCheckTests {
    private func look(_ sockets: TestSockets) throws -> ConnectionProbe.Look {
        var probe = ConnectionProbe(of: sockets.descriptor)
        return try probe.look()
    }

    private func zeroByteRead(_ sockets: TestSockets) -> Int {
        var byte: UInt8 = 0
        return read(sockets.ours, &byte, 0)
    }

    /// People read nothing because it consumes nothing, and hope for an error or an end.
    ///
    /// read(2) returns 0 before the connection is even looked at (`sock_read_iter()` in `net/socket.c`): on an open
    /// connection, at its end, and after a reset.
    @Test("a read of zero bytes returns 0 on open, ended and reset connections alike")
    func zeroByteRead() throws {
        let open = try TestSockets()
        let ended = try TestSockets()
        try ended.finishAndWait()
        let reset = try TestSockets()
        try reset.resetAndWait()
        for sockets in [open, ended, reset] { #expect(self.zeroByteRead(sockets) == 0) }

        #expect(try self.look(open).state == .open)
        #expect(try self.look(ended).state == .closedByPeer)
        #expect(try self.look(reset).state == .reset)
    }

    /// People ask SO_ERROR alone, because it is documented as the socket's error.
    ///
    /// An end in order is no error: SO_ERROR is 0 on a connection that the peer has closed.
    @Test("SO_ERROR is 0 after the peer's FIN")
    func errorAfterEnd() throws {
        let sockets = try TestSockets()
        try sockets.finishAndWait()
        #expect(sockets.option(SOL_SOCKET, SO_ERROR) == 0)

        #expect(try self.look(sockets).state == .closedByPeer)
    }

    /// People ask SO_ERROR alone to find a peer that lost its power or its cable.
    ///
    /// Nothing has come that could have been an error: SO_ERROR is 0, and the connection open, until data is sent. The
    /// probe says the same, and says so in its documentation; only a heartbeat finds out. What it tells is the answer.
    @Test("SO_ERROR is 0 for a peer that vanished, until data is sent to it", .enabled(if: TestSockets.canVanish))
    func errorOfVanished() throws {
        let sockets = try TestSockets()
        try sockets.vanish()
        #expect(sockets.option(SOL_SOCKET, SO_ERROR) == 0)
        #expect(try self.look(sockets).state == .open)

        #expect([1].withUnsafeBytes { sockets.descriptor.send($0) } == .sent(8))
        try sockets.wait(for: Int16(POLLIN))
        #expect(try self.look(sockets).state == .reset)
    }

    /// People take getsockopt's own result for the error, or ask after a read has already failed.
    ///
    /// The result only tells that the option was read; the error is its value. And the kernel tells an error once:
    /// after read(2) has reported it, SO_ERROR is 0.
    @Test(
        "SO_ERROR asked the wrong way round: the call succeeds on a reset connection, and its value is gone after a read"
    )
    func errorWrongWayRound() throws {
        let sockets = try TestSockets()
        try sockets.resetAndWait()
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        // The check that looks at the result calls this a success; the value, which it drops, was the error.
        #expect(getsockopt(sockets.ours, SOL_SOCKET, SO_ERROR, &value, &length) == 0)
        #expect(value == ECONNRESET)

        let other = try TestSockets()
        try other.resetAndWait()
        #expect(other.read(1).errno == ECONNRESET)
        #expect(other.option(SOL_SOCKET, SO_ERROR) == 0)

        // The error is taken from both: that these connections are over, the probe sees all the same.
        #expect(try self.look(sockets).state == .over)
        #expect(try self.look(other).state == .over)
        // Who asks the probe first, and keeps it, is told for good.
        let third = try TestSockets()
        try third.resetAndWait()
        var probe = ConnectionProbe(of: third.descriptor)
        for _ in 0..<2 { #expect(try probe.look().state == .reset) }
    }

    /// People set a read deadline and take a timeout for a dead peer.
    ///
    /// EAGAIN only says that nothing came: a live peer with nothing to say, a connection that was never made and a peer
    /// without power look alike.
    @Test("a read deadline passes with a live quiet peer as it does with none")
    func readDeadline() throws {
        let quiet = try TestSockets()
        let halfway = try HalfwaySockets()
        let unanswered = try halfway.connectInVain()
        try #require(fcntl(unanswered, F_SETFL, 0) == 0)
        for descriptor in [quiet.ours, unanswered] {
            var limit = timeval(tv_sec: 0, tv_usec: 1_000)
            try #require(
                setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size)) == 0
            )
            var byte: UInt8 = 0
            #expect(recv(descriptor, &byte, 1, 0) == -1)
            #expect(errno == EAGAIN)
        }

        #expect(try ConnectionProbe.state(of: quiet.ours) == .open)
        #expect(try ConnectionProbe.state(of: unanswered) == .connecting)
        // And the live peer is not judged by its silence: it may speak now.
        try quiet.peerSends("ping")
        #expect(quiet.drain().text == "ping")
    }

    /// People close again to be sure, and take EBADF for the sign that it was closed.
    ///
    /// Between the two calls the number may have been given to somebody else, whose socket the second close ends. The
    /// probe asks without closing, and says that a number is free; whose it is it cannot know.
    @Test("a second close is EBADF at best, and closes somebody else's descriptor at worst")
    func secondClose() throws {
        let sockets = try TestSockets()
        // A high number, which nobody else in this process is given once it is closed.
        let number = fcntl(sockets.ours, F_DUPFD, 960)
        try #require(number >= 960)
        #expect(close(number) == 0)
        #expect(throws: ConnectionProbe.Failure.notOpen(Descriptor(rawValue: number))) {
            try ConnectionProbe.state(of: number)
        }
        #expect(close(number) == -1 && errno == EBADF)

        // Somebody else is given the number.
        let others = try TestSockets()
        try #require(fcntl(others.ours, F_DUPFD, 960) == number)
        #expect(close(number) == 0)
        #expect(fcntl(number, F_GETFD) == -1)
        #expect(try ConnectionProbe.state(of: others.ours) == .open)
    }

    /// People close their descriptor and think that the peer is told.
    ///
    /// FIN is sent when the last copy is closed. A copy that leaked (dup, fork, a child without FD_CLOEXEC) keeps the
    /// connection open; the probe, on the copy or at the peer, says so.
    @Test("closing a descriptor of which there is a copy sends no FIN")
    func leakedCopy() throws {
        let sockets = try TestSockets()
        let peer = try #require(sockets.peer)
        let copy = dup(peer)
        try #require(copy >= 0)
        sockets.finish()
        // Whatever had been sent by the close would be there before what is sent after it.
        #expect([UInt8(ascii: "!")].withUnsafeBytes { Descriptor(rawValue: copy).send($0) } == .sent(1))
        try sockets.waitUntilReadable()
        #expect(sockets.drain() == ("!", EAGAIN))
        #expect(try ConnectionProbe.state(of: copy) == .open)
        #expect(try self.look(sockets).state == .open)

        close(copy)
        try sockets.wait(for: TestSockets.receivingEnded)
        #expect(try self.look(sockets).state == .closedByPeer)
    }

    /// People peek one byte, and take 0 for the end: pools of database connections do, before each use.
    ///
    /// While bytes wait unread before the FIN, or before the reset, the peek shows a byte.
    @Test("a peek shows data while a FIN or a reset waits behind it")
    func peek() throws {
        let ended = try TestSockets()
        try ended.peerSends("bye")
        try ended.finishAndWait()
        let reset = try TestSockets()
        try reset.peerSends("bye")
        try reset.resetAndWait()
        for sockets in [ended, reset] {
            var byte: UInt8 = 0
            #expect(recv(sockets.ours, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) == 1)
        }

        let looks = try [ended, reset].map { try self.look($0) }
        #expect(looks.map(\.state) == [.closedByPeer, .reset])
        #expect(looks.map(\.hasUnreadBytes) == [true, true])
    }

    /// People ask FIONREAD how much there is to read, and take 0 for quiet.
    ///
    /// It is 0 at the end and after a reset as well, and more than 0 while bytes wait before the end.
    @Test("FIONREAD is 0 on open, ended and reset connections alike, and not 0 before an end that is already there")
    func bytesToRead() throws {
        func waiting(_ sockets: TestSockets) throws -> Int32 {
            var count: Int32 = -1
            try #require(ioctl(sockets.ours, UInt(FIONREAD), &count) == 0)
            return count
        }
        let open = try TestSockets()
        let ended = try TestSockets()
        try ended.finishAndWait()
        let reset = try TestSockets()
        try reset.resetAndWait()
        for sockets in [open, ended, reset] { #expect(try waiting(sockets) == 0) }
        let unread = try TestSockets()
        try unread.peerSends("bye")
        try unread.finishAndWait()
        #expect(try waiting(unread) == 3)

        let states = try [open, ended, reset, unread].map { try self.look($0).state }
        #expect(states == [.open, .closedByPeer, .reset, .closedByPeer])
    }

    /// People send something and take success for a live peer.
    ///
    /// send(2) succeeds when the kernel has taken the bytes. The first one after the peer has closed succeeds too; what
    /// it brings about is the reset.
    @Test("the first send after the peer has closed succeeds")
    func firstSend() throws {
        let sockets = try TestSockets()
        try sockets.finishAndWait()
        var probe = ConnectionProbe(of: sockets.descriptor)
        #expect(try probe.look().state == .closedByPeer)
        #expect([UInt8(1)].withUnsafeBytes { sockets.descriptor.send($0) } == .sent(1))

        try sockets.wait(for: 0)
        #expect(try probe.look().state == .reset)
    }
}
#endif
