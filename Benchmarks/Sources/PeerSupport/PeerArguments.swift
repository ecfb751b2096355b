//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Glibc

/// What every server of the benchmarks is called with: `PORT INTERVAL_MS SECONDS LOG`.
public struct PeerArguments: Sendable {
    /// Where to listen; 0 chooses one.
    public let port: Int
    /// Between two pings to a connection; the bound is twice that.
    public let intervalNanoseconds: UInt64
    /// How long to live.
    public let seconds: UInt32
    /// Where to write what ended, at the end.
    public let log: String

    /// Those of this process; without all of them it ends.
    public init() {
        let arguments = CommandLine.arguments
        guard arguments.count >= 5, let port = Int(arguments[1]), let interval = UInt64(arguments[2]), interval > 0,
            let seconds = UInt32(arguments[3])
        else {
            print("usage: \(arguments[0]) PORT INTERVAL_MS SECONDS LOG")
            exit(2)
        }
        self.port = port
        self.intervalNanoseconds = interval * 1_000_000
        self.seconds = seconds
        self.log = arguments[4]
    }
}
