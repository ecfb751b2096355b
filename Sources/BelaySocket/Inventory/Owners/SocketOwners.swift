//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// Which processes hold which sockets, found in one pass over `/proc`.
///
/// The sockets are those of every protocol, by inode; ``SocketEntry/inode`` leads from a TCP socket to its owners. A
/// socket has several where processes share it, as after `fork`. The result takes 12 bytes for each descriptor.
///
/// Limits: processes of other users are closed to who is not root (CAP_SYS_PTRACE); ``unreadableProcesses`` counts
/// them. Processes that `/proc` hides (`hidepid`, another PID namespace) are not even counted. A thread with a table of
/// descriptors of its own (`unshare(CLONE_FILES)`) is not looked into.
///
/// Source: `fs/proc/fd.c`, `sockfs_dname` of `net/socket.c`.
public struct SocketOwners: Sendable {
    /// How many processes could not be looked into for lack of permission: their sockets are without owners here.
    public private(set) var unreadableProcesses = 0

    private struct Holding {
        var inode: UInt32
        var pid: Int32
        var descriptor: Int32
    }

    // In the order of the inodes.
    private var holdings: [Holding] = []
    private var commands: [Int32: String] = [:]

    /// The owners of all sockets.
    ///
    /// A process that ends meanwhile is left out.
    ///
    /// - Throws: ``InventoryError`` with `unsupported` where there is no `/proc`, `failed` for an error of our own,
    ///   such as too many open files.
    public static func all() throws(InventoryError) -> SocketOwners { try self.all(through: .system) }

    /// The sockets of one process.
    ///
    /// Every process may look into itself.
    ///
    /// - Throws: ``InventoryError`` with `noSuchProcess`, `notPermitted`, `unsupported`, or `failed` for an error of our
    ///   own, such as too many open files.
    public static func ofProcess(_ pid: Int32) throws(InventoryError) -> SocketOwners {
        try self.ofProcess(pid, through: .system)
    }

    /// The owners of the socket with this inode, by process and descriptor.
    public subscript(inode: UInt32) -> [SocketOwner] {
        var low = 0
        var high = self.holdings.count
        while low < high {
            let middle = (low + high) / 2
            if self.holdings[middle].inode < inode { low = middle + 1 } else { high = middle }
        }
        return self.holdings[low...].prefix { $0.inode == inode }.map {
            SocketOwner(pid: $0.pid, command: self.commands[$0.pid], descriptor: $0.descriptor)
        }
    }

    /// The owners of a socket, by process and descriptor; none where only the kernel holds it.
    public func owners(of entry: SocketEntry) -> [SocketOwner] {
        entry.inode.map { self[$0] } ?? []
    }

    /// The inodes of all sockets that have an owner here, for ``SocketFilter/inodes``.
    public var inodes: Set<UInt32> { Set(self.holdings.lazy.map(\.inode)) }
}

extension SocketOwners {
    static func all(through calls: SystemCalls) throws(InventoryError) -> SocketOwners {
        var pids: [Int32] = []
        do throws(ErrorNumber) { try calls.numbers("/proc") { pids.append($0) } } catch {
            throw error == .noSuchEntry ? .withoutProc : InventoryError("/proc cannot be listed", error)
        }
        var owners = SocketOwners()
        for pid in pids {
            switch try owners.add(pid, through: calls) {
            case .looked, .ended: continue
            case .refused: owners.unreadableProcesses += 1
            }
        }
        owners.sort()
        return owners
    }

    static func ofProcess(_ pid: Int32, through calls: SystemCalls) throws(InventoryError) -> SocketOwners {
        var owners = SocketOwners()
        switch try owners.add(pid, through: calls) {
        case .looked: break
        case .ended: throw ProcessFiles.exists("/proc/self/comm", calls) ? .noSuchProcess(pid) : .withoutProc
        case .refused(let errno): throw .notPermitted("process \(pid)", errno)
        }
        owners.sort()
        return owners
    }

    private enum Look {
        case looked
        case ended
        case refused(ErrorNumber)
    }

    private mutating func add(_ pid: Int32, through calls: SystemCalls) throws(InventoryError) -> Look {
        let folder = "/proc/\(pid)/fd/"
        let before = self.holdings.count
        var look = Look.looked
        var failure: ErrorNumber?
        do throws(ErrorNumber) {
            try calls.numbers(folder) { (descriptor) in
                do throws(ErrorNumber) {
                    if let inode = try ProcessFiles.socketInode(of: folder + "\(descriptor)", calls) {
                        self.holdings.append(Holding(inode: inode, pid: pid, descriptor: descriptor))
                    }
                } catch {
                    // Descriptors are closed while we look.
                    if error != .noSuchEntry { failure = error }
                }
            }
            if let failure { throw failure }
        } catch {
            switch error {
            case .noSuchEntry, .noSuchProcess:
                self.holdings.removeLast(self.holdings.count - before)
                return .ended
            case .permissionDenied, .notPermitted:
                look = .refused(error)
            default:
                throw InventoryError("the descriptors of process \(pid) cannot be listed", error)
            }
        }
        if self.holdings.count > before { self.commands[pid] = ProcessFiles.command(of: pid, calls) }
        return look
    }

    private mutating func sort() {
        self.holdings.sort { ($0.inode, $0.pid, $0.descriptor) < ($1.inode, $1.pid, $1.descriptor) }
    }
}
