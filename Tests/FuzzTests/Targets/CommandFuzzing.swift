//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket

#if canImport(belay)
@testable import belay
#endif

/// Reads what the command line reads by itself.
enum CommandFuzzing {
    static func run(_ bytes: [UInt8]) throws(FuzzFinding) {
        let text = String(decoding: bytes, as: UTF8.self)
        switch Result(catching: { () throws(SwarmFault.ParseError) in try SwarmFault(text: text) }) {
        case .success(let fault):
            let isInRange = fault.percent > 0 && fault.percent <= 100 && fault.at >= .zero && fault.spread >= .zero
            try mustHold(isInRange && fault.end <= .seconds(3 * 86_400), "\(fault)")
        case .failure(let error):
            try mustBeHarmless(error.description)
        }
        switch Result(catching: { () throws(ProbeTarget.ParseError) in try ProbeTarget(text: text) }) {
        case .success(.service(let host, let port)):
            try mustHold(!host.isEmpty && (1...65_535).contains(port), "'\(text)' is port \(port) of '\(host)'")
        case .success(.descriptor(let pid, let descriptor)):
            try mustHold(pid > 0 && descriptor >= 0, "'\(text)' is \(descriptor) of \(pid)")
        case .success(.pair(let local, let remote)):
            let again = try? ProbeTarget(text: "\(local),\(remote)")
            try mustHold(again == .pair(local, remote), "'\(text)' is \(String(describing: again)) when it comes back")
        case .failure(let error):
            try mustBeHarmless(error.description)
        }
        if let event = ServerEvent(line: bytes.span.bytes) {
            let times = [event.time, event.openedAt]
            if case .closed(let reason) = event.kind { try mustBeHarmless(reason) }
            try mustHold(times.allSatisfy { $0 >= 0 && $0 < 253_402_400_000_000 }, "\(event)")
        }
        if let clock = WallClock(text: text) {
            // Days beyond the end of a month, and hours beyond that of a day, are passed on to the next.
            try mustHold(WallClock(text: clock.text) == clock, "'\(text)' is \(clock.text)")
        }
    }
}
