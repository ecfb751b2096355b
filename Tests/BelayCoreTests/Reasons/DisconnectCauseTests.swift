//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite("the one function that names reasons")
struct DisconnectCauseTests {
    @Test(
        "each errno that has a row of its own has the code of that row",
        arguments: [
            (104, "ECONNRESET", .peerReset), (32, "EPIPE", .peerReset), (103, "ECONNABORTED", .peerReset),
            (110, "ETIMEDOUT", .pathTimedOut),
            (113, "EHOSTUNREACH", .pathUnreachable), (101, "ENETUNREACH", .pathUnreachable),
            (111, "ECONNREFUSED", .pathUnreachable), (112, "EHOSTDOWN", .pathUnreachable),
            (64, "ENONET", .pathUnreachable), (92, "ENOPROTOOPT", .pathUnreachable),
            (100, "ENETDOWN", .localCannotSend), (99, "EADDRNOTAVAIL", .localCannotSend),
            (1, "EPERM", .localCannotSend),
            (13, "EACCES", .localCannotSend), (105, "ENOBUFS", .localCannotSend),
        ] as [(Int32, String, DisconnectReason.Code)]
    )
    func namedErrors(number: Int32, name: String, code: DisconnectReason.Code) {
        let errno = ErrorNumber(rawValue: number)
        for phase in DisconnectReason.Phase.allCases {
            let reason = DisconnectCause.failed(errno).reason(in: phase)
            #expect(reason == DisconnectReason(code, phase: phase, evidence: .init(errno: errno)))
            #expect(reason.evidence.errno?.name == name)
        }
    }

    @Test("an errno without a row is our own failure, and its name is never dropped")
    func otherErrors() {
        let named: Set<Int32> = [104, 32, 103, 110, 113, 101, 111, 112, 64, 92, 100, 99, 1, 13, 105]
        for number in [Int32.min, -1, 0] + Array(1...200) + [524, 9_999, .max] where !named.contains(number) {
            let reason = DisconnectCause.failed(ErrorNumber(rawValue: number)).reason(in: .active)
            #expect(reason.code == .localFailed)
            #expect(reason.evidence.errno?.rawValue == number)
            #expect(reason.evidence.errno?.name.isEmpty == false)
            #expect(reason.description.contains(ErrorNumber(rawValue: number).name))
        }
    }

    @Test("no two errors are merged: each number of Linux has a name of its own")
    func uniqueNames() {
        let names = (1...200).map { ErrorNumber(rawValue: $0).name }
        #expect(Set(names).count == names.count)
    }

    @Test(
        "every other cause has the reason of its row",
        arguments: [
            (.endOfStream, .peerClosed, .init()),
            (.otherError("TLS alert 40"), .localFailed, .init(detail: "TLS alert 40")),
            (.silence(.noEvidence), .peerSilent, .init(diagnosis: .noEvidence)),
            (
                .noWriteProgress(.noEvidence, unsentBytes: 7), .peerNotReading,
                .init(diagnosis: .noEvidence, unsentBytes: 7)
            ),
            (.handshakeDeadlinePassed, .handshakeTimeout, .init()),
            (.idleLimitPassed, .idle, .init()),
            (.goodbye(code: nil, retryAfter: nil), .peerGoodbye, .init()),
            (
                .goodbye(code: "later", retryAfter: .seconds(3)), .peerGoodbye,
                .init(goodbyeCode: "later", retryAfter: .seconds(3))
            ),
            (.protocolViolation("a NUL"), .protocolViolation, .init(detail: "a NUL")),
            (.pingFlood, .pingFlood, .init()),
            (.decided(.localKicked, detail: "by hand"), .localKicked, .init(detail: "by hand")),
            (.decided(.localClosed, detail: nil), .localClosed, .init()),
        ] as [(DisconnectCause, DisconnectReason.Code, DisconnectReason.Evidence)]
    )
    func otherCauses(cause: DisconnectCause, code: DisconnectReason.Code, evidence: DisconnectReason.Evidence) {
        for phase in DisconnectReason.Phase.allCases {
            #expect(cause.reason(in: phase) == DisconnectReason(code, phase: phase, evidence: evidence))
        }
    }

    @Test("a limit that was passed is in the evidence with its figure")
    func figures() {
        let size = DisconnectCause.messageTooLarge(size: .max, limit: 65_536).reason(in: .active)
        #expect(size.code == .messageTooLarge)
        #expect(size.evidence.detail?.contains("18446744073709551615") == true)
        #expect(size.evidence.detail?.contains("65536") == true)

        let queue = DisconnectCause.outboundLimitPassed(unsentBytes: 5_000, limit: 4_096).reason(in: .active)
        #expect(queue.code == .slowConsumer)
        #expect(queue.evidence.unsentBytes == 5_000)
        #expect(queue.evidence.detail?.contains("4096") == true)

        let pause = DisconnectCause.readPauseLimitPassed(.seconds(90)).reason(in: .active)
        #expect(pause.code == .localFailed)
        #expect(pause.evidence.detail?.contains("1m30s") == true)
    }

    @Test("whatever our side decides keeps its code", arguments: DisconnectReason.Code.allCases)
    func decided(code: DisconnectReason.Code) {
        let reason = DisconnectCause.decided(code, detail: "d").reason(in: .active)
        #expect(reason == DisconnectReason(code, phase: .active, evidence: .init(detail: "d")))
    }

    @Test("a goodbye with a code that we know gives that code's advice", arguments: DisconnectReason.Code.allCases)
    func goodbyeAdvice(code: DisconnectReason.Code) {
        let reason = DisconnectCause.goodbye(code: code.rawValue, retryAfter: nil).reason(in: .active)
        #expect(reason.code == .peerGoodbye)
        #expect(reason.initiator == .peer)
        #expect(reason.evidence.goodbyeCode == code.rawValue)
        #expect(reason.mayReconnect == code.mayReconnect)
    }

    @Test("a goodbye with a code that we do not know, or none, allows to connect again", arguments: [nil, "", "x.y"])
    func goodbyeWithUnknownCode(code: String?) {
        let reason = DisconnectCause.goodbye(code: code, retryAfter: .seconds(2)).reason(in: .draining)
        #expect(reason.mayReconnect)
        #expect(reason.evidence == .init(goodbyeCode: code, retryAfter: .seconds(2)))
    }
}
