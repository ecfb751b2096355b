//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

/// What `/proc` tells of processes and their descriptors.
enum ProcessFiles {
    /// The inode of the socket that a link of `/proc/PID/fd` stands for; nil where it is something else.
    static func socketInode(of path: String, _ calls: SystemCalls) throws(ErrorNumber) -> UInt32? {
        try withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { (room) throws(ErrorNumber) in
            let length = try calls.readLink(path, room)
            return Self.socketInode(inTarget: .init(rebasing: room.prefix(max(0, length))))
        }
    }

    /// The inode in `socket:[123]`; nil for anything else.
    static func socketInode(inTarget target: UnsafeRawBufferPointer) -> UInt32? {
        let prefix = "socket:[".utf8
        guard target.starts(with: prefix), target.last == UInt8(ascii: "]") else { return nil }
        let digits = target.dropFirst(prefix.count).dropLast()
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return UInt32(String(decoding: digits, as: UTF8.self))
    }

    /// The name of the process's program.
    static func command(of pid: Int32, _ calls: SystemCalls) -> String? {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
            // A process that ended has no name; that is no error.
            guard let length = try? calls.readFile("/proc/\(pid)/comm", room) else { return nil }
            let text = room.prefix(max(0, length))
            return String(decoding: text.last == 0x0A ? text.dropLast() : text, as: UTF8.self)
        }
    }

    static func exists(_ path: String, _ calls: SystemCalls) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { room in
            // Any answer but "no such file" comes from a file that is there.
            do throws(ErrorNumber) { _ = try calls.readFile(path, room) } catch {
                return error != .noSuchEntry && error != .noSuchProcess
            }
            return true
        }
    }
}

extension SocketInventory {
    /// The inode of the socket that a process has open as this descriptor.
    ///
    /// - Parameters:
    ///   - pid: the process.
    ///   - descriptor: the number of the descriptor in that process.
    /// - Returns: the inode, of a socket of any protocol; ``find(inode:)`` leads to a TCP socket.
    /// - Throws: ``InventoryError`` with `noSuchProcess`, `noSuchDescriptor`, `notASocket`, `notPermitted` for the
    ///   process of another user, `unsupported` where there is no `/proc`, or `failed`.
    public static func inode(ofProcess pid: Int32, descriptor: Int32) throws(InventoryError) -> UInt32 {
        try self.inode(ofProcess: pid, descriptor: descriptor, through: .system)
    }

    static func inode(
        ofProcess pid: Int32,
        descriptor: Int32,
        through calls: SystemCalls
    ) throws(InventoryError) -> UInt32 {
        let name = "descriptor \(descriptor) of process \(pid)"
        do throws(ErrorNumber) {
            if let inode = try ProcessFiles.socketInode(of: "/proc/\(pid)/fd/\(descriptor)", calls) { return inode }
        } catch {
            switch error {
            case .noSuchEntry, .noSuchProcess:
                guard ProcessFiles.exists("/proc/self/comm", calls) else { throw .withoutProc }
                guard ProcessFiles.exists("/proc/\(pid)/comm", calls) else { throw .noSuchProcess(pid) }
                throw InventoryError(.noSuchDescriptor, "process \(pid) has no descriptor \(descriptor)", errno: error)
            case .permissionDenied, .notPermitted:
                throw .notPermitted(name, error)
            default:
                throw InventoryError("\(name) cannot be looked at", error)
            }
        }
        throw InventoryError(.notASocket, "\(name) is not a socket")
    }
}

extension InventoryError {
    static let withoutProc = InventoryError(.unsupported, "this system has no /proc")

    static func noSuchProcess(_ pid: Int32) -> InventoryError {
        InventoryError(.noSuchProcess, "there is no process \(pid)")
    }

    static func notPermitted(_ name: String, _ errno: ErrorNumber) -> InventoryError {
        InventoryError(.notPermitted, "\(name) may not be looked into: this needs root (CAP_SYS_PTRACE)", errno: errno)
    }
}
