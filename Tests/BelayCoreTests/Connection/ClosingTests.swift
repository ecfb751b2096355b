//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the end of a connection is reported once")
struct ClosingTests {
    private static let policy = LivenessPolicy(detectWithin: .milliseconds(300))

    private static let causes: [(cause: DisconnectCause, manner: ConnectionMachine.CloseManner)] = [
        (.endOfStream, .farewell(sayGoodbye: false)),
        (.failed(.connectionReset), .abort),
        (.otherError("TLS alert"), .abort),
        (.silence(.noEvidence), .abort),
        (.noWriteProgress(.noEvidence, unsentBytes: 1), .abort),
        (.handshakeDeadlinePassed, .farewell(sayGoodbye: true)),
        (.idleLimitPassed, .farewell(sayGoodbye: true)),
        (.readPauseLimitPassed(.seconds(1)), .abort),
        (.goodbye(code: nil, retryAfter: nil), .farewell(sayGoodbye: false)),
        (.protocolViolation("x"), .farewell(sayGoodbye: true)),
        (.messageTooLarge(size: 2, limit: 1), .farewell(sayGoodbye: true)),
        (.pingFlood, .abort),
        (.outboundLimitPassed(unsentBytes: 2, limit: 1), .abort),
        (.decided(.localClosed, detail: nil), .farewell(sayGoodbye: true)),
        (.decided(.localShutdown, detail: nil), .farewell(sayGoodbye: true)),
        (.decided(.unauthorized, detail: nil), .farewell(sayGoodbye: true)),
    ]

    @Test("a peer that may be alive is told; for one that is dead or floods us nothing is waited for")
    func manners() throws {
        for (cause, manner) in Self.causes {
            var connection = try ConnectionMachineFixture(Self.policy)
            connection.receivesMessage()
            connection.ends(cause)
            let end = try connection.requireEnd()
            #expect(end.close.manner == manner, "\(cause)")
            #expect(connection.machine.isOver == true)
            #expect(connection.machine.isClosed == (manner == .abort), "\(cause)")
        }
    }

    @Test("whatever ends a connection first is its only end")
    func firstCauseWins() throws {
        for (first, _) in Self.causes {
            var connection = try ConnectionMachineFixture(Self.policy)
            connection.receivesMessage()
            connection.ends(first)
            let code = try connection.requireEnd().close.reason.code
            for (second, _) in Self.causes { connection.ends(second) }
            connection.receivesFIN()
            connection.losesTransport()
            connection.losesTransport()
            connection.advance(by: .seconds(100))
            connection.expectClosed(code, "\(first)")
        }
    }

    @Test("a farewell that the peer does not answer is aborted at its deadline, without a second report")
    func farewellDeadline() throws {
        var policy = Self.policy
        policy.closeWithin = .milliseconds(700)
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(50))
        let close = connection.machine.closeRequested(at: connection.now)
        #expect(close?.reason.code == .localClosed)
        connection.advance(by: .milliseconds(60))
        connection.settle()
        #expect(connection.machine.isClosed == false)
        let deadline = connection.machine.nextDeadline
        #expect(deadline == connection.now.advanced(by: .milliseconds(640)))
        connection.advance(by: .seconds(10))
        let aborted = connection.times { $0 == .aborted }
        #expect(aborted == [.milliseconds(750)])
        #expect(connection.machine.isClosed == true)
        #expect(connection.machine.nextDeadline == nil)
    }

    @Test("nothing is pinged, suspected or looked at during a farewell")
    func quietFarewell() throws {
        var policy = Self.policy
        policy.closeWithin = .seconds(10)
        var connection = try ConnectionMachineFixture(policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(50))
        connection.ends(.decided(.localClosed, detail: nil))
        let before = connection.decisions.count
        connection.advance(by: .seconds(9))
        #expect(connection.decisions.count == before)
    }

    @Test("a transport that goes without a word is the end of the stream, once")
    func transportClosed() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.losesTransport()
        connection.losesTransport()
        connection.expectClosed(.peerClosed)
        #expect(connection.machine.isClosed == true)
    }

    @Test("a transport that goes during the farewell is no second end")
    func transportClosedInFarewell() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.ends(.decided(.localKicked, detail: "by hand"))
        connection.losesTransport()
        connection.expectClosed(.localKicked)
        #expect(connection.machine.isClosed == true)
    }

    @Test("a drain is reported in the phase draining, every other end in the phase in which it came")
    func phases() throws {
        var draining = try ConnectionMachineFixture(Self.policy)
        draining.receivesMessage()
        let drain = draining.machine.drainRequested(at: draining.now)
        #expect(drain?.reason == DisconnectReason(.localShutdown, phase: .draining))
        #expect(draining.machine.drainRequested(at: draining.now) == nil)
        #expect(draining.machine.closeRequested(at: draining.now) == nil)

        var early = try ConnectionMachineFixture(Self.policy)
        let close = early.machine.closeRequested(.localKicked, detail: "why", at: early.now)
        #expect(close?.reason == DisconnectReason(.localKicked, phase: .handshake, evidence: .init(detail: "why")))
        #expect(early.machine.phase == .draining)
    }

    @Test("a suspected peer that says goodbye is suspected no longer, and does not recover after its end")
    func suspectedAtTheEnd() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(250))
        #expect(connection.machine.isSuspected == true)
        connection.ends(.goodbye(code: nil, retryAfter: nil))
        #expect(connection.machine.isSuspected == false)
        connection.receivesPartOfMessage()
        #expect(connection.recoveries == [])
    }

    @Test("the close tells how long nothing had proved the peer alive")
    func silence() throws {
        var connection = try ConnectionMachineFixture(Self.policy)
        connection.receivesMessage()
        connection.advance(by: .milliseconds(123))
        connection.ends(.failed(.connectionReset))
        #expect(connection.end?.close.silence == .milliseconds(123))
    }
}
