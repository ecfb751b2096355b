//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

extension SwarmReport {
    /// One object.
    var json: [UInt8] {
        var json = JSONWriter(reservingCapacity: 4_096)
        json.beginObject()
        json.field("url", self.url)
        json.field("seed", self.options.seed)
        json.field("interrupted", self.outcome.isCutShort)
        json.key("connections")
        json.beginObject()
        json.field("planned", self.options.connections)
        json.field("made", self.tally.made)
        json.field("failed", self.tally.failed)
        json.field("failures", self.tally.failures)
        json.field("connectTime", Percentiles(self.tally.connectTimes))
        json.endObject()
        json.key("dropped")
        self.tally.drops.write(to: &json)
        json.field("violations", self.tally.violations)
        json.key("heartbeats")
        json.beginObject()
        json.field("pingsReceived", self.tally.heartbeats.pingsReceived)
        json.field("pongsSent", self.tally.heartbeats.pongsSent)
        json.field("pingsSent", self.tally.heartbeats.pingsSent)
        json.field("pongsReceived", self.tally.heartbeats.pongsReceived)
        json.field("roundTrip", Percentiles(self.tally.roundTrips))
        json.endObject()
        json.key("messages")
        json.beginObject()
        json.field("sent", self.tally.messages.sent)
        json.field("received", self.tally.messages.received)
        json.field("skipped", self.tally.messages.skipped)
        json.endObject()
        json.key("struck")
        json.beginObject()
        for kind in SwarmFault.Kind.allCases {
            if let count = self.tally.struck[kind] { json.field(kind.rawValue, count) }
        }
        json.endObject()
        json.field("processorMs", Duration.nanoseconds(self.tally.processorNanoseconds))
        json.field("longestRoundMs", Duration.nanoseconds(self.tally.longestRoundNanoseconds))
        json.key("verdicts")
        if let verdicts { verdicts.write(to: &json) } else { json.null() }
        json.endObject()
        return json.bytes + [UInt8(ascii: "\n")]
    }
}

extension SwarmTally.Drops {
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.field("count", self.count)
        json.field("unprovoked", self.unprovoked)
        json.field("fin", self.finished)
        json.field("rst", self.reset)
        json.field("goodbyes", self.goodbyes)
        json.field("errors", self.errors)
        json.endObject()
    }
}

extension Verdicts {
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.field("right", self.right)
        json.field("missed", self.missed)
        json.field("wrong", self.wrong)
        json.field("false", self.falseCount)
        json.field("undecided", self.undecided)
        json.field("repeated", self.repeated)
        json.field("known", self.known)
        json.field("falseReasons", self.false)
        json.key("faults")
        json.beginObject()
        for kind in SwarmFault.Kind.allCases {
            guard let verdict = self.faults[kind] else { continue }
            json.key(kind.rawValue)
            verdict.write(to: &json)
        }
        json.endObject()
        json.key("endings")
        self.endings.write(to: &json)
        json.key("examples")
        json.beginArray()
        for example in self.examples { json.string(example) }
        json.endArray()
        json.endObject()
    }
}

extension Verdicts.Verdict {
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.field("right", self.right)
        json.field("missed", self.missed)
        json.field("wrong", self.wrong)
        json.field("undecided", self.undecided)
        json.field("reasons", self.reasons)
        json.field("latency", Percentiles(self.latencies))
        json.field("lateness", Percentiles(self.latenesses))
        json.endObject()
    }
}

extension JSONWriter {
    /// Writes counts by name as an object.
    fileprivate mutating func field(_ name: String, _ counts: [String: Int]) {
        self.key(name)
        self.beginObject()
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) { self.field(name, count) }
        self.endObject()
    }

    fileprivate mutating func field(_ name: String, _ percentiles: Percentiles?) {
        self.key(name)
        if let percentiles { percentiles.write(to: &self) } else { self.null() }
    }
}
