//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

#if os(Linux)
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension SocketInventory {
    /// Tells the sockets that match until `body` returns false.
    @discardableResult
    static func visit(
        matching filter: SocketFilter,
        details: SocketDetails,
        through calls: SystemCalls,
        _ body: (SocketEntry) -> Bool
    ) throws(InventoryError) -> InventorySummary {
        try DiagnosticsSocket.with(calls) { (socket) throws(InventoryError) in
            var summary = InventorySummary()
            var goesOn = true
            // A socket that speaks IPv4 may be an IPv6 one.
            let families: [TransportAddress.Family] = filter.family == .ipv6 ? [.ipv6] : [.ipv4, .ipv6]
            for family in families where goesOn {
                let request = DiagnosticsRequest.dump(family, matching: filter, details: details)
                do throws(InventoryError) {
                    let answer = try socket.ask(request, .dump) { (bytes) in
                        guard let entry = SocketEntry(kernelBytes: bytes) else {
                            summary.notUnderstood += 1
                            return .goOn
                        }
                        guard filter.matches(entry) else { return .goOn }
                        summary.listed += 1
                        goesOn = body(entry)
                        return goesOn ? .goOn : .stop
                    }
                    if !answer.isConsistent { summary.isConsistent = false }
                } catch {
                    // No handler for the family: for IPv6 that is a kernel without it.
                    guard let errno = error.errno, errno == .noSuchEntry else { throw error }
                    guard family == .ipv6 else { throw .unsupportedKernel(errno) }
                }
            }
            return summary
        }
    }

    /// What the kernel has for this pair: the connection, a listening socket that would take it, or nothing.
    static func lookUp(
        local: TransportAddress,
        remote: TransportAddress,
        through calls: SystemCalls
    ) throws(InventoryError) -> SocketEntry? {
        try DiagnosticsSocket.with(calls) { (socket) throws(InventoryError) in
            var found: SocketEntry?
            do throws(InventoryError) {
                _ = try socket.ask(.connection(local: local, remote: remote), .lookup) { (bytes) in
                    found = SocketEntry(kernelBytes: bytes)
                    return .stop
                }
            } catch {
                guard error.errno == .noSuchEntry else { throw error }
            }
            return found
        }
    }

    static func destroy(_ entry: SocketEntry, through calls: SystemCalls) throws(InventoryError) {
        // Without its cookie a socket cannot be told from a later one.
        guard entry.cookie != .max else { throw .gone(entry, .noSuchEntry) }
        do throws(InventoryError) {
            try DiagnosticsSocket.with(calls) { (socket) throws(InventoryError) in
                _ = try socket.ask(.socket(entry), .destruction) { _ in .goOn }
            }
        } catch {
            guard let errno = error.errno else { throw error }
            switch errno.rawValue {
            case EPERM, EACCES:
                let message = "\(entry.pair) is not destroyed: this needs CAP_NET_ADMIN"
                throw InventoryError(.notPermitted, message, errno: errno)
            // Linux before 4.5 does not know the message.
            case EOPNOTSUPP, EINVAL:
                let message = "\(entry.pair) is not destroyed: this kernel is without CONFIG_INET_DIAG_DESTROY"
                throw InventoryError(.unsupported, message, errno: errno)
            // ESTALE: the addresses are those of another socket.
            case ENOENT, ESTALE:
                throw .gone(entry, errno)
            default:
                throw error
            }
        }
    }
}

extension InventoryError {
    fileprivate static func gone(_ entry: SocketEntry, _ errno: ErrorNumber) -> InventoryError {
        InventoryError(.gone, "\(entry.pair) is not there any more", errno: errno)
    }
}

extension SocketEntry {
    fileprivate var pair: String {
        guard let remote = self.remote else { return "the socket \(self.local)" }
        return "the connection \(self.local),\(remote)"
    }
}
#endif
