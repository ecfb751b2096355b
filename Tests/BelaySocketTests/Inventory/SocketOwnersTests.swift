//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import BelaySocket

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

#if os(Linux)
/// Who holds a socket, in the real `/proc` and in scripted ones.
@Suite struct SocketOwnersTests {
    // MARK: - Real

    @Test("this process is found as the owner of its sockets, with descriptor and name")
    func real() throws {
        let loopback = try Loopback()
        let entry = try loopback.serverEntry()
        let ours = try SocketOwners.ofProcess(getpid())
        #expect(ours.unreadableProcesses == 0)
        let owner = try #require(ours.owners(of: entry).first)
        #expect(ours.owners(of: entry).count == 1)
        #expect(owner.pid == getpid() && owner.descriptor == loopback.server)
        var room = [UInt8](repeating: 0, count: 64)
        let count = try room.withUnsafeMutableBytes { try SystemCalls.system.readFile("/proc/self/comm", $0) }
        #expect(owner.command == String(decoding: room.prefix(count - 1), as: UTF8.self))
        #expect(try SocketOwners.all().owners(of: entry).contains(owner))
        #expect(ours.inodes.contains(try #require(entry.inode)))
    }

    @Test("a socket has an owner for each of its descriptors")
    func duplicate() throws {
        let loopback = try Loopback()
        let copy = dup(loopback.server)
        defer { close(copy) }
        let owners = try SocketOwners.ofProcess(getpid()).owners(of: loopback.serverEntry())
        #expect(owners.map(\.descriptor) == [loopback.server, copy].sorted())
    }

    @Test("the sockets of one process are listed by its inodes")
    func ofProcess() throws {
        let loopback = try Loopback()
        var filter = SocketFilter()
        filter.inodes = try SocketOwners.ofProcess(getpid()).inodes
        #expect(try Set(loopback.listed(filter).map(\.cookie)) == Set(loopback.cookies))
        filter.inodes?.remove(try #require(try loopback.clientEntry().inode))
        #expect(try Set(loopback.listed(filter).map(\.cookie)) == Set(loopback.cookies.dropFirst()))
    }

    @Test("a descriptor of a process leads to its inode and connection")
    func inode() throws {
        let loopback = try Loopback()
        let inode = try SocketInventory.inode(ofProcess: getpid(), descriptor: loopback.client)
        #expect(try SocketInventory.find(inode: inode)?.local == loopback.clientAddress)
    }

    @Test("a descriptor that leads to no socket says why")
    func noInode() throws {
        var ends: [Int32] = [-1, -1]
        try #require(Self.makePipe(&ends))
        defer { for end in ends { close(end) } }
        func failure(_ pid: Int32, _ descriptor: Int32) -> InventoryError? {
            #expect(throws: InventoryError.self) {
                try SocketInventory.inode(ofProcess: pid, descriptor: descriptor)
            }
        }
        let pid = getpid()
        #expect(failure(pid, ends[0])?.code == .notASocket)
        #expect(failure(pid, ends[0])?.message == "descriptor \(ends[0]) of process \(pid) is not a socket")
        #expect(failure(pid, 1 << 30)?.code == .noSuchDescriptor)
        #expect(failure(pid, -1)?.message == "process \(pid) has no descriptor -1")
        #expect(failure(-1, 0)?.code == .noSuchProcess)
        #expect(failure(.max, 0)?.message == "there is no process 2147483647")
    }

    @Test("a process that is not there has no list of sockets")
    func noProcess() {
        for pid in [-1, 0, Int32.max] {
            let error = #expect(throws: InventoryError.self) { try SocketOwners.ofProcess(pid) }
            #expect(error?.code == .noSuchProcess)
        }
    }

    private static func makePipe(_ ends: inout [Int32]) -> Bool { pipe(&ends) == 0 }

    // MARK: - Scripted

    private static let processes = ScriptedProcesses(processes: [
        10: .init(
            command: "server",
            descriptors: [
                3: .success("socket:[700]"), 4: .success("pipe:[700]"), 5: .success("/dev/null"),
                6: .success("socket:[701]"), 7: .failure(.noSuchEntry),
            ]
        ),
        11: .init(command: nil, descriptors: [3: .success("socket:[700]")]),
        12: .init(refusal: .permissionDenied),
        13: .init(descriptors: [1: .success("socket:[702]"), 2: .failure(.permissionDenied)]),
        14: .init(command: "two\nlines", descriptors: [9: .success("socket:[4294967295]")]),
        15: .init(descriptors: [1: .success("socket:[703]")], brokenOff: .noSuchProcess),
    ])

    @Test("a socket that processes share has each of them, in order")
    func shared() throws {
        let owners = try SocketOwners.all(through: Self.processes.calls)
        #expect(
            owners[700] == [
                SocketOwner(pid: 10, command: "server", descriptor: 3),
                SocketOwner(pid: 11, command: nil, descriptor: 3),
            ]
        )
        #expect(owners[701].map(\.descriptor) == [6])
        #expect(owners[699].isEmpty && owners[703].isEmpty && owners[0].isEmpty)
        #expect(owners[.max].map(\.command) == ["two\nlines"])
        #expect(owners.inodes == [700, 701, 702, .max])
        let orphan = try #require(DiagnosticsEntry(inode: 0).read)
        #expect(owners.owners(of: orphan).isEmpty)
    }

    @Test("processes that tell nothing, or not everything, are counted; those that ended are not")
    func unreadable() throws {
        let owners = try SocketOwners.all(through: Self.processes.calls)
        #expect(owners.unreadableProcesses == 2)
        // What was seen of it is kept.
        #expect(owners[702].map(\.pid) == [13])
    }

    @Test("one process that may not be looked into is an error")
    func oneUnreadable() {
        let error = #expect(throws: InventoryError.self) {
            try SocketOwners.ofProcess(12, through: Self.processes.calls)
        }
        #expect(error?.code == .notPermitted)
        #expect(error?.message == "process 12 may not be looked into: this needs root (CAP_SYS_PTRACE)")
        let descriptor = #expect(throws: InventoryError.self) {
            try SocketInventory.inode(ofProcess: 12, descriptor: 3, through: Self.processes.calls)
        }
        #expect(descriptor?.code == .notPermitted)
        #expect(
            descriptor?.message == "descriptor 3 of process 12 may not be looked into: this needs root (CAP_SYS_PTRACE)"
        )
    }

    @Test("an error of our own is not taken for an empty process")
    func ownFailure() {
        let full = ScriptedProcesses(processes: [10: .init(refusal: .tooManyOpenFiles)])
        let error = #expect(throws: InventoryError.self) { try SocketOwners.all(through: full.calls) }
        #expect(error?.code == .failed)
        #expect(error?.message == "the descriptors of process 10 cannot be listed: EMFILE")
    }

    @Test("a system without /proc is not supported")
    func withoutProc() {
        let none = ScriptedProcesses(refusal: .noSuchEntry).calls
        for look: () throws -> Void in [
            { _ = try SocketOwners.all(through: none) }, { _ = try SocketOwners.ofProcess(1, through: none) },
            { _ = try SocketInventory.inode(ofProcess: 1, descriptor: 1, through: none) },
        ] {
            let error = #expect(throws: InventoryError.self, performing: look)
            #expect(error?.code == .unsupported)
        }
        let closed = ScriptedProcesses(refusal: .permissionDenied).calls
        let error = #expect(throws: InventoryError.self) { try SocketOwners.all(through: closed) }
        #expect(error?.message == "/proc cannot be listed: EACCES")
    }

    @Test(
        "only the target of a socket's link has an inode",
        arguments: [
            ("socket:[0]", 0), ("socket:[4294967295]", UInt32.max), ("socket:[4294967296]", nil), ("socket:[]", nil),
            ("socket:[+1]", nil), ("socket:[-1]", nil), ("socket:[1", nil), ("socket:1]", nil), ("socket:[", nil),
            ("", nil), ("anon_inode:[1]", nil), ("socket:[1] (deleted)", nil), ("socket:[12x]", nil),
        ] as [(String, UInt32?)]
    )
    func targets(target: String, inode: UInt32?) {
        let read = Array(target.utf8).withUnsafeBytes { ProcessFiles.socketInode(inTarget: $0) }
        #expect(read == inode)
    }

    @Test("only a name of digits is a number")
    func names() {
        for (name, number) in [
            ("0", 0), ("12", 12), ("2147483647", Int32.max), ("2147483648", nil), ("", nil), (".", nil), ("..", nil),
            ("self", nil), ("1a", nil), ("-1", nil), ("99999999999999999999", nil),
        ] as [(String, Int32?)] {
            let bytes = Array(name.utf8) + [0, 0x31]
            #expect(bytes.withUnsafeBytes { SystemCalls.number(inName: $0) } == number, "\(name)")
        }
        #expect(Array("12".utf8).withUnsafeBytes { SystemCalls.number(inName: $0) } == nil)
    }
}
#endif
