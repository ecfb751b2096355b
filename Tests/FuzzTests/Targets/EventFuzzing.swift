//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

@testable import BelayCore

/// Writes events about peers of any name, and reads the line back slowly.
enum EventFuzzing {
    static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        var input = FuzzBytes(bytes)
        let choice = input.byte()
        let texts = (input.text(), input.text(), input.text(), input.text(), input.text())
        var summary = ConnectionSummary(
            connection: ConnectionID(nonce: input.number(bytes: 8), number: input.number(bytes: 8)),
            peer: input.optional { _ in texts.0 },
            epoch: input.optional { $0.number(bytes: 8) },
            remote: texts.1,
            local: texts.2,
            listener: texts.2,
            phase: .active,
            openedAt: WallClock(millisecondsSince1970: Int64(truncatingIfNeeded: input.number(bytes: 8))),
            duration: input.duration(),
            silence: input.duration(),
            bound: input.duration(),
            figures: ConnectionMachine.Figures(),
            detector: DetectorState(name: texts.3, margin: input.duration(), phi: input.double(), localHealth: 1)
        )
        summary.figures.bytesIn = input.number(bytes: 8)
        let kind = Self.kind(choice, summary, texts.4, &input)
        let event = Event(kind, at: summary.openedAt)
        let line = event.jsonLine(id: texts.3, source: texts.4, sequence: input.number(bytes: 8))
        try Self.check(line)
        guard case .object(let members)? = ObviousJSON.read(line) else {
            throw FuzzFinding(description: "not an object: \(String(decoding: line, as: UTF8.self))")
        }
        try Self.check(members, "id", texts.3)
        try Self.check(members, "source", texts.4)
        if let subject = event.subject { try Self.check(members, "subject", subject) }
        if choice % 5 == 1, case .object(let data)? = members["data"], case .object(let evidence)? = data["evidence"] {
            try Self.check(evidence, "detail", texts.4)
        }
    }

    private static func kind(
        _ choice: UInt8,
        _ summary: ConnectionSummary,
        _ text: String,
        _ input: inout FuzzBytes
    ) -> Event.Kind {
        switch choice % 5 {
        case 0: return .connectionOpened(summary)
        case 1:
            var evidence = DisconnectReason.Evidence()
            evidence.errno = ErrorNumber(rawValue: Int32(truncatingIfNeeded: input.number(bytes: 4)))
            evidence.tcp = TCPEvidence(state: .established)
            evidence.detail = text
            evidence.goodbyeCode = text
            evidence.retryAfter = input.duration()
            evidence.unsentBytes = Int(truncatingIfNeeded: input.number(bytes: 8))
            return .connectionClosed(summary, DisconnectReason(.peerSilent, phase: .active, evidence: evidence))
        case 2: return .connectionRecovered(summary, afterSilence: input.duration())
        case 3: return .nodeStarted(listeners: [text, summary.remote])
        default: return .nodeStalled(length: input.duration())
        }
    }

    /// One line, and nothing in it that steers a terminal.
    private static func check(_ line: [UInt8]) throws(FuzzFinding) {
        let text = String(validating: line, as: UTF8.self)
        try mustHold(line.last == 0x0A && text != nil, "no line of text: \(line)")
        for scalar in (text ?? "").unicodeScalars.dropLast() {
            try mustHold(scalar.properties.generalCategory != .control, "U+\(scalar.value) in \(text ?? "")")
        }
    }

    private static func check(_ members: [String: JSONValue], _ key: String, _ text: String) throws(FuzzFinding) {
        let value = members[key] ?? .null
        try mustHold(value.isIdentical(to: .string(text)), "\(key) is \(value), not '\(text)'")
    }
}
