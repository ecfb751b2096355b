//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("R9: the end of one direction")
struct HalfCloseTests {
    private static let bound = Duration.milliseconds(300)
    private static var halfClosing: LivenessPolicy {
        var policy = LivenessPolicy(detectWithin: bound)
        policy.allowHalfClosure = true
        return policy
    }

    @Test("R9: by default a FIN ends the connection, with a FIN of ours and without a farewell to nobody")
    func finCloses() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: Self.bound))
        connection.receivesMessage()
        let action = connection.receivesFIN()
        let end = try connection.requireEnd()
        #expect(action == .close(end.close))
        #expect(end.close.reason == DisconnectReason(.peerClosed, phase: .active))
        #expect(end.close.manner == .farewell(sayGoodbye: false))
        #expect(end.close.silence == .zero)
    }

    @Test("R9: a FIN before anything else ends the connection in the handshake")
    func finInHandshake() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: Self.bound))
        connection.receivesFIN()
        let end = try connection.requireEnd()
        #expect(end.close.reason == DisconnectReason(.peerClosed, phase: .handshake))
    }

    @Test("R9 and R10: who sends a FIN without ever having said anything does not stay, half-closure allowed or not")
    func wordlessFIN() throws {
        var connection = try ConnectionMachineFixture(Self.halfClosing)
        connection.receivesFIN()
        let end = try connection.requireEnd()
        #expect(end.close.reason == DisconnectReason(.peerClosed, phase: .handshake))
    }

    @Test("R9: after a half-close of our own, which ends the asking, silence means nothing")
    func ownHalfClose() throws {
        var connection = try ConnectionMachineFixture(LivenessPolicy(detectWithin: Self.bound))
        connection.receivesMessage()
        connection.machine.outputClosed()
        connection.advance(by: .seconds(10))
        connection.expectOpen()
        // A heartbeat behind our own FIN would be an error of ours.
        #expect(connection.pings == [])
        let answer = connection.receivesPing()
        #expect(answer == .doNothing)
    }

    @Test("R9: with allowHalfClosure the write side stays, and the silence that follows is nobody's")
    func keepsWriting() throws {
        var connection = try ConnectionMachineFixture(Self.halfClosing)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(100))
        let action = connection.receivesFIN()
        #expect(action == .keepWriting)
        connection.advance(by: .seconds(100))
        connection.expectOpen()
        #expect(connection.suspicions == [])
        let again = connection.receivesFIN()
        #expect(again == .keepWriting)
        connection.ends(.decided(.localClosed, detail: nil))
        connection.expectClosed(.localClosed)
    }

    @Test("R9: a suspected peer that closes its writing half is judged no further")
    func suspectedHalfCloses() throws {
        var connection = try ConnectionMachineFixture(Self.halfClosing)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(250))
        connection.receivesFIN()
        connection.advance(by: .seconds(1))
        connection.expectOpen()
    }

    @Test("R9: a half-closed peer that does not read is known within the write deadline")
    func halfClosedAndNotReading() throws {
        var connection = try ConnectionMachineFixture(Self.halfClosing)
        connection.receivesMessage()
        connection.receivesFIN()
        connection.kernelTakes(bytesPerMillisecond: 0)
        connection.writes(1_000)
        connection.advance(by: .seconds(1))
        connection.expectClosed(.peerNotReading, in: .milliseconds(270) ... .milliseconds(300))
    }

    @Test("R9: an error after the FIN is the reason of the end")
    func errorAfterFIN() throws {
        var connection = try ConnectionMachineFixture(Self.halfClosing)
        connection.receivesMessage()
        connection.receivesFIN()
        connection.ends(.failed(.connectionReset))
        connection.expectClosed(.peerReset)
    }

    @Test("R9: what a half-closed peer left unfinished is no fault when nothing more can come")
    func unfinishedAtFIN() throws {
        var policy = Self.halfClosing
        policy.messageWithin = .milliseconds(500)
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage(unfinished: 5)
        connection.receivesFIN()
        connection.advance(by: .seconds(5))
        connection.expectOpen()
    }

    @Test("R9 and R10: who closes its writing half before the hello that is required does not stay")
    func finBeforeHello() throws {
        var policy = Self.halfClosing
        policy.requiresHello = true
        var connection = try ConnectionMachineFixture(policy)
        connection.advance(by: .milliseconds(50))
        connection.receivesFIN()
        connection.advance(by: .seconds(5))
        #expect(connection.machine.isOver == true)
    }

    @Test("R9: our farewell ends with the peer's FIN", arguments: [true, false])
    func farewellAnswered(halfClosure: Bool) throws {
        var policy = Self.halfClosing
        policy.allowHalfClosure = halfClosure
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage()
        connection.ends(.decided(.localClosed, detail: nil))
        connection.advance(by: .milliseconds(10))
        #expect(connection.machine.isClosed == false)
        let action = connection.receivesFIN()
        #expect(action == .release)
        #expect(connection.machine.isClosed == true)
        let again = connection.receivesFIN()
        #expect(again == .doNothing)
        connection.expectClosed(.localClosed)
    }
}
