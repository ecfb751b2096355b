//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// How long round trips took, over all connections of one server or client.
///
/// Mean and deviation are exact; percentiles are to one percent (HdrHistogram with two significant digits).
public struct RoundTripSummary: Hashable, Sendable {
    /// How many were measured.
    public var count: Int
    /// Their mean.
    public var mean: Duration
    /// Their standard deviation.
    public var deviation: Duration
    /// Half of them took this long at most.
    public var median: Duration
    /// 90 % of them took this long at most.
    public var percentile90: Duration
    /// 99 % of them took this long at most.
    public var percentile99: Duration
    /// 99.9 % of them took this long at most.
    public var percentile999: Duration
    /// The longest one.
    public var longest: Duration
}
