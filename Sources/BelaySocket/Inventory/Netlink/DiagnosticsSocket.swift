//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

#if os(Linux)
import CBelayLinux

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A netlink socket of the kernel's socket diagnostics, open while it is used.
struct DiagnosticsSocket {
    private let descriptor: Int32
    private let calls: SystemCalls
    /// The number by which the kernel addresses us.
    private var port: UInt32 = 0
    private var sequence: UInt32 = 0

    /// What becomes of a message of the answer.
    enum Step {
        case goOn
        /// What comes after it is not wanted.
        case stop
    }

    /// How an answer ended.
    struct Answer {
        /// Whether the kernel saw no change of its tables while it went through them.
        var isConsistent = true
    }

    /// Opens a socket for as long as `body` runs.
    static func with<Result>(
        _ calls: SystemCalls,
        _ body: (inout DiagnosticsSocket) throws(InventoryError) -> Result
    ) throws(InventoryError) -> Result {
        let descriptor: Int32
        do throws(ErrorNumber) {
            descriptor = try calls.openSocket(AF_NETLINK, Int32(BELAY_NETLINK_SOCKET), NETLINK_SOCK_DIAG)
        } catch {
            let isUnknown = error.rawValue == EPROTONOSUPPORT || error.rawValue == EAFNOSUPPORT
            guard !isUnknown else { throw .unsupportedKernel(error) }
            throw InventoryError("socket diagnostics of the kernel cannot be opened", error)
        }
        defer { calls.close(descriptor) }
        var socket = DiagnosticsSocket(descriptor: descriptor, calls: calls)
        do throws(ErrorNumber) { try socket.prepare() } catch {
            throw InventoryError("socket diagnostics of the kernel cannot be set up", error)
        }
        return try body(&socket)
    }

    private init(descriptor: Int32, calls: SystemCalls) {
        self.descriptor = descriptor
        self.calls = calls
    }

    private mutating func prepare() throws(ErrorNumber) {
        let timeout = timeval(tv_sec: Self.timeoutSeconds, tv_usec: 0)
        let refused = Descriptor(rawValue: self.descriptor)
            .set(level: SOL_SOCKET, name: SO_RCVTIMEO, to: timeout, through: self.calls)
        if let refused { throw refused }
        var address = sockaddr_nl()
        address.nl_family = UInt16(AF_NETLINK)
        try withUnsafeBytes(of: address) { (bytes) throws(ErrorNumber) in
            try self.calls.bind(self.descriptor, bytes)
        }
        _ = try withUnsafeMutableBytes(of: &address) { (bytes) throws(ErrorNumber) in
            try self.calls.socketName(self.descriptor, bytes)
        }
        self.port = address.nl_pid
    }

    /// Sends a request and tells the sockets of the answer one by one, as the bytes of `struct inet_diag_msg`.
    ///
    /// - Throws: the kernel's own refusal with its ``InventoryError/errno`` and the code `failed`.
    mutating func ask(
        _ request: DiagnosticsRequest,
        _ kind: Kind,
        _ body: (UnsafeRawBufferPointer) -> Step
    ) throws(InventoryError) -> Answer {
        try self.send(request, kind)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.roomSize, alignment: 16)
        defer { room.deallocate() }
        var answer = Answer()
        var strangers = 0
        while true {
            var messages = NetlinkMessages(try self.receive(into: room))
            var isOurs = false
            while let message = messages.next() {
                guard message.sequence == self.sequence, message.port == self.port else { continue }
                isOurs = true
                if message.flags & Self.interrupted != 0 { answer.isConsistent = false }
                switch message.type {
                case Self.error, Self.done:
                    // A dump ends in the same number as an acknowledgement, which old kernels leave out.
                    let result = message.payload.value(at: 0, as: Int32.self)
                    guard let result = result ?? (message.type == Self.done ? 0 : nil) else { throw .malformed }
                    guard result >= 0 else { throw .refused(ErrorNumber(rawValue: 0 &- result)) }
                    return answer
                case Self.overrun:
                    throw .lost
                case Self.socket:
                    if case .stop = body(message.payload) { return answer }
                    if kind == .lookup { return answer }
                default:
                    continue
                }
            }
            guard !messages.isMalformed else { throw .malformed }
            // Anyone may address this socket who may administer the network; that must not keep us here.
            if !isOurs { strangers += 1 }
            guard strangers <= Self.mostStrangers else { throw .noAnswer(nil) }
        }
    }

    /// What is asked for.
    enum Kind {
        case dump
        case lookup
        case destruction

        fileprivate var flags: UInt16 {
            switch self {
            case .dump: UInt16(NLM_F_ROOT) | UInt16(NLM_F_MATCH)
            case .lookup: 0
            case .destruction: UInt16(NLM_F_ACK)
            }
        }
    }

    private mutating func send(_ request: DiagnosticsRequest, _ kind: Kind) throws(InventoryError) {
        self.sequence += 1
        var header = nlmsghdr()
        header.nlmsg_len = UInt32(NetlinkMessage.headerSize + request.payload.count)
        header.nlmsg_type = kind == .destruction ? UInt16(SOCK_DESTROY) : Self.socket
        header.nlmsg_flags = UInt16(NLM_F_REQUEST) | kind.flags
        header.nlmsg_seq = self.sequence
        header.nlmsg_pid = self.port
        let bytes = withUnsafeBytes(of: header, Array.init) + request.payload
        do throws(ErrorNumber) {
            _ = try bytes.withUnsafeBufferPointer { (bytes) throws(ErrorNumber) in
                try self.calls.send(self.descriptor, UnsafeRawBufferPointer(bytes), 0)
            }
        } catch {
            throw InventoryError("the kernel takes no question about sockets", error)
        }
    }

    private func receive(into room: UnsafeMutableRawBufferPointer) throws(InventoryError) -> UnsafeRawBufferPointer {
        do throws(ErrorNumber) {
            // MSG_TRUNC makes the kernel return the length of the datagram although it be cut to the room.
            let count = try self.calls.receive(self.descriptor, room, Int32(MSG_TRUNC))
            guard count <= room.count else { throw ErrorNumber.noBufferSpace }
            return UnsafeRawBufferPointer(rebasing: room.prefix(max(0, count)))
        } catch {
            switch error {
            case .noBufferSpace: throw .lost
            case .wouldBlock: throw .noAnswer(error)
            default: throw InventoryError("the kernel's answer about sockets cannot be read", error)
            }
        }
    }

    /// The kernel fills at most so much at a time (`netlink_dump` of `net/netlink/af_netlink.c`).
    private static let roomSize = 32_768
    /// A dump is made while it is read, so that a kernel that works is never waited for.
    private static let timeoutSeconds = 5
    private static let mostStrangers = 1_000

    private static let error = UInt16(NLMSG_ERROR)
    private static let done = UInt16(NLMSG_DONE)
    private static let overrun = UInt16(NLMSG_OVERRUN)
    private static let socket = UInt16(SOCK_DIAG_BY_FAMILY)
    private static let interrupted = UInt16(NLM_F_DUMP_INTR)
}

extension InventoryError {
    static func unsupportedKernel(_ errno: ErrorNumber) -> InventoryError {
        let message = "this kernel has no diagnostics of TCP sockets (CONFIG_INET_DIAG): \(errno.name)"
        return InventoryError(.unsupported, message, errno: errno)
    }

    fileprivate static func refused(_ errno: ErrorNumber) -> InventoryError {
        InventoryError("the kernel refuses to tell of its sockets", errno)
    }

    fileprivate static func noAnswer(_ errno: ErrorNumber?) -> InventoryError {
        InventoryError(.noAnswer, "the kernel does not answer a question about its sockets", errno: errno)
    }

    fileprivate static let malformed = InventoryError(
        .malformedAnswer,
        "the kernel's answer about its sockets is not understood"
    )

    fileprivate static let lost = InventoryError(
        .inconsistent,
        "answers of the kernel about its sockets were lost",
        errno: .noBufferSpace
    )
}
#endif
