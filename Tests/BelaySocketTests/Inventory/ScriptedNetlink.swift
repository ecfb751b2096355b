//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Synchronization

@testable import BelaySocket

#if os(Linux)
/// A kernel that answers as a test has written down, and counts what it was asked.
final class ScriptedNetlink: Sendable {
    /// One message of an answer; the sequence number and port of the question where none is given.
    struct Message: Sendable {
        var type: UInt16
        var flags: UInt16 = 2
        var payload: [UInt8] = []
        var sequence: UInt32?
        var port: UInt32?

        static func socket(_ payload: [UInt8], flags: UInt16 = 2) -> Message {
            Message(type: 20, flags: flags, payload: payload)
        }
        static let done = Message(type: 3, payload: [0, 0, 0, 0])
        static func error(_ number: Int32) -> Message {
            Message(type: 2, flags: 0, payload: bytes(-number) + [UInt8](repeating: 0, count: 16))
        }
    }

    /// What one call of recv returns.
    enum Datagram: Sendable {
        case messages([Message])
        case bytes([UInt8])
        case tooLong(Int)
        case failure(ErrorNumber)
    }

    struct State {
        var datagrams: [Datagram]
        var last: Datagram?
        var requests: [[UInt8]] = []
        var opened = 0
        var closed = 0
        var options: [Int32] = []
    }

    static let port: UInt32 = 4_711

    private let state: Mutex<State>

    /// Answers in this order; the last again and again where `repeating`, and else EAGAIN.
    init(_ datagrams: [Datagram], repeating last: Datagram? = nil) {
        self.state = Mutex(State(datagrams: datagrams, last: last))
    }

    var requests: [[UInt8]] { self.state.withLock { $0.requests } }
    var isClosed: Bool { self.state.withLock { $0.opened == $0.closed && $0.opened > 0 } }
    var opened: Int { self.state.withLock { $0.opened } }
    var options: [Int32] { self.state.withLock { $0.options } }

    /// The table; what is not scripted here is refused.
    var calls: SystemCalls {
        var calls = SystemCalls.refusing
        calls.openSocket = { _, _, _ in
            self.state.withLock { $0.opened += 1 }
            return 99
        }
        calls.close = { _ in self.state.withLock { $0.closed += 1 } }
        calls.setOption = { _, _, name, _ in self.state.withLock { $0.options.append(name) } }
        calls.bind = { _, _ in }
        calls.socketName = { _, room in
            room.storeBytes(of: Self.port, toByteOffset: 4, as: UInt32.self)
            return 12
        }
        calls.send = { _, bytes, _ in
            self.state.withLock { $0.requests.append(Array(bytes)) }
            return bytes.count
        }
        calls.receive = { (_, room, _) throws(ErrorNumber) in
            let (datagram, request) = self.state.withLock { state in
                (state.datagrams.isEmpty ? state.last : state.datagrams.removeFirst(), state.requests.last ?? [])
            }
            switch datagram {
            case .messages(let messages):
                let sequence = request.withUnsafeBytes { $0.value(at: 8, as: UInt32.self) } ?? 0
                return Self.fill(room, messages.flatMap { Self.encoded($0, sequence) })
            case .bytes(let bytes): return Self.fill(room, bytes)
            case .tooLong(let count): return room.count + count
            case .failure(let number): throw number
            case nil: throw .wouldBlock
            }
        }
        return calls
    }

    private static func fill(_ room: UnsafeMutableRawBufferPointer, _ bytes: [UInt8]) -> Int {
        room.copyBytes(from: bytes.prefix(room.count))
        return bytes.count
    }

    static func encoded(_ message: Message, _ sequence: UInt32) -> [UInt8] {
        let header =
            Self.bytes(UInt32(16 + message.payload.count)) + Self.bytes(message.type) + Self.bytes(message.flags)
            + Self.bytes(message.sequence ?? sequence) + Self.bytes(message.port ?? Self.port)
        let filling = [UInt8](repeating: 0, count: (4 - message.payload.count % 4) % 4)
        return header + message.payload + filling
    }

    static func bytes(_ value: some BitwiseCopyable) -> [UInt8] { withUnsafeBytes(of: value, Array.init) }
}

extension SystemCalls {
    /// Refuses every call, so that a test sees what was not meant to be called.
    static let refusing = SystemCalls(
        getOption: { (_, _, _, _) throws(ErrorNumber) in throw .unscripted },
        setOption: { (_, _, _, _) throws(ErrorNumber) in throw .unscripted },
        receive: { (_, _, _) throws(ErrorNumber) in throw .unscripted },
        send: { (_, _, _) throws(ErrorNumber) in throw .unscripted },
        poll: { (_, _) throws(ErrorNumber) in throw .unscripted },
        openSocket: { (_, _, _) throws(ErrorNumber) in throw .unscripted },
        bind: { (_, _) throws(ErrorNumber) in throw .unscripted },
        socketName: { (_, _) throws(ErrorNumber) in throw .unscripted },
        close: { _ in },
        numbers: { (_, _) throws(ErrorNumber) in throw .unscripted },
        readLink: { (_, _) throws(ErrorNumber) in throw .unscripted },
        readFile: { (_, _) throws(ErrorNumber) in throw .unscripted },
        copyDescriptor: { (_, _) throws(ErrorNumber) in throw .unscripted }
    )
}

extension ErrorNumber {
    static let unscripted = ErrorNumber(rawValue: 9_999)
}
#endif
