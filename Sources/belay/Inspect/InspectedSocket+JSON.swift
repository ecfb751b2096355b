//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket

extension InspectedSocket {
    /// Writes the row as an object; what the kernel does not tell is null.
    func write(to json: inout JSONWriter) {
        json.beginObject()
        json.field("kind", self.kind.rawValue)
        json.field("verdict", self.appraisal.verdict.rawValue)
        json.field("reason", self.appraisal.code?.rawValue)
        json.field("why", self.appraisal.explanation)
        json.field("state", self.entry.state.name)
        if let change { json.field("change", "\(change)") }
        json.field("local", self.kind == .pile ? self.pileEnds.local : "\(self.entry.local)")
        json.field("remote", self.kind == .pile ? self.pileEnds.remote : self.entry.remote.map { "\($0)" })
        switch self.kind {
        case .connection:
            self.entry.writeFigures(to: &json)
        case .listener:
            json.field("acceptQueue", self.entry.acceptQueueLength)
            json.field("acceptQueueLimit", self.entry.acceptQueueLimit)
        case .pile:
            json.field("count", self.count)
        }
        json.field("uid", self.entry.uid)
        self.owners.first?.writeFields(to: &json)
        if self.owners.isEmpty { SocketOwner.writeUnknownFields(to: &json) }
        if self.owners.count > 1 {
            json.key("owners")
            json.beginArray()
            for owner in self.owners {
                json.beginObject()
                owner.writeFields(to: &json)
                json.endObject()
            }
            json.endArray()
        }
        json.endObject()
    }
}

extension SocketEntry {
    /// Writes the fields of a connection.
    func writeFigures(to json: inout JSONWriter) {
        json.field("silenceMs", self.openInfo?.lastDataReceived)
        json.field("rttMs", self.openInfo.map { Double($0.roundTrip) / 1_000 })
        json.field("retransmits", self.tcpInfo?.retransmits)
        json.field("totalRetransmits", self.tcpInfo?.totalRetransmits)
        json.field("receiveQueueBytes", self.unreadBytes)
        json.field("sendQueueBytes", self.sendQueueBytes)
        json.key("timer")
        if let timer {
            json.beginObject()
            json.field("kind", timer.kind.name)
            json.field("inMs", timer.milliseconds)
            json.endObject()
        } else {
            json.null()
        }
        json.key("tcp")
        if let evidence = self.openInfo?.evidence { evidence.write(to: &json) } else { json.null() }
    }
}

extension SocketOwner {
    fileprivate func writeFields(to json: inout JSONWriter) {
        json.field("pid", self.pid)
        json.field("process", self.command)
        json.field("fd", self.descriptor)
    }

    fileprivate static func writeUnknownFields(to json: inout JSONWriter) {
        for name in ["pid", "process", "fd"] { json.field(name, nil as String?) }
    }
}
