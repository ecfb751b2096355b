//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// A descriptor of a process that is open on a socket.
public struct SocketOwner: Hashable, Sendable {
    /// The process.
    public var pid: Int32
    /// The name of the process's program, 15 bytes at most, as `/proc/PID/comm` has it; nil where the process ended
    /// meanwhile.
    ///
    /// A process may give itself any name, control characters included.
    public var command: String?
    /// The number of the descriptor in that process.
    public var descriptor: Int32
}
