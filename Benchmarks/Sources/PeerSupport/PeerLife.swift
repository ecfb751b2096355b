//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Glibc
public import NIOCore

/// The life of a server of the benchmarks: until SIGTERM, SIGINT or the end of its seconds.
public enum PeerLife {
    /// Blocks the signals that end it; to be called before there is any other thread, which then inherits that.
    public static func begin() {
        var signals = Self.signals
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    /// Says `READY PORT`, then waits for the end.
    public static func awaitEnd(of server: any Channel, within seconds: UInt32) {
        alarm(seconds)
        print("READY \(server.localAddress?.port ?? 0)")
        fflush(nil)
        var signals = Self.signals
        var received: Int32 = 0
        sigwait(&signals, &received)
    }

    private static var signals: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        for signal in [SIGTERM, SIGINT, SIGALRM] { sigaddset(&set, signal) }
        return set
    }
}
