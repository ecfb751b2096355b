//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

#if os(Linux)
/// A thread of its own, for calls that block; its result is waited for.
final class TestThread {
    private var thread = pthread_t()

    /// What the thread does, and what came of it.
    ///
    /// SAFETY: written by the thread alone, and read after pthread_join alone.
    private final class Work: @unchecked Sendable {
        let body: @Sendable () -> [UInt8]
        var result: [UInt8] = []

        init(_ body: @escaping @Sendable () -> [UInt8]) {
            self.body = body
        }
    }

    private let work: Work

    init(_ body: @escaping @Sendable () -> [UInt8]) throws {
        let work = Work(body)
        self.work = work
        let created = pthread_create(
            &self.thread,
            nil,
            { context in
                guard let context else { return nil }
                let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
                work.result = work.body()
                return nil
            },
            Unmanaged.passRetained(work).toOpaque()
        )
        try #require(created == 0)
    }

    /// Waits for the thread's end.
    func join() -> [UInt8] {
        pthread_join(self.thread, nil)
        return self.work.result
    }
}
#endif
