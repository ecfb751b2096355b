//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// What a detector surely puts up with, so that a simulation need not look at heartbeats that cannot matter.
public struct DetectorTolerance: Hashable, Sendable {
    /// Whatever arrived before, there is no suspicion while one heartbeat arrives within this time from when the next one
    /// after the newest is sent.
    ///
    /// The margin of NFD-E, the shift of NFD-S, the timeout of a simple detector less the interval.
    public var patience: Duration
    /// Heartbeats that take longer are ignored; nil when none are.
    public var cutoff: Duration?
    /// Its state depends on no more than so many heartbeats, the last that arrived within the cutoff.
    public var memory: Int

    /// A tolerance.
    ///
    /// - Parameters:
    ///   - patience: how late heartbeats may be without any suspicion.
    ///   - cutoff: those that take longer are ignored.
    ///   - memory: how many heartbeats the state of the detector depends on.
    public init(patience: Duration, cutoff: Duration? = nil, memory: Int) {
        self.patience = patience
        self.cutoff = cutoff
        self.memory = memory
    }
}
