//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import BelaySocket

/// The decision from facts to state, cell by cell.
@Suite struct ConnectionProbeDecisionTests {
    private typealias Facts = ConnectionProbe.Facts
    private typealias State = ConnectionProbe.State

    private static let everyEvent = (0..<16).map { ConnectionProbe.Events(rawValue: $0) }
    private static let everyError: [ErrorNumber?] = [nil, .connectionReset, .brokenPipe, .timedOut, .hostUnreachable]

    /// What a TCP state means while nothing more can be received (`ended`) and while it can.
    private func expected(_ state: TCPState, ended: Bool, _ error: ErrorNumber?) -> State {
        switch state {
        case .established: ended ? .halfClosed(.receiving) : .open
        case .synSent, .synReceived, .newSynReceived: .connecting
        case .finWait1, .finWait2: ended ? .closedLocally : .halfClosed(.sending)
        case .closeWait, .lastAck, .closing, .timeWait: .closedByPeer
        case .listen: .listening
        case .closed:
            switch error {
            case .connectionReset, .brokenPipe: .reset
            case .some(let errno): .failed(errno)
            case nil: ended ? .over : .notConnected
            }
        }
    }

    @Test("with TCP's own state, only it, the end of receiving and the error count", arguments: TCPState.allCases)
    func withState(state: TCPState) {
        for events in Self.everyEvent {
            for error in Self.everyError {
                for queue in ConnectionProbe.Queue.allCases {
                    let facts = Facts(events: events, error: error, queue: queue, tcpState: state)
                    #expect(facts.state == self.expected(state, ended: events.contains(.receivingEnded), error))
                    #expect(facts.hasEnded == (state == .closed && error != nil))
                }
            }
        }
    }

    @Test("without TCP's own state, an error is the end of the connection")
    func errorsWithoutState() {
        for events in Self.everyEvent {
            for queue in ConnectionProbe.Queue.allCases {
                #expect(Facts(events: events, error: .connectionReset, queue: queue).state == .reset)
                #expect(Facts(events: events, error: .brokenPipe, queue: queue).state == .reset)
                #expect(Facts(events: events, error: .timedOut, queue: queue).state == .failed(.timedOut))
                #expect(Facts(events: events, error: .timedOut, queue: queue).hasEnded)
            }
        }
    }

    /// Without TCP's own state and without an error: rows are events, columns are what the queue shows.
    private static let without: [(ConnectionProbe.Events, unread: State, end: State, empty: State)] = [
        ([], .open, .closedByPeer, .open),
        (.receivingEnded, .closedByPeer, .closedByPeer, .closedByPeer),
        (.hungUp, .notConnected, .notConnected, .notConnected),
        ([.hungUp, .receivingEnded], .over, .over, .over),
    ]

    @Test("without TCP's own state and without an error, poll and the queue tell the rest")
    func withoutState() {
        for (events, unread, end, empty) in Self.without {
            for ignored: ConnectionProbe.Events in [[], .readable, .error, [.readable, .error]] {
                let events = events.union(ignored)
                #expect(Facts(events: events, queue: .unread).state == unread)
                #expect(Facts(events: events, queue: .end).state == end)
                #expect(Facts(events: events, queue: .empty).state == empty)
                #expect(Facts(events: events, queue: .notConnected).state == .notConnected)
            }
        }
    }

    @Test("each state is one plain line of its own")
    func descriptions() {
        let states: [State] = [
            .open, .halfClosed(.sending), .halfClosed(.receiving), .closedLocally, .closedByPeer, .reset,
            .failed(.timedOut), .over, .connecting, .notConnected, .listening, .notTCP,
        ]
        #expect(Set(states.map(\.description)).count == states.count)
        #expect(states.allSatisfy { !$0.description.contains("\n") && !$0.description.isEmpty })
        #expect("\(State.failed(.timedOut))" == "failed: ETIMEDOUT")
        #expect("\(State.halfClosed(.sending))" == "half closed: we send nothing more")
    }
}
