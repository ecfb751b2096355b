//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Synchronization

/// Where a server listens, once it does, for those who wait to know.
final class BoundEndpoints: Sendable {
    private let result = Mutex<Result<[Endpoint], any Error>?>(nil)
    private let known = Signal()

    /// The endpoints, empty while they are not known.
    var endpoints: [Endpoint] {
        self.result.withLock { (try? $0?.get()) ?? [] }
    }

    func succeed(_ endpoints: [Endpoint]) {
        self.result.withLock { $0 = .success(endpoints) }
        self.known.fire()
    }

    func fail(_ error: any Error) {
        self.result.withLock { $0 = .failure(error) }
        self.known.fire()
    }

    func wait() async throws -> [Endpoint] {
        await self.known.wait()
        guard let result = self.result.withLock({ $0 }) else { throw CancellationError() }
        return try result.get()
    }
}
