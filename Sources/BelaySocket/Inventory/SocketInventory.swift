//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// The TCP sockets of this host, of any program, as the kernel has them in its tables.
///
/// The kernel is asked by socket diagnostics over netlink (sock_diag(7)), as `ss` does. No socket is touched and no
/// process is stopped; no privilege is needed but for ``destroy(_:)``. To find who holds a socket, see
/// ``SocketOwners``.
///
/// ```swift
/// for socket in try SocketInventory.sockets(matching: .connections) {
///     print(socket.local, socket.remote as Any, socket.state.name, socket.tcpInfo?.lastDataReceived as Any)
/// }
/// ```
///
/// Limits:
/// * Linux only; elsewhere everything throws ``InventoryError/Code/unsupported``.
/// * The kernel shows one network namespace, that of this process: a container sees its own connections only.
/// * The tables change while they are read, so that a list is not the state at one moment.
/// * A socket that is neither bound, connected nor listening is in no table.
///
/// Every call opens a netlink socket of its own and closes it; none of them keeps state. The calls block for as long as
/// the kernel needs (20,000 sockets: some 50 ms), therefore not on an event loop.
public enum SocketInventory {
    /// The sockets that match.
    ///
    /// A pass in which the kernel saw its tables change, or answers were lost, is repeated up to three times. Takes
    /// about 100 bytes for each socket, and 510 more with all details.
    ///
    /// - Parameters:
    ///   - filter: which sockets; all by default.
    ///   - details: what is asked of each; everything by default.
    /// - Returns: the sockets in the kernel's order, IPv4 before IPv6.
    /// - Throws: ``InventoryError`` with `inconsistent` when no pass was undisturbed (``forEach(matching:details:_:)``
    ///   takes what comes), `unsupported`, `noAnswer`, `malformedAnswer` or `failed`.
    public static func sockets(
        matching filter: SocketFilter = .all,
        details: SocketDetails = .all
    ) throws(InventoryError) -> [SocketEntry] {
        try self.sockets(matching: filter, details: details, through: .system)
    }

    /// Tells the sockets that match one by one, without a list of them.
    ///
    /// A pass in which the kernel saw its tables change is not repeated: the summary says so.
    ///
    /// - Parameters:
    ///   - filter: which sockets; all by default.
    ///   - details: what is asked of each; everything by default.
    ///   - body: called for each socket; a slow one makes the pass longer, and so less of one moment.
    /// - Returns: how the pass went.
    /// - Throws: ``InventoryError`` with `unsupported`, `inconsistent` when answers were lost, `noAnswer`,
    ///   `malformedAnswer` or `failed`; what came until then was told.
    @discardableResult
    public static func forEach(
        matching filter: SocketFilter = .all,
        details: SocketDetails = .all,
        _ body: (SocketEntry) -> Void
    ) throws(InventoryError) -> InventorySummary {
        try self.visit(matching: filter, details: details, through: .system) { (entry) in
            body(entry)
            return true
        }
    }

    /// The connection between these two addresses.
    ///
    /// The kernel looks it up by its hash. What it does not find so, such as connections bound to an interface, is
    /// searched for in its tables. An IPv6 socket that speaks IPv4 is found by its IPv4 addresses, or by the same
    /// addresses mapped into IPv6.
    ///
    /// - Parameters:
    ///   - local: the end of this host. Where both ends are on this host, exchanged addresses name the other end.
    ///   - remote: the far end.
    /// - Returns: nil where there is no such connection in this network namespace.
    /// - Throws: ``InventoryError`` with `unsupported`, `noAnswer`, `malformedAnswer`, `inconsistent` or `failed`.
    public static func find(
        local: TransportAddress,
        remote: TransportAddress
    ) throws(InventoryError) -> SocketEntry? {
        try self.find(local: local, remote: remote, through: .system)
    }

    /// The TCP socket with this inode, such as ``inode(ofProcess:descriptor:)`` returns.
    ///
    /// The kernel has no table by inode: all sockets are gone through.
    ///
    /// - Returns: nil where the socket is no TCP socket, is in no table (see ``SocketInventory``), or is of another
    ///   network namespace.
    /// - Throws: ``InventoryError`` with `unsupported`, `noAnswer`, `malformedAnswer`, `inconsistent` or `failed`.
    public static func find(inode: UInt32) throws(InventoryError) -> SocketEntry? {
        try self.find(inode: inode, through: .system)
    }

    /// Ends a connection at once as the kernel's `tcp_abort` does (SOCK_DESTROY, Linux 4.5 on).
    ///
    /// The peer gets RST; a program that holds the socket gets ECONNABORTED at its next call. Exactly this socket is
    /// ended: a later one with the same addresses has another ``SocketEntry/cookie``.
    ///
    /// - Throws: ``InventoryError`` with `gone` when the socket is no longer there, `notPermitted` without
    ///   CAP_NET_ADMIN, `unsupported` by a kernel without CONFIG_INET_DIAG_DESTROY, `noAnswer`, `malformedAnswer` or
    ///   `failed`.
    public static func destroy(_ entry: SocketEntry) throws(InventoryError) {
        try self.destroy(entry, through: .system)
    }
}

extension SocketInventory {
    /// How often a list is begun before an inconsistent one is an error.
    private static let attempts = 4

    static func sockets(
        matching filter: SocketFilter,
        details: SocketDetails,
        through calls: SystemCalls
    ) throws(InventoryError) -> [SocketEntry] {
        var sockets: [SocketEntry] = []
        var lost: InventoryError?
        for _ in 0..<Self.attempts {
            sockets.removeAll(keepingCapacity: true)
            do throws(InventoryError) {
                let summary = try self.visit(matching: filter, details: details, through: calls) { (entry) in
                    sockets.append(entry)
                    return true
                }
                if summary.isConsistent { return sockets }
            } catch {
                guard error.code == .inconsistent else { throw error }
                lost = error
            }
        }
        let message = "the kernel's table of sockets changed while it was read, \(Self.attempts) times in a row"
        throw lost ?? InventoryError(.inconsistent, message)
    }

    static func find(inode: UInt32, through calls: SystemCalls) throws(InventoryError) -> SocketEntry? {
        var filter = SocketFilter()
        filter.inodes = [inode]
        return try self.first(matching: filter, through: calls) { _ in true }
    }

    static func find(
        local: TransportAddress,
        remote: TransportAddress,
        through calls: SystemCalls
    ) throws(InventoryError) -> SocketEntry? {
        guard local.family == remote.family else { return nil }
        // The kernel answers with a listening socket where it has no connection.
        func isWanted(_ entry: SocketEntry) -> Bool { entry.local == local && entry.remote == remote }
        if let entry = try self.lookUp(local: local, remote: remote, through: calls), isWanted(entry) { return entry }
        var filter = SocketFilter()
        filter.family = local.family
        filter.localPort = local.port
        filter.remotePort = remote.port
        return try self.first(matching: filter, through: calls, where: isWanted)
    }

    private static func first(
        matching filter: SocketFilter,
        through calls: SystemCalls,
        where isWanted: (SocketEntry) -> Bool
    ) throws(InventoryError) -> SocketEntry? {
        var found: SocketEntry?
        try self.visit(matching: filter, details: .all, through: calls) { (entry) in
            if isWanted(entry) { found = entry }
            return found == nil
        }
        return found
    }
}
