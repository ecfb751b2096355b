//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayNIO

extension PlanReport {
    /// One object, also where the requirements cannot be met: its figures are then null.
    var json: [UInt8] {
        let figures = self.plan.figures
        var json = JSONWriter(reservingCapacity: 2_048)
        json.beginObject()
        json.field("feasible", self.plan.isFeasible)
        json.key("measured")
        if let measured { measured.write(to: &json) } else { json.null() }
        json.field("detectWithinMs", self.plan.requirements.detectWithin)
        json.field("intervalMs", figures?.interval)
        json.field("marginMs", figures?.margin)
        json.field("heartbeatsPerWindow", figures?.heartbeatsPerWindow)
        json.key("mistakeRecurrenceSeconds")
        json.beginObject()
        json.field("independent", figures?.mistakeRecurrence.independentSeconds)
        json.field("dependenceFree", figures?.mistakeRecurrence.dependenceFreeSeconds)
        json.endObject()
        json.field("mistakeDurationSeconds", figures.map { $0.mistakeDuration / .seconds(1) })
        json.field("toleratedBlackoutMs", figures?.toleratedBlackout)
        json.field("bytesPerSecond", figures?.bytesPerSecond)
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

extension MeasuredPath {
    /// Writes what was measured as an object.
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.field("heartbeats", self.answered)
        json.field("unanswered", self.sent - self.answered)
        json.field("connectionsLost", self.connectionsLost)
        json.field("meanMs", self.roundTrips.mean)
        json.field("deviationMs", self.roundTrips.deviation)
        json.field("p50Ms", self.roundTrips.median)
        json.field("p90Ms", self.roundTrips.percentile90)
        json.field("p99Ms", self.roundTrips.percentile99)
        json.field("p999Ms", self.roundTrips.percentile999)
        json.field("longestMs", self.roundTrips.longest)
        json.endObject()
    }
}

extension KernelTimeouts {
    /// Writes the options as an object, under the names of the kernel's options.
    fileprivate func write(to json: inout JSONWriter) {
        json.beginObject()
        json.field("noDelay", self.noDelay)
        json.field("keepaliveIdleSeconds", self.keepaliveIdleSeconds)
        json.field("keepaliveIntervalSeconds", self.keepaliveIntervalSeconds)
        json.field("keepaliveCount", self.keepaliveCount)
        json.field("userTimeoutMs", self.userTimeoutMilliseconds)
        json.field("notSentLowWatermarkBytes", self.notSentLowWatermarkBytes)
        json.field("longestRetransmissionMs", self.longestRetransmissionMilliseconds)
        json.endObject()
    }
}
