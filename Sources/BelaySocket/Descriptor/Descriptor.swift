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
    public func peek() -> ConnectionMachine.ReceiveQueue { self.peek(through: .system) }

    func peek(through calls: SystemCalls) -> ConnectionMachine.ReceiveQueue {
        var byte: UInt8 = 0
        do throws(ErrorNumber) {
            let flags = Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)
            _ = try withUnsafeMutableBytes(of: &byte) { (room) throws(ErrorNumber) in
                try calls.receive(self.rawValue, room, flags)
            }
            return .unread
        } catch {
            switch error {
            case .wouldBlock: return .empty
            case .notASocket, .notConnected, .badDescriptor: return .unknown
            default: return .failed(error)
            }
        }
    }

    /// Takes the error that the kernel holds for the connection (SO_ERROR); reading it clears it.
    ///
    /// Where nothing ended the connection, this is what the network reported last without ending it, such as a router
    /// that knows no way (`sk_err_soft` in `net/core/sock.c`); an acknowledgement clears that as well.
    ///
    /// - Returns: nil where there is none.
    public func takeError() -> ErrorNumber? { self.takeError(through: .system) }

    func takeError(through calls: SystemCalls) -> ErrorNumber? {
        let number = (try? self.option(level: SOL_SOCKET, name: SO_ERROR, through: calls)) ?? 0
        return number == 0 ? nil : ErrorNumber(system: number)
    }

    /// What became of a send.
    public enum SendResult: Hashable, Sendable {
        /// The kernel took so many bytes; 0 when it has no room now.
        case sent(Int)
        /// The connection is in error.
        case failed(ErrorNumber)
    }

    /// Sends without waiting and without SIGPIPE: one `send` with `MSG_DONTWAIT | MSG_NOSIGNAL`.
    public func send(_ bytes: UnsafeRawBufferPointer) -> SendResult { self.send(bytes, through: .system) }

    func send(_ bytes: UnsafeRawBufferPointer, through calls: SystemCalls) -> SendResult {
        #if os(Linux)
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        #else
        let flags = Int32(MSG_DONTWAIT)
        #endif
        do throws(ErrorNumber) {
            return .sent(try calls.send(self.rawValue, bytes, flags))
        } catch {
            return error == .wouldBlock ? .sent(0) : .failed(error)
        }
    }

    /// Makes the next `close` discard what is queued and send RST (SO_LINGER with a time of zero).
    ///
    /// - Returns: whether the kernel took the option.
    @discardableResult
    public func resetOnClose() -> Bool {
        let option = linger(l_onoff: 1, l_linger: 0)
        return self.set(level: SOL_SOCKET, name: SO_LINGER, to: option, through: .system) == nil
    }

    /// Sets an option to a value without padding.
    ///
    /// - Returns: the kernel's error when it refuses.
    func set<Value: BitwiseCopyable>(
        level: Int32,
        name: Int32,
        to value: Value,
        through calls: SystemCalls
    ) -> ErrorNumber? {
        do throws(ErrorNumber) {
            try withUnsafeBytes(of: value) { (bytes) throws(ErrorNumber) in
                try calls.setOption(self.rawValue, level, name, bytes)
            }
            return nil
        } catch {
            return error
        }
    }

    /// Reads an option whose value is an `int`.
    func option(level: Int32, name: Int32, through calls: SystemCalls) throws(ErrorNumber) -> Int32 {
        var value: Int32 = 0
        _ = try withUnsafeMutableBytes(of: &value) { (room) throws(ErrorNumber) in
            try calls.getOption(self.rawValue, level, name, room)
        }
        return value
    }
}
