//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

extension PlanReport {
    /// One object, also where the requirements cannot be met: its figures are then null.
    var json: [UInt8] {
        let figures = self.plan.figures
        var json = JSONWriter(reservingCapacity: 2_048)
        json.beginObject()
        json.key("feasible")
        json.boolean(self.plan.isFeasible)
        json.milliseconds("detectWithinMs", self.plan.requirements.detectWithin)
        json.milliseconds("intervalMs", figures?.interval)
        json.milliseconds("marginMs", figures?.margin)
        json.field("heartbeatsPerWindow", figures.map { UInt32(clamping: $0.heartbeatsPerWindow) })
        json.key("mistakeRecurrenceSeconds")
        json.beginObject()
        json.number("independent", figures?.mistakeRecurrence.independentSeconds)
        json.number("dependenceFree", figures?.mistakeRecurrence.dependenceFreeSeconds)
        json.endObject()
        json.number("mistakeDurationSeconds", figures.map { $0.mistakeDuration / .seconds(1) })
        json.milliseconds("toleratedBlackoutMs", figures?.toleratedBlackout)
        json.number("bytesPerSecond", figures?.bytesPerSecond)
        json.key("kernel")
        if let kernel = figures?.kernel { kernel.write(to: &json) } else { json.null() }
        json.key("why")
        json.beginArray()
        for line in self.plan.why { json.string(line) }
        json.endArray()
        json.endObject()
        return json.bytes + [UInt8(ascii: "\n")]
    }
}

extension KernelTimeouts {
    /// Writes the options as an object, under the names of the kernel's options.
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.key("noDelay")
        json.boolean(self.noDelay)
        json.field("keepaliveIdleSeconds", self.keepaliveIdleSeconds.map { UInt32(clamping: $0) })
        json.field("keepaliveIntervalSeconds", UInt32(clamping: self.keepaliveIntervalSeconds))
        json.field("keepaliveCount", UInt32(clamping: self.keepaliveCount))
        json.field("userTimeoutMs", UInt32(clamping: self.userTimeoutMilliseconds))
        json.field("notSentLowWatermarkBytes", UInt32(clamping: self.notSentLowWatermarkBytes))
        json.field("longestRetransmissionMs", UInt32(clamping: self.longestRetransmissionMilliseconds))
        json.endObject()
    }
}

extension JSONWriter {
    fileprivate mutating func milliseconds(_ name: String, _ value: Duration?) {
        self.number(name, value.map { $0 / .milliseconds(1) })
    }

    fileprivate mutating func number(_ name: String, _ value: Double?) {
        self.key(name)
        if let value { self.decimal(value) } else { self.null() }
    }
}
