//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension EventPoll {
    /// What happened to a socket.
    package struct Readiness: OptionSet, Sendable {
        package var rawValue: UInt32

        package init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// There is something to read (EPOLLIN).
        package static let readable = Readiness(rawValue: 0x001)
        /// There is room to write, or the connection is made (EPOLLOUT).
        package static let writable = Readiness(rawValue: 0x004)
        /// There is an error to take (EPOLLERR).
        package static let failed = Readiness(rawValue: 0x008)
        /// Both halves are over (EPOLLHUP).
        package static let over = Readiness(rawValue: 0x010)
        /// The peer sends no more (EPOLLRDHUP).
        package static let ended = Readiness(rawValue: 0x2000)
    }
}
