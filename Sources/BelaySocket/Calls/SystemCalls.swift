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
        }
    )

    /// The result of a call that returns -1 and sets errno when it fails.
    static func returned<Result: SignedInteger>(_ call: () -> Result) throws(ErrorNumber) -> Result {
        while true {
            let result = call()
            if result >= 0 { return result }
            let number = ErrorNumber(rawValue: errno)
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
