//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension Event {
    /// The event as one line of JSON in the envelope of CloudEvents 1.0, with the line end.
    ///
    /// - Parameters:
    ///   - id: the identifier of the event, see ``EventID``.
    ///   - source: the node, such as `belay/node-1`.
    ///   - sequence: the number of the event on this node, from 1.
    /// - Returns: UTF-8 bytes.
    public func jsonLine(id: String, source: String, sequence: UInt64) -> [UInt8] {
        var json = JSONWriter(reservingCapacity: 1_024)
        json.beginObject()
        json.field("specversion", "1.0")
        json.field("id", id)
        json.field("source", source)
        json.field("type", self.type)
        json.field("time", self.time.text)
        if let subject { json.field("subject", subject) }
        var digits: [UInt8] = []
        digits.append(decimal: sequence, width: 16)
        json.field("sequence", String(decoding: digits, as: UTF8.self))
        json.field("datacontenttype", "application/json")
        json.key("data")
        json.beginObject()
        self.kind.writeData(to: &json)
        json.endObject()
        json.endObject()
        var line = json.bytes
        line.append(UInt8(ascii: "\n"))
        return line
    }
}

extension Event.Kind {
    fileprivate func writeData(to json: inout JSONWriter) {
        switch self {
        case .connectionOpened(let summary):
            summary.writeIdentification(to: &json)
            json.field("openedAt", summary.openedAt.text)
            json.field("boundMs", summary.bound)
        case .connectionSuspected(let summary, let tcp):
            summary.writeIdentification(to: &json)
            summary.writeFigures(to: &json)
            json.key("evidence")
            DisconnectReason.Evidence(tcp: tcp).write(to: &json)
        case .connectionRecovered(let summary, let afterSilence):
            summary.writeIdentification(to: &json)
            summary.writeFigures(to: &json)
            json.field("afterSilenceMs", afterSilence)
        case .connectionClosed(let summary, let reason):
            summary.writeIdentification(to: &json)
            json.field("reason", reason.code.rawValue)
            json.field("initiator", reason.initiator.rawValue)
            json.field("phase", reason.phase.rawValue)
            json.field("mayReconnect", reason.mayReconnect)
            summary.writeFigures(to: &json)
            json.key("evidence")
            reason.evidence.write(to: &json)
        case .nodeStarted(let listeners):
            json.key("listeners")
            json.beginArray()
            for listener in listeners { json.string(listener) }
            json.endArray()
        case .nodeStalled(let length):
            json.field("stallMs", length)
        case .nodeStopping(let within):
            json.field("drainMs", within)
        }
    }
}

extension ConnectionSummary {
    fileprivate func writeIdentification(to json: inout JSONWriter) {
        json.field("connection", self.connection.description)
        json.field("peer", self.peer)
        json.field("epoch", self.epoch)
        json.field("remote", self.remote)
        json.field("local", self.local)
        json.field("listener", self.listener)
    }

    fileprivate func writeFigures(to json: inout JSONWriter) {
        json.field("openedAt", self.openedAt.text)
        json.field("durationMs", self.duration)
        json.field("silenceMs", self.silence)
        json.field("boundMs", self.bound)
        json.field("rttMs", self.figures.roundTrip)
        json.field("rttMeanMs", self.figures.meanRoundTrip)
        json.field("rttDeviationMs", self.figures.roundTripDeviation)
        json.key("detector")
        self.detector.write(to: &json)
        json.field("pingsSent", self.figures.pingsSent)
        json.field("pongsReceived", self.figures.pongsReceived)
        json.field("messagesIn", self.figures.messagesIn)
        json.field("bytesIn", self.figures.bytesIn)
        json.field("bytesOut", self.figures.bytesOut)
    }
}

extension DetectorState {
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.field("name", self.name)
        json.field("marginMs", self.margin)
        json.field("phi", self.phi)
        json.field("localHealth", self.localHealth)
        json.endObject()
    }
}

extension DisconnectReason.Evidence {
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.field("errno", self.errno?.name)
        json.key("tcp")
        if let tcp { tcp.write(to: &json) } else { json.null() }
        if let diagnosis { json.field("explanation", diagnosis.explanation) }
        if let detail { json.field("detail", detail) }
        if let goodbyeCode { json.field("goodbyeCode", goodbyeCode) }
        if let retryAfter { json.field("retryAfterMs", retryAfter) }
        if let unsentBytes { json.field("unsentBytes", unsentBytes) }
        json.endObject()
    }
}

extension TCPEvidence {
    /// Writes the evidence as an object: ages in milliseconds, `rttUs` and `rtoUs` in microseconds, null for what the kernel
    /// does not tell.
    public func write(to json: inout JSONWriter) {
        json.beginObject()
        json.field("state", self.state.name)
        json.field("unacked", self.unacked)
        json.field("lost", self.lost)
        json.field("sentAgain", self.sentAgain)
        json.field("retransmits", self.retransmits)
        json.field("backoff", self.backoff)
        json.field("probes", self.probes)
        json.field("totalRetransmits", self.totalRetransmits)
        json.field("lastDataReceivedMs", self.lastDataReceived)
        json.field("lastAckReceivedMs", self.lastAckReceived)
        json.field("lastDataSentMs", self.lastDataSent)
        json.field("sendWindow", self.sendWindow)
        json.field("notSentBytes", self.notSentBytes)
        json.field("bytesAcked", self.bytesAcked)
        json.field("bytesHandedOver", self.bytesHandedOver)
        json.field("rttUs", self.roundTrip)
        json.field("rtoUs", self.retransmissionTimeout)
        json.endObject()
    }
}
