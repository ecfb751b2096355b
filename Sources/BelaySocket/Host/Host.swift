//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What this host tells about itself: its clocks and this process's limits.
public enum Host {
    /// The time now, for people (CLOCK_REALTIME).
    public static var wallClock: WallClock {
        WallClock(millisecondsSince1970: Self.nanoseconds(of: CLOCK_REALTIME) / 1_000_000)
    }

    /// How long the machine has been suspended since it booted, in nanoseconds: CLOCK_BOOTTIME less CLOCK_MONOTONIC.
    ///
    /// Zero where the system has no such clock.
    public static var suspendedNanoseconds: Int64 {
        #if os(Linux)
        // Monotonic second: a preemption between the two calls must not look like a suspension.
        let sinceBoot = Self.nanoseconds(of: CLOCK_BOOTTIME)
        return max(0, sinceBoot - Self.nanoseconds(of: CLOCK_MONOTONIC))
        #else
        return 0
        #endif
    }

    /// How many files this process may have open (RLIMIT_NOFILE, the soft limit).
    public static var openFileLimit: Int {
        var limit = rlimit()
        #if os(Linux)
        let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
        #else
        let resource = RLIMIT_NOFILE
        #endif
        guard getrlimit(resource, &limit) == 0 else { return 1_024 }
        return Int(clamping: limit.rlim_cur)
    }

    private static func nanoseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
