//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import NIOCore
import Synchronization

/// Counts the connections of a server and refuses those beyond its limits.
final class Admission: ReleaseObserver {
    private struct State {
        var total = 0
        var byAddress: [String: Int] = [:]
        var waiting: [Signal] = []
    }

    private let limit: Int
    private let limitPerAddress: Int?
    private let state = Mutex(State())

    init(limit: Int, limitPerAddress: Int?) {
        self.limit = limit
        self.limitPerAddress = limitPerAddress
    }

    /// How many connections hold a descriptor, refused ones included.
    var count: Int { self.state.withLock { $0.total } }

    /// Takes note of a connection; ``released(_:)`` must follow in any case.
    ///
    /// - Returns: why it must be refused, or nil.
    func opened(_ address: SocketAddress?) -> DisconnectCause? {
        self.state.withLock { state in
            state.total += 1
            var held = 0
            if self.limitPerAddress != nil, let key = address?.ipAddress {
                held = state.byAddress[key, default: 0] + 1
                state.byAddress[key] = held
            }
            if state.total > self.limit {
                return .decided(.tooManyConnections, detail: "the limit of \(self.limit) connections is reached")
            }
            if let limitPerAddress, held > limitPerAddress {
                return .decided(
                    .tooManyConnections,
                    detail: "the limit of \(limitPerAddress) connections per address is reached"
                )
            }
            return nil
        }
    }

    /// The connection's descriptor is free.
    func released(_ address: SocketAddress?) {
        let waiting = self.state.withLock { state -> [Signal] in
            state.total -= 1
            if self.limitPerAddress != nil, let key = address?.ipAddress, let held = state.byAddress[key] {
                state.byAddress[key] = held > 1 ? held - 1 : nil
            }
            guard state.total == 0 else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for signal in waiting { signal.fire() }
    }

    /// Waits until no connection is left, or the task is cancelled unless `inAnyCase`.
    func waitUntilEmpty(inAnyCase: Bool = false) async {
        let empty = Signal()
        let isEmpty = self.state.withLock { state in
            if state.total > 0 { state.waiting.append(empty) }
            return state.total == 0
        }
        guard !isEmpty else { return }
        if inAnyCase { await empty.waitInAnyCase() } else { await empty.wait() }
    }
}
