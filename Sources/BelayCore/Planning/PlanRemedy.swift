//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// One change of the requirements that makes them possible to meet.
public enum PlanRemedy: Hashable, Sendable {
    /// This bound would do; no shorter one does, to a thousandth.
    case detectWithin(Duration)
    /// Mistakes this rare can be certified, to a thousandth the rarest.
    case mistakesEvery(Duration)
    /// Mistakes must be allowed to last this long.
    case mistakeLasts(Duration)
    /// So few heartbeats in the bound would do.
    case minimumHeartbeats(Int)
    /// The interval must be allowed to be this short.
    case minimumInterval(Duration)
    /// This many bytes a second are needed.
    case maximumBytesPerSecond(Double)

    /// The requirements with this change.
    public func applied(to requirements: QoSRequirements) -> QoSRequirements {
        var changed = requirements
        switch self {
        case .detectWithin(let bound): changed.detectWithin = bound
        case .mistakesEvery(let recurrence): changed.mistakesEvery = recurrence
        case .mistakeLasts(let duration): changed.mistakeLasts = duration
        case .minimumHeartbeats(let count): changed.minimumHeartbeats = count
        case .minimumInterval(let interval): changed.minimumInterval = interval
        case .maximumBytesPerSecond(let bytes): changed.maximumBytesPerSecond = bytes
        }
        return changed
    }
}

extension PlanRemedy: CustomStringConvertible {
    /// The change as a sentence for people.
    public var description: String {
        switch self {
        case .detectWithin(let bound): "a bound of \(bound.text) would do"
        case .mistakesEvery(let recurrence):
            "mistakes \(PlanText.span(seconds: recurrence.inSeconds)) apart can be certified"
        case .mistakeLasts(let duration): "it would do if a mistake may last \(duration.text)"
        case .minimumHeartbeats(1): "1 heartbeat in the bound would do"
        case .minimumHeartbeats(let count): "\(count) heartbeats in the bound would do"
        case .minimumInterval(let interval): "it would do if the interval may be as short as \(interval.text)"
        case .maximumBytesPerSecond(let bytes): "\(PlanText.number(bytes)) bytes a second would do"
        }
    }
}
