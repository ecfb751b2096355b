//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// Something that happens to one end of a simulated connection at a time of your choice.
///
/// What a program does waits while its process is stopped; what happens to the process, or is done by its kernel, does
/// not.
public enum SimulatedAction: Hashable, Sendable {
    /// The process is stopped (SIGSTOP, a starved core, a blocked loop): it neither reads nor sends nor keeps time.
    ///
    /// Its kernel goes on: it receives and acknowledges until its buffer is full. Nil is for ever.
    case freeze(for: Duration?)
    /// The host is suspended: nothing of it runs or receives, and its monotonic clock stands still (rule R6).
    case suspend(for: Duration)
    /// The wall clock of the host is set ahead, or back where it is negative.
    case setWallClock(ahead: Duration)
    /// The host loses power or is restarted: it is cut off for this long, then answers everything with a reset.
    ///
    /// Nil is cut off for ever.
    case crash(cutOffFor: Duration?)
    /// The program stops reading, and tells the machine so (rule R7). Nil is until ``resumeReading``.
    case pauseReading(for: Duration?)
    /// The program reads again.
    case resumeReading
    /// The program reads no faster than this from now on, item by item; at least 1.
    case readSlowly(bytesPerSecond: Int)
    /// The program sends messages of this many bytes in all, at most 4 KiB each.
    case send(bytes: Int)
    /// The program sends messages of this many bytes now and after each such time, until the connection ends.
    case talk(every: Duration, bytes: Int)
    /// The program closes the connection in an orderly way, with a goodbye.
    case close
    /// The process is about to end: it drains the connection, with a goodbye.
    case drain
    /// The process ends without a word: its kernel sends FIN, or RST if something was not read.
    case exit
    /// The connection is reset from outside the program: RST.
    case reset

    /// Whether the process must be running for it.
    var needsProcess: Bool {
        switch self {
        case .freeze, .suspend, .setWallClock, .crash, .exit, .reset: false
        case .pauseReading, .resumeReading, .readSlowly, .send, .talk, .close, .drain: true
        }
    }
}

extension SimulatedAction: CustomStringConvertible {
    /// What happens, in a few words that follow the name of the end.
    public var description: String {
        switch self {
        case .freeze(let duration): "is stopped for \(duration?.text ?? "ever")"
        case .suspend(let duration): "is suspended for \(duration.text)"
        case .setWallClock(let ahead):
            ahead < .zero ? "sets its clock back by \((.zero - ahead).text)" : "sets its clock ahead by \(ahead.text)"
        case .crash(let duration): "crashes and is cut off for \(duration?.text ?? "ever")"
        case .pauseReading(let duration): "pauses reading" + (duration.map { " for \($0.text)" } ?? "")
        case .resumeReading: "reads again"
        case .readSlowly(let bytesPerSecond): "reads \(bytesPerSecond) bytes a second from now on"
        case .send(let bytes): "sends \(bytes) bytes"
        case .talk(let interval, let bytes): "sends \(bytes) bytes every \(interval.text) from now on"
        case .close: "closes the connection"
        case .drain: "drains the connection"
        case .exit: "exits"
        case .reset: "is reset"
        }
    }
}
