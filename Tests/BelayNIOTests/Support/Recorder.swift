//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Synchronization

/// What happened, in order, for tests that wait for it.
final class Recorder<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var watchers: [AsyncStream<Void>.Continuation] = []
    }

    private let state = Mutex(State())

    /// Everything that was recorded.
    var elements: [Element] { self.state.withLock { $0.elements } }

    func record(_ element: Element) {
        let watchers = self.state.withLock { state in
            state.elements.append(element)
            return state.watchers
        }
        for watcher in watchers { watcher.yield() }
    }

    /// Waits until `find` finds what it looks for in everything that was recorded.
    ///
    /// - Throws: `CancellationError` when the test's time is over.
    func wait<Result: Sendable>(until find: ([Element]) -> Result?) async throws -> Result {
        let (recorded, watcher) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.state.withLock { $0.watchers.append(watcher) }
        watcher.yield()
        for await _ in recorded {
            if let result = find(self.elements) { return result }
        }
        throw CancellationError()
    }

    /// Waits for the first element for which `select` gives something.
    func first<Result: Sendable>(_ select: (Element) -> Result?) async throws -> Result {
        try await self.wait { elements in
            for element in elements {
                if let result = select(element) { return result }
            }
            return nil
        }
    }
}

extension Recorder: EventSink where Element == Event {}

extension Recorder where Element == Event {
    /// The types of all events, without their prefix.
    var types: [String] { self.elements.map { String($0.type.dropFirst("dev.belay.".count)) } }

    /// The reasons of all closed connections.
    var reasons: [DisconnectReason] { self.elements.compactMap(\.closed?.reason) }

    /// Waits until so many connections have been opened.
    func opened(atLeast count: Int = 1) async throws {
        _ = try await self.wait { events in
            events.count { if case .connectionOpened = $0.kind { true } else { false } } >= count ? true : nil
        }
    }

    /// Waits for the end of the first connection that ends.
    func firstClosed() async throws -> (summary: ConnectionSummary, reason: DisconnectReason) {
        try await self.first(\.closed)
    }

    /// Waits until so many connections have ended.
    func closed(atLeast count: Int) async throws -> [DisconnectReason] {
        try await self.wait { events in
            let reasons = events.compactMap(\.closed?.reason)
            return reasons.count >= count ? reasons : nil
        }
    }
}

extension Event {
    /// What is known about a connection that ended, if this is about one.
    var closed: (summary: ConnectionSummary, reason: DisconnectReason)? {
        guard case .connectionClosed(let summary, let reason) = self.kind else { return nil }
        return (summary, reason)
    }
}
