//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

// What is expected of the connection.
extension ConnectionMachineFixture {
    /// The close that was decided, and when.
    var end: (at: Duration, close: ConnectionMachine.Close)? {
        for case (let at, .closed(let close)) in self.decisions { return (at, close) }
        return nil
    }

    /// The close that was decided, and when; a test in which there is none stops here.
    func requireEnd(sourceLocation: SourceLocation = #_sourceLocation) throws -> (
        at: Duration, close: ConnectionMachine.Close
    ) {
        let end = self.end
        return try #require(end, sourceLocation: sourceLocation)
    }

    /// The first ping that was sent by schedule; a test in which there is none stops here.
    func requirePing(sourceLocation: SourceLocation = #_sourceLocation) throws -> (at: Duration, token: UInt64) {
        let pings = self.decisions.compactMap { at, decision -> (at: Duration, token: UInt64)? in
            if case .pinged(let token) = decision { (at, token) } else { nil }
        }
        return try #require(pings.first, sourceLocation: sourceLocation)
    }

    /// When pings went out, those at a suspicion included.
    var pings: [Duration] {
        self.decisions.compactMap { at, decision in
            switch decision {
            case .pinged, .suspected(_, .some): at
            default: nil
            }
        }
    }

    func times(of predicate: (Decision) -> Bool) -> [Duration] {
        self.decisions.filter { predicate($0.decision) }.map(\.at)
    }

    /// When the peer was suspected.
    var suspicions: [Duration] { self.times { if case .suspected = $0 { true } else { false } } }

    /// When the peer recovered.
    var recoveries: [Duration] { self.times { if case .recovered = $0 { true } else { false } } }

    var looks: [Duration] { self.times { if case .looked = $0 { true } else { false } } }

    func expectOpen(_ comment: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
        let code = self.end?.close.reason.code
        #expect(code == nil, comment, sourceLocation: sourceLocation)
    }

    /// Closed once, for this reason, in this time since the opening.
    func expectClosed(
        _ code: DisconnectReason.Code,
        in times: ClosedRange<Duration>? = nil,
        _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let count = self.times { if case .closed = $0 { true } else { false } }.count
        #expect(count == 1, comment, sourceLocation: sourceLocation)
        guard let (at, close) = self.end else { return }
        #expect(close.reason.code == code, comment, sourceLocation: sourceLocation)
        if let times {
            #expect(times.contains(at), comment, sourceLocation: sourceLocation)
        }
    }

    /// When a verdict on silence is punctual: never after the bound, and before it at most by the larger of 2 % of it
    /// and 5 ms (DESIGN section 10).
    static func punctual(_ bound: Duration, after proof: Duration = .zero) -> ClosedRange<Duration> {
        proof + bound - max(bound / 50, .milliseconds(5))...proof + bound
    }
}
