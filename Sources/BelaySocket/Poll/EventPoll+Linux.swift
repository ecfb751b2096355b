//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

#if os(Linux)
package import BelayCore
import CBelayLinux

/// Watches many sockets at once: a thin layer over epoll(7), for one thread.
///
/// Edge-triggered: a socket is reported when something happened to it, and must then be read until nothing is left. So a
/// socket costs one system call to watch, whatever is waited for, and one that is left unread costs nothing.
package struct EventPoll: ~Copyable {
    private static let room = 256

    private let descriptor: Int32
    private let events: UnsafeMutablePointer<belay_poll_event>

    /// - Throws: the error of the kernel.
    package init() throws(ErrorNumber) {
        self.descriptor = try SystemCalls.returned { belay_poll_open() }
        self.events = .allocate(capacity: Self.room)
    }

    deinit {
        SystemCalls.system.close(self.descriptor)
        self.events.deallocate()
    }

    /// Watches a socket until it is closed; `token` is what it is called.
    package borrowing func add(_ socket: Descriptor, token: UInt64) throws(ErrorNumber) {
        _ = try SystemCalls.returned { belay_poll_add(self.descriptor, socket.rawValue, token) }
    }

    /// Waits until something happened, and tells what: at most for so many milliseconds, and for a signal.
    ///
    /// - Returns: whether there may be more, because as much as fits was told.
    @discardableResult
    package borrowing func wait(
        milliseconds: Int32,
        _ body: (UInt64, Readiness) -> Void
    ) throws(ErrorNumber) -> Bool {
        let count = belay_poll_wait(self.descriptor, self.events, Int32(Self.room), milliseconds)
        guard count >= 0 else {
            let number = ErrorNumber.last
            guard number == .interrupted else { throw number }
            return false
        }
        for index in 0..<Int(count) {
            body(self.events[index].token, Readiness(rawValue: self.events[index].events))
        }
        return Int(count) == Self.room
    }
}
#endif
