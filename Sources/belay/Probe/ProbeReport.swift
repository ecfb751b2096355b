//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import BelaySocket

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What a probe found.
struct ProbeReport {
    /// As the user wrote it.
    var target: String
    /// The answer in a word that is part of the contract: `open`, `closed-by-peer`, `reset`, ...
    var state: String
    /// The answer for people.
    var text: String
    var exitCode: ExitCode
    var errno: ErrorNumber?
    /// The verdict on a connection that is open, from one look.
    var appraisal: Appraisal?
    var local: String?
    var remote: String?
    /// How long connecting took.
    var connectTime: Duration?
    var unreadBytes: UInt32?
    /// Whether bytes wait to be read; nil where that is not known.
    var hasUnreadBytes: Bool?
    var tcp: TCPEvidence?

    init(target: String, state: ConnectionProbe.State) {
        self.target = target
        self.state = state.name
        self.text = state.description
        self.exitCode = state.exitCode
        if case .failed(let errno) = state { self.errno = errno }
        if state == .reset { self.errno = .connectionReset }
    }

    init(target: String, state: String, text: String, exitCode: ExitCode, errno: ErrorNumber? = nil) {
        self.target = target
        self.state = state
        self.text = text
        self.exitCode = exitCode
        self.errno = errno
    }

    /// Prints it on standard output.
    func show(asJSON: Bool) {
        Output.write(asJSON ? self.json : Array(self.lines.utf8), to: STDOUT_FILENO)
    }

    /// What is open by its state and dead by the evidence is called dead.
    private var headline: String { self.appraisal?.verdict == .dead ? "dead" : self.text }

    private var lines: String {
        var line = "\(self.headline)  \(self.target)"
        if let local, let remote, self.target != "\(local),\(remote)" { line += "  \(local) - \(remote)" }
        if let connectTime { line += "  connected in \(connectTime.rounded)" }
        if self.unreadBytes == nil, self.hasUnreadBytes == true { line += "  bytes unread" }
        if let unreadBytes, unreadBytes > 0 { line += "  \(unreadBytes) bytes unread" }
        if let tcp, tcp.roundTrip > 0 { line += "  rtt \(Duration.microseconds(Int64(tcp.roundTrip)).rounded)" }
        line += "\n"
        // That a connection which is closed is not dead as well goes without saying.
        if let appraisal, appraisal.verdict != .alive || self.state == ConnectionProbe.State.open.name {
            let code = appraisal.code.map { " \($0.rawValue)" } ?? ""
            line += "\(appraisal.verdict.rawValue)\(code): \(appraisal.explanation)\n"
        }
        return line
    }

    private var json: [UInt8] {
        var json = JSONWriter(reservingCapacity: 512)
        json.beginObject()
        json.field("target", self.target)
        json.field("state", self.state)
        json.field("text", self.headline)
        json.field("verdict", self.appraisal?.verdict.rawValue)
        json.field("reason", self.appraisal?.code?.rawValue)
        json.field("why", self.appraisal?.explanation)
        json.field("errno", self.errno?.name)
        json.field("local", self.local)
        json.field("remote", self.remote)
        json.field("connectMs", self.connectTime)
        json.field("unreadBytes", self.unreadBytes)
        json.field("hasUnreadBytes", self.hasUnreadBytes)
        json.key("tcp")
        if let tcp { tcp.write(to: &json) } else { json.null() }
        json.endObject()
        return json.bytes + [UInt8(ascii: "\n")]
    }
}

extension ConnectionProbe.State {
    /// The state as one stable word.
    var name: String {
        switch self {
        case .open: "open"
        case .halfClosed(.sending): "half-closed-sending"
        case .halfClosed(.receiving): "half-closed-receiving"
        case .closedLocally: "closed-locally"
        case .closedByPeer: "closed-by-peer"
        case .reset: "reset"
        case .failed: "failed"
        case .over: "over"
        case .connecting: "connecting"
        case .notConnected: "not-connected"
        case .listening: "listening"
        case .notTCP: "not-tcp"
        }
    }

    var exitCode: ExitCode {
        switch self {
        case .open: .success
        case .halfClosed, .closedLocally, .closedByPeer, .reset, .failed, .over, .notConnected: .badAnswer
        case .connecting, .listening, .notTCP: .unknown
        }
    }

    /// The state of a connection in the kernel's tables.
    init(_ state: TCPState) {
        switch state {
        case .established: self = .open
        case .synSent, .synReceived, .newSynReceived: self = .connecting
        case .finWait1, .finWait2: self = .halfClosed(.sending)
        case .closeWait, .lastAck, .closing: self = .closedByPeer
        // Both have closed, this side first.
        case .timeWait, .closed: self = .over
        case .listen: self = .listening
        }
    }
}
