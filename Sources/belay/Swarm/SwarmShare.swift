//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser

/// The part of one process of a swarm: `INDEX/COUNT`.
struct SwarmShare: Equatable {
    /// From 0.
    var index: Int
    var count: Int

    /// Which of so many connections are its own: all processes together have each once.
    func numbers(of connections: Int) -> Range<Int> {
        connections * self.index / self.count..<connections * (self.index + 1) / self.count
    }
}

extension SwarmShare: ExpressibleByArgument {
    init?(argument: String) {
        let parts = argument.split(separator: "/").compactMap { Int($0) }
        guard parts.count == 2, parts[1] >= 1, parts[1] <= 10_000, 0..<parts[1] ~= parts[0] else { return nil }
        self.init(index: parts[0], count: parts[1])
    }
}
