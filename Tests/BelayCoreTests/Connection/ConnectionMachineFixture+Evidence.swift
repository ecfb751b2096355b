//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

extension ConnectionMachineFixture {
    /// A connection whose peer has said one thing, and whose kernel tells this so long after the opening.
    static func heardOnce(
        _ policy: LivenessPolicy,
        tcp: @escaping (Duration) -> TCPEvidence
    ) throws -> ConnectionMachineFixture {
        var connection = try ConnectionMachineFixture(policy)
        connection.tcp = tcp
        connection.receivesMessage()
        return connection
    }
}

extension TCPEvidence {
    /// What the kernel tells of a connection on which everything is acknowledged.
    static var quiet: TCPEvidence {
        var tcp = TCPEvidence(state: .established)
        (tcp.lastDataSent, tcp.lastAckReceived, tcp.lastDataReceived) = (250, 250, 850)
        (tcp.roundTrip, tcp.retransmissionTimeout) = (1_000, 200_000)
        (tcp.sendWindow, tcp.notSentBytes, tcp.bytesAcked, tcp.questionEnd) = (65_536, 0, 101, 100)
        return tcp
    }
}
