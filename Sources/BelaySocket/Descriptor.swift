//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A socket's descriptor that somebody else owns: looked at and written to, never closed here.
///
/// The owner must keep it open during each call. No call blocks.
public struct Descriptor: RawRepresentable, Hashable, Sendable {
    /// The number of the descriptor.
    public var rawValue: Int32

    /// The descriptor with this number.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    /// Looks at the receive queue without consuming a byte: one `recv` with `MSG_PEEK | MSG_DONTWAIT`.
    ///
    /// A FIN that waits counts as unread. An error of the connection is reported once by the kernel, therefore the caller
    /// must act on ``ConnectionMachine/ReceiveQueue/failed(_:)``.
    public func peek() -> ConnectionMachine.ReceiveQueue {
        var byte: UInt8 = 0
        while true {
            let count = recv(self.rawValue, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
            if count >= 0 { return .unread }
            switch errno {
            case EINTR: continue
            case EAGAIN, EWOULDBLOCK: return .empty
            case ENOTSOCK, ENOTCONN, EBADF: return .unknown
            default: return .failed(ErrorNumber(rawValue: errno))
            }
        }
    }

    /// What became of a send.
    public enum SendResult: Hashable, Sendable {
        /// The kernel took so many bytes; 0 when it has no room now.
        case sent(Int)
        /// The connection is in error.
        case failed(ErrorNumber)
    }

    /// Sends without waiting and without SIGPIPE: one `send` with `MSG_DONTWAIT | MSG_NOSIGNAL`.
    public func send(_ bytes: UnsafeRawBufferPointer) -> SendResult {
        #if os(Linux)
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        #else
        let flags = Int32(MSG_DONTWAIT)
        #endif
        while true {
            let count = systemSend(self.rawValue, bytes.baseAddress, bytes.count, flags)
            if count >= 0 { return .sent(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN, EWOULDBLOCK: return .sent(0)
            default: return .failed(ErrorNumber(rawValue: errno))
            }
        }
    }

    /// Makes the next `close` discard what is queued and send RST (SO_LINGER with a time of zero).
    ///
    /// - Returns: whether the kernel took the option.
    @discardableResult
    public func resetOnClose() -> Bool {
        var option = linger(l_onoff: 1, l_linger: 0)
        return setsockopt(self.rawValue, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size)) == 0
    }

    /// Sets an integer option.
    ///
    /// - Returns: the kernel's error when it refuses.
    func set(level: Int32, name: Int32, to value: Int32) -> ErrorNumber? {
        var value = value
        guard setsockopt(self.rawValue, level, name, &value, socklen_t(MemoryLayout<Int32>.size)) != 0 else {
            return nil
        }
        return ErrorNumber(rawValue: errno)
    }
}

// `Descriptor.send` hides the function of the C library inside the type.
private func systemSend(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
    send(descriptor, bytes, count, flags)
}
