//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// What happened in a simulation, and what each machine decided, in order.
public struct Timeline: Hashable, Sendable {
    /// One thing that happened at one end.
    public enum Event: Hashable, Sendable {
        /// The script had something happen.
        case performed(SimulatedAction)
        /// From now on nothing gets through to this end for this long; nil is for ever.
        case cutOff(for: Duration?)
        /// The observer clock noticed that the process did not run for this long.
        case stalled(Duration)
        /// The machine suspected its peer.
        case suspected(silence: Duration)
        /// The machine heard a peer that it had suspected.
        case recovered(silence: Duration)
        /// The machine ended the connection, so long, in true time, after the last sign of life of its peer.
        ///
        /// That is when something reached the kernel of this end, whether it was read or not, when the peer made room
        /// for bytes that waited, or when the connection was opened.
        case closed(ConnectionMachine.Close, sinceLastSignOfLife: Duration)
        /// The machine found no end of things to do, or wanted to be called again at a time that had passed.
        ///
        /// An event loop would spin; the process counts as stopped from then on.
        case spun
    }

    /// An event with its place and time.
    public struct Entry: Hashable, Sendable {
        /// The true time since the simulation began.
        public var at: Duration
        /// The end at which it happened.
        public var end: LinkEnd
        /// What happened.
        public var event: Event

        /// The end of the connection, if this entry reports it.
        public var close: ConnectionMachine.Close? {
            if case .closed(let close, _) = self.event { close } else { nil }
        }
    }

    /// The entries, oldest first, at most ``limit`` of them.
    public private(set) var entries: [Entry] = []
    /// How many entries were dropped because there were too many.
    public private(set) var dropped = 0
    /// How many entries are kept: 10,000.
    public static let limit = 10_000

    mutating func record(_ event: Event, at end: LinkEnd, _ time: Duration) {
        guard self.entries.count < Self.limit else {
            self.dropped += 1
            return
        }
        self.entries.append(Entry(at: time, end: end, event: event))
    }

    /// The entries in which the machine of this end closed; a machine is wrong if there is more than one.
    public func closes(of end: LinkEnd) -> [Entry] {
        self.entries.filter { $0.end == end && $0.close != nil }
    }
}

extension Timeline: CustomStringConvertible {
    /// One line per entry.
    public var description: String {
        let lines = self.entries.map { "\($0)" } + (self.dropped > 0 ? ["(\(self.dropped) more)"] : [])
        return lines.joined(separator: "\n")
    }
}

extension Timeline.Entry: CustomStringConvertible {
    /// Time, end and event in one line.
    public var description: String { "\(self.at.text) \(self.end.rawValue) \(self.event)" }
}

extension Timeline.Event: CustomStringConvertible {
    /// What happened, in a few words that follow the name of the end.
    public var description: String {
        switch self {
        case .performed(let action):
            "\(action)"
        case .cutOff(let duration):
            "is cut off for \(duration?.text ?? "ever")"
        case .stalled(let length):
            "notices that it did not run for \(length.text)"
        case .suspected(let silence):
            "suspects its peer after \(silence.text)"
        case .recovered(let silence):
            "hears its peer again after \(silence.text)"
        case .closed(let close, let sinceLastSignOfLife):
            "closes: \(close.reason.code.rawValue), phase \(close.reason.phase.rawValue), "
                + "silence \(close.silence.text), \(sinceLastSignOfLife.text) after the last sign of life"
        case .spun:
            "would spin"
        }
    }
}
