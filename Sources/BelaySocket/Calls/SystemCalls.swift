//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The system calls of this module, as a table, so that a test can script what a kernel answers.
///
/// Each entry is one call, tried again when a signal interrupted it; a failure is thrown as its error number.
struct SystemCalls: Sendable {
    /// getsockopt(2): the descriptor, level, name and room for the value; returns the length that the kernel filled.
    var getOption: @Sendable (Int32, Int32, Int32, UnsafeMutableRawBufferPointer) throws(ErrorNumber) -> Int
    /// setsockopt(2): the descriptor, level, name and value.
    var setOption: @Sendable (Int32, Int32, Int32, UnsafeRawBufferPointer) throws(ErrorNumber) -> Void
    /// recv(2): the descriptor, room for bytes and flags; returns how many came.
    var receive: @Sendable (Int32, UnsafeMutableRawBufferPointer, Int32) throws(ErrorNumber) -> Int
    /// send(2): the descriptor, bytes and flags; returns how many the kernel took.
    var send: @Sendable (Int32, UnsafeRawBufferPointer, Int32) throws(ErrorNumber) -> Int
    /// poll(2) without waiting: the descriptor and the events of interest; returns those that are.
    var poll: @Sendable (Int32, Int16) throws(ErrorNumber) -> Int16

    /// socket(2): the family, type and protocol; returns the descriptor.
    var openSocket: @Sendable (Int32, Int32, Int32) throws(ErrorNumber) -> Int32
    /// bind(2): the descriptor and the address.
    var bind: @Sendable (Int32, UnsafeRawBufferPointer) throws(ErrorNumber) -> Void
    /// getsockname(2): the descriptor and room for the address; returns the length that the kernel filled.
    var socketName: @Sendable (Int32, UnsafeMutableRawBufferPointer) throws(ErrorNumber) -> Int
    /// close(2), whose failure nobody can mend; never tried again, since Linux frees the number at once.
    var close: @Sendable (Int32) -> Void
    /// The names in a directory that are numbers, told one by one: the processes and descriptors of /proc.
    var numbers: @Sendable (String, (Int32) -> Void) throws(ErrorNumber) -> Void
    /// readlink(2): the path and room for its target; returns the length, cut to the room.
    var readLink: @Sendable (String, UnsafeMutableRawBufferPointer) throws(ErrorNumber) -> Int
    /// open(2), one read(2), close(2): the path and room for the file's first bytes; returns how many there were.
    var readFile: @Sendable (String, UnsafeMutableRawBufferPointer) throws(ErrorNumber) -> Int

    /// pidfd_getfd(2): the process and its descriptor; returns a copy of it.
    var copyDescriptor: @Sendable (Int32, Int32) throws(ErrorNumber) -> Int32

    /// connect(2): the descriptor and the address; not tried again, since it goes on by itself when interrupted.
    var connect: @Sendable (Int32, UnsafeRawBufferPointer) throws(ErrorNumber) -> Void = Self.connectSocket
    /// shutdown(2): the descriptor and which half.
    var shutDown: @Sendable (Int32, Int32) throws(ErrorNumber) -> Void = Self.shutDownSocket

    /// The kernel's own.
    static let system = SystemCalls(
        getOption: { (descriptor, level, name, value) throws(ErrorNumber) in
            var length = socklen_t(value.count)
            _ = try Self.returned { getsockopt(descriptor, level, name, value.baseAddress, &length) }
            return Int(length)
        },
        setOption: { (descriptor, level, name, value) throws(ErrorNumber) in
            _ = try Self.returned { setsockopt(descriptor, level, name, value.baseAddress, socklen_t(value.count)) }
        },
        receive: { (descriptor, room, flags) throws(ErrorNumber) in
            try Self.returned { recv(descriptor, room.baseAddress, room.count, flags) }
        },
        send: { (descriptor, bytes, flags) throws(ErrorNumber) in
            try Self.returned { systemSend(descriptor, bytes.baseAddress, bytes.count, flags) }
        },
        poll: { (descriptor, events) throws(ErrorNumber) in
            var entry = pollfd(fd: descriptor, events: events, revents: 0)
            _ = try Self.returned { systemPoll(&entry, 1, 0) }
            return entry.revents
        },
        openSocket: { (family, type, number) throws(ErrorNumber) in
            try Self.returned { socket(family, type, number) }
        },
        bind: { (descriptor, address) throws(ErrorNumber) in
            _ = try Self.returned { systemBind(descriptor, address) }
        },
        socketName: { (descriptor, room) throws(ErrorNumber) in
            var length = socklen_t(room.count)
            _ = try Self.returned {
                getsockname(descriptor, room.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
            }
            return Int(length)
        },
        close: { systemClose($0) },
        numbers: Self.directoryNumbers,
        readLink: { (path, room) throws(ErrorNumber) in
            guard let start = room.baseAddress else { throw ErrorNumber.invalidArgument }
            return try Self.returned { readlink(path, start, room.count) }
        },
        readFile: Self.fileStart,
        copyDescriptor: Self.copyOfDescriptor
    )

    @Sendable private static func connectSocket(
        _ descriptor: Int32,
        _ address: UnsafeRawBufferPointer
    ) throws(ErrorNumber) {
        guard systemConnect(descriptor, address) < 0 else { return }
        throw ErrorNumber(system: errno)
    }

    @Sendable private static func shutDownSocket(_ descriptor: Int32, _ half: Int32) throws(ErrorNumber) {
        _ = try Self.returned { shutdown(descriptor, half) }
    }

    /// The result of a call that returns -1 and sets errno when it fails.
    static func returned<Result: SignedInteger>(_ call: () -> Result) throws(ErrorNumber) -> Result {
        while true {
            let result = call()
            if result >= 0 { return result }
            let number = ErrorNumber(system: errno)
            guard number == .interrupted else { throw number }
        }
    }
}

// The entries of the table hide the functions of the C library inside the type.
private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    send(descriptor, bytes, count, flags)
}

private func systemPoll(_ entries: UnsafeMutablePointer<pollfd>, _ count: UInt, _ milliseconds: Int32) -> Int32 {
    poll(entries, nfds_t(count), milliseconds)
}

private func systemBind(_ descriptor: Int32, _ address: UnsafeRawBufferPointer) -> Int32 {
    bind(descriptor, address.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(address.count))
}

private func systemConnect(_ descriptor: Int32, _ address: UnsafeRawBufferPointer) -> Int32 {
    connect(descriptor, address.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(address.count))
}

private func systemClose(_ descriptor: Int32) {
    _ = close(descriptor)
}
