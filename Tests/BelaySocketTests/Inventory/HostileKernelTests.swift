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
/// Answers that no kernel should give, and some that it may.
@Suite struct HostileKernelTests {
    private static let entry = DiagnosticsEntry()

    private func list(_ kernel: ScriptedNetlink) throws(InventoryError) -> [SocketEntry] {
        try SocketInventory.sockets(matching: .all, details: .all, through: kernel.calls)
    }

    /// The error of a list, after which nothing may be left open.
    private func failure(_ datagrams: [ScriptedNetlink.Datagram], _ last: ScriptedNetlink.Datagram? = nil)
        -> InventoryError?
    {
        let kernel = ScriptedNetlink(datagrams, repeating: last)
        let error = #expect(throws: InventoryError.self) { try self.list(kernel) }
        #expect(kernel.isClosed)
        return error
    }

    @Test("both families are asked on one socket, which has a time limit and is closed")
    func wellBehaved() throws {
        let kernel = ScriptedNetlink([
            .messages([.socket(Self.entry.bytes), .socket(Self.entry.bytes)]), .messages([.done]),
            .messages([.socket(DiagnosticsEntry(family: 10).bytes), .done]),
        ])
        #expect(try self.list(kernel).map(\.socketFamily) == [.ipv4, .ipv4, .ipv6])
        #expect(kernel.opened == 1 && kernel.isClosed)
        #expect(kernel.options == [SO_RCVTIMEO])
        #expect(kernel.requests.map { $0[16] } == [UInt8(AF_INET), UInt8(AF_INET6)])
        #expect(kernel.requests.map { $0[8] } == [1, 2])
    }

    @Test("a kernel that says nothing is not waited for longer than the time limit")
    func silence() {
        #expect(self.failure([])?.code == .noAnswer)
        #expect(self.failure([.messages([.socket(Self.entry.bytes)])])?.code == .noAnswer)
    }

    @Test("messages for others are passed over, but not for ever")
    func strangers() throws {
        let strange = [
            ScriptedNetlink.Message(type: 20, payload: Self.entry.bytes, sequence: 7),
            ScriptedNetlink.Message(type: 20, payload: Self.entry.bytes, port: 7),
            ScriptedNetlink.Message(type: 3, payload: [], sequence: 7),
        ]
        let done = ScriptedNetlink.Datagram.messages([.done])
        let kernel = ScriptedNetlink([.messages(strange), .messages(strange + [.socket(Self.entry.bytes)]), done, done])
        #expect(try self.list(kernel).count == 1)
        #expect(self.failure([], .messages(strange))?.code == .noAnswer)
        #expect(self.failure([], .bytes([]))?.code == .noAnswer)
    }

    @Test("a type of message that is not known is passed over")
    func unknownTypes() throws {
        let message = ScriptedNetlink.Message(type: 99, payload: [1, 2, 3])
        let kernel = ScriptedNetlink([.messages([.init(type: 1), message, .done]), .messages([message, .done])])
        #expect(try self.list(kernel).isEmpty)
    }

    @Test(
        "a header whose length cannot be is an answer that is not understood",
        arguments: [0, 1, 15, 17, 1 << 31, .max]
    )
    func headerLength(length: UInt32) {
        var bytes = ScriptedNetlink.encoded(.init(type: 1), 1)
        bytes.replaceSubrange(0..<4, with: ScriptedNetlink.bytes(length))
        #expect(self.failure([.bytes(bytes)])?.code == .malformedAnswer)
    }

    @Test("bytes that are too few for a header are an answer that is not understood", arguments: 1..<16)
    func headerCut(count: Int) {
        let bytes = ScriptedNetlink.encoded(.done, 1).prefix(count)
        #expect(self.failure([.bytes(Array(bytes))])?.code == .malformedAnswer)
    }

    @Test("a socket that is not understood is left out and counted")
    func notUnderstood() throws {
        let kernel = ScriptedNetlink(
            [
                .messages([
                    .socket(DiagnosticsEntry(state: 99).bytes), .socket([]),
                    .socket(Array(Self.entry.bytes.dropLast())),
                    .socket(Self.entry.bytes), .done,
                ])
            ],
            repeating: .messages([.done])
        )
        var told = 0
        let summary = try SocketInventory.visit(matching: .all, details: .all, through: kernel.calls) { _ in
            told += 1
            return true
        }
        #expect(summary.listed == 1 && summary.notUnderstood == 3 && told == 1)
    }

    @Test("the kernel's refusal is thrown with its number")
    func refusals() {
        let refused = self.failure([.messages([.error(EACCES)])])
        #expect(refused?.code == .notPermitted && refused?.errno == .permissionDenied)
        let failed = self.failure([.messages([.error(EINVAL)])])
        #expect(failed?.code == .failed && failed?.message == "the kernel refuses to tell of its sockets: EINVAL")
        // A dump that fails half way ends in the number.
        let done = ScriptedNetlink.Message(type: 3, payload: ScriptedNetlink.bytes(-ENOMEM))
        #expect(self.failure([.messages([.socket(Self.entry.bytes), done])])?.errno == .noMemory)
        #expect(self.failure([.messages([.init(type: 2, payload: ScriptedNetlink.bytes(Int32.min))])])?.code == .failed)
        #expect(self.failure([.messages([.init(type: 2, payload: [1, 2])])])?.code == .malformedAnswer)
    }

    @Test("the end of a dump may come without a number, as of old kernels")
    func oldDone() throws {
        let done = ScriptedNetlink.Datagram.messages([.init(type: 3)])
        #expect(try self.list(ScriptedNetlink([done, done])).isEmpty)
    }

    @Test("a kernel without diagnostics is not supported; one without IPv6 is")
    func missingFamilies() throws {
        let missing = ScriptedNetlink.Datagram.messages([.error(ENOENT)])
        let error = self.failure([missing])
        #expect(error?.code == .unsupported)
        #expect(error?.message == "this kernel has no diagnostics of TCP sockets (CONFIG_INET_DIAG): ENOENT")
        let kernel = ScriptedNetlink([.messages([.socket(Self.entry.bytes), .done]), missing])
        #expect(try self.list(kernel).count == 1)
    }

    @Test("a socket that cannot be had says why")
    func cannotOpen() {
        for (number, code) in [
            (EPROTONOSUPPORT, InventoryError.Code.unsupported), (EAFNOSUPPORT, .unsupported), (EPERM, .notPermitted),
            (EMFILE, .failed),
        ] {
            var calls = SystemCalls.refusing
            calls.openSocket = { (_, _, _) throws(ErrorNumber) in throw ErrorNumber(rawValue: number) }
            let error = #expect(throws: InventoryError.self) {
                try SocketInventory.sockets(matching: .all, details: .all, through: calls)
            }
            #expect(error?.code == code && error?.errno?.rawValue == number)
        }
    }

    @Test("a socket that cannot be set up is closed")
    func cannotPrepare() {
        let kernel = ScriptedNetlink([])
        var withoutLimit = kernel.calls
        withoutLimit.setOption = SystemCalls.refusing.setOption
        var withoutPort = kernel.calls
        withoutPort.bind = SystemCalls.refusing.bind
        var withoutName = kernel.calls
        withoutName.socketName = SystemCalls.refusing.socketName
        var deaf = kernel.calls
        deaf.send = SystemCalls.refusing.send
        for calls in [withoutLimit, withoutPort, withoutName, deaf] {
            let error = #expect(throws: InventoryError.self) {
                try SocketInventory.sockets(matching: .all, details: .all, through: calls)
            }
            #expect(error?.errno == .unscripted && error?.code == .failed)
            #expect(kernel.isClosed)
        }
    }

    // MARK: - Tables that change

    private static let interrupted = ScriptedNetlink.Datagram.messages([
        .socket(entry.bytes, flags: 2 | 0x10), .done,
    ])

    @Test("a list that the kernel calls inconsistent is begun again, and nothing of it is kept")
    func interrupted() throws {
        let done = ScriptedNetlink.Datagram.messages([.done])
        let whole = ScriptedNetlink.Datagram.messages([.socket(Self.entry.bytes), .done])
        let kernel = ScriptedNetlink([Self.interrupted, done, Self.interrupted, done, whole, done])
        #expect(try self.list(kernel).count == 1)
        #expect(kernel.opened == 3)
    }

    @Test("a list that is never consistent is an error after four times")
    func alwaysInterrupted() {
        let kernel = ScriptedNetlink([], repeating: Self.interrupted)
        let error = #expect(throws: InventoryError.self) { try self.list(kernel) }
        #expect(error?.code == .inconsistent)
        #expect(error?.message == "the kernel's table of sockets changed while it was read, 4 times in a row")
        #expect(kernel.opened == 4 && kernel.isClosed)
    }

    @Test("a pass is not repeated, and its summary says that it was inconsistent")
    func interruptedPass() throws {
        let kernel = ScriptedNetlink([Self.interrupted], repeating: .messages([.done]))
        let summary = try SocketInventory.visit(matching: .all, details: .all, through: kernel.calls) { _ in true }
        #expect(!summary.isConsistent && summary.listed == 1 && kernel.opened == 1)
    }

    @Test("answers that were lost or cut make a list begin again")
    func lost() throws {
        let losses: [ScriptedNetlink.Datagram] = [
            .failure(.noBufferSpace), .tooLong(1), .messages([.init(type: 4)]),
        ]
        for loss in losses {
            let done = ScriptedNetlink.Datagram.messages([.done])
            let kernel = ScriptedNetlink([.messages([.socket(Self.entry.bytes)]), loss, done, done])
            #expect(try self.list(kernel).isEmpty)
            #expect(kernel.opened == 2 && kernel.isClosed)
            #expect(self.failure([], loss)?.code == .inconsistent)
        }
    }

    // MARK: - One socket

    private func find(_ datagrams: [ScriptedNetlink.Datagram], _ kernel: inout ScriptedNetlink?) throws -> SocketEntry?
    {
        let script = ScriptedNetlink(datagrams)
        kernel = script
        return try SocketInventory.find(local: Self.entry.local, remote: Self.entry.remote, through: script.calls)
    }

    @Test("a connection that is looked up costs one question")
    func lookUp() throws {
        var kernel: ScriptedNetlink?
        #expect(try self.find([.messages([.socket(Self.entry.bytes, flags: 0)])], &kernel)?.inode == 777)
        let request = try #require(kernel?.requests.first)
        #expect(kernel?.requests.count == 1)
        // No dump, the addresses as they are, and no cookie.
        #expect(request[6] == 1 && request[7] == 0)
        #expect(Array(request[24..<28]) == [0x1C, 0xE8, 0xC8, 0x22])
        #expect(Array(request[28..<32]) == [192, 0, 2, 1])
        #expect(Array(request[64..<72]) == [UInt8](repeating: 0xFF, count: 8))
    }

    @Test("an answer about another connection is none, and the tables are searched")
    func lookUpOther() throws {
        var other = Self.entry
        other.remote.port = 9
        var kernel: ScriptedNetlink?
        let done = ScriptedNetlink.Datagram.messages([.done])
        let answer = ScriptedNetlink.Datagram.messages([.socket(other.bytes)])
        #expect(try self.find([answer, answer, done, done], &kernel) == nil)
        #expect(kernel?.requests.count == 3)
        #expect(try self.find([.messages([.error(ENOENT)]), done, done], &kernel) == nil)
        #expect(try self.find([.messages([.error(ENOENT)]), .messages([.socket(Self.entry.bytes)])], &kernel) != nil)
        #expect(throws: InventoryError.self) { try self.find([.messages([.error(EINVAL)])], &kernel) }
    }

    @Test("a destruction names the socket by its cookie and is acknowledged")
    func destroy() throws {
        let kernel = ScriptedNetlink([.messages([.error(0)])])
        let entry = try #require(DiagnosticsEntry(family: 10, interface: 5).read)
        try SocketInventory.destroy(entry, through: kernel.calls)
        let request = try #require(kernel.requests.first)
        #expect(request[4] == 21 && request[6] == 1 | 4)
        #expect(request[16] == UInt8(AF_INET6))
        #expect(Array(request[28..<44]) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 1])
        #expect(Array(request[60..<64]) == [5, 0, 0, 0])
        #expect(Array(request[64..<72]) == [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11])
        #expect(kernel.isClosed)
    }

    @Test(
        "each way in which a destruction is refused is told apart",
        arguments: [
            (EPERM, InventoryError.Code.notPermitted, "is not destroyed: this needs CAP_NET_ADMIN"),
            (EOPNOTSUPP, .unsupported, "is not destroyed: this kernel is without CONFIG_INET_DIAG_DESTROY"),
            (EINVAL, .unsupported, "is not destroyed: this kernel is without CONFIG_INET_DIAG_DESTROY"),
            (ENOENT, .gone, "is not there any more"), (ESTALE, .gone, "is not there any more"),
        ]
    )
    func destroyRefused(number: Int32, code: InventoryError.Code, message: String) throws {
        let kernel = ScriptedNetlink([.messages([.error(number)])])
        let entry = try #require(Self.entry.read)
        let error = #expect(throws: InventoryError.self) {
            try SocketInventory.destroy(entry, through: kernel.calls)
        }
        #expect(error?.code == code && error?.errno?.rawValue == number)
        #expect(error?.description == "the connection 192.0.2.1:7400,192.0.2.7:51234 \(message)")
    }

    @Test("a destruction that fails otherwise keeps the number, and a socket without a cookie is not touched")
    func destroyFailed() throws {
        let entry = try #require(Self.entry.read)
        for datagrams in [[ScriptedNetlink.Datagram.messages([.error(ENOMEM)])], []] {
            let kernel = ScriptedNetlink(datagrams)
            let error = #expect(throws: InventoryError.self) {
                try SocketInventory.destroy(entry, through: kernel.calls)
            }
            #expect(error?.code == (datagrams.isEmpty ? .noAnswer : .failed))
        }
        let nameless = try #require(DiagnosticsEntry(cookie: .max).read)
        let error = #expect(throws: InventoryError.self) {
            try SocketInventory.destroy(nameless, through: .refusing)
        }
        #expect(error?.code == .gone)
    }
}
#endif
