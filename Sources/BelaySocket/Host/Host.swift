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

    /// The time now in nanoseconds since 1970 (CLOCK_REALTIME), for what is compared with the time of events.
    package static var wallClockNanoseconds: Int64 { Self.nanoseconds(of: CLOCK_REALTIME) }

    /// The time now by a clock that never goes back, in nanoseconds (CLOCK_MONOTONIC).
    package static var monotonicNanoseconds: Int64 { Self.nanoseconds(of: CLOCK_MONOTONIC) }

    /// How long this process has been running on processors, in nanoseconds (CLOCK_PROCESS_CPUTIME_ID).
    package static var processorNanoseconds: Int64 { Self.nanoseconds(of: CLOCK_PROCESS_CPUTIME_ID) }

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
        guard getrlimit(Self.openFiles, &limit) == 0 else { return 1_024 }
        return Int(clamping: limit.rlim_cur)
    }

    /// Lets this process have as many files open as it may without privilege (the hard limit of RLIMIT_NOFILE).
    ///
    /// - Returns: how many that are.
    package static func raiseOpenFileLimit() -> Int {
        var limit = rlimit()
        guard getrlimit(Self.openFiles, &limit) == 0 else { return Self.openFileLimit }
        limit.rlim_cur = limit.rlim_max
        // Where it is refused the limit stays as it was, which is what is returned then.
        _ = setrlimit(Self.openFiles, &limit)
        return Self.openFileLimit
    }

    #if os(Linux)
    private static let openFiles = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
    #else
    private static let openFiles = RLIMIT_NOFILE
    #endif

    private static func nanoseconds(of clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
