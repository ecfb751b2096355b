//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import NIOCore
import NIOPosix

/// Listens on a port of the loopback interface and accepts nobody.
///
/// Where its queue is full, who connects hangs. Where there is room, the kernel opens the connection and nobody ever
/// reads from it or closes it.
struct DeafListener {
    let port: Int

    /// Listens while `test` runs; connections hang unless `hasRoom`.
    static func run<Result: Sendable>(
        hasRoom: Bool = false,
        test: (DeafListener) async throws -> Result
    ) async throws -> Result {
        let group = MultiThreadedEventLoopGroup.singleton
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(hasRoom ? 64 : 0))
            .serverChannelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = listener.localAddress?.port ?? 0
        // Linux takes one connection more than the length of the queue.
        let filler = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: port).get()
        let outcome: Swift.Result<Result, any Error>
        do { outcome = .success(try await test(DeafListener(port: port))) } catch { outcome = .failure(error) }
        try await filler.close()
        try await listener.close()
        return try outcome.get()
    }
}
