//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import Logging
import Synchronization

/// The options that a kernel refused, so that each is logged once.
final class RefusedOptions: Sendable {
    /// Of this process: handlers in pipelines of others share nothing else.
    static let shared = RefusedOptions()

    private let known = Mutex<Set<RefusedOption>>([])

    func note(_ refused: [RefusedOption], _ logger: Logger?) {
        guard !refused.isEmpty, let logger else { return }
        let new = self.known.withLock { known in refused.filter { known.insert($0).inserted } }
        for option in new {
            logger.debug(
                "the kernel refused a socket option; heartbeats judge without it",
                metadata: ["option": "\(option.name)", "errno": "\(option.errno.name)"]
            )
        }
    }
}
