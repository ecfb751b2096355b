//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

#if os(Linux)
/// The TCP sockets of this host, by port: other tests run beside and hold their own.
enum SocketTable {
    private struct Entry {
        let ports: [Int]
        let state: Substring
        let isHeld: Bool
    }

    /// How many sockets with this port at either end somebody holds a descriptor of.
    static func count(port: Int) -> Int {
        self.entries.count { $0.isHeld && $0.ports.contains(port) }
    }

    /// Whether a socket tries to connect to this port (state SYN_SENT).
    static func isConnecting(to port: Int) -> Bool {
        self.entries.contains { $0.state == "02" && $0.ports[1] == port }
    }

    /// The table as proc_net_tcp in the documentation of the kernel describes it.
    ///
    /// A socket that nobody holds any more has no inode.
    private static var entries: [Entry] {
        guard let table = fopen("/proc/net/tcp", "r") else { return [] }
        defer { fclose(table) }
        var entries: [Entry] = []
        var line = [UInt8](repeating: 0, count: 512)
        while line.withUnsafeMutableBytes({ fgets($0.baseAddress, 512, table) }) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }, as: UTF8.self).split(separator: " ")
            guard words.count > 9, words[0] != "sl" else { continue }
            let ports = words[1...2].compactMap { address in Int(address.suffix(4), radix: 16) }
            if ports.count == 2 { entries.append(Entry(ports: ports, state: words[3], isHeld: words[9] != "0")) }
        }
        return entries
    }
}
#endif

/// Waits for a fact of the kernel that nothing announces.
func eventually(
    _ what: Comment,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ isTrue: () async throws -> Bool
) async throws {
    for _ in 0..<4_000 {
        if try await isTrue() { return }
        try await Task.sleep(for: .milliseconds(5))
    }
    Issue.record(what, sourceLocation: sourceLocation)
}
