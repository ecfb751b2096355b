//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

#if os(Linux)
import CBelayLinux

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A filter as the program that the kernel runs for each socket (INET_DIAG_REQ_BYTECODE).
///
/// Each operation jumps forward by `yes` or by `no` bytes. A socket is taken where the program ends exactly, and left
/// out where it jumps 4 bytes beyond (`inet_diag_bc_run` of `net/ipv4/inet_diag.c`). A kernel passes over what it does
/// not know, therefore ``SocketFilter/matches(_:)`` is asked in the end.
struct DiagnosticsBytecode {
    private var operations: [Operation] = []

    private struct Operation {
        var code: UInt8
        /// Where a failed comparison leads: to the next operation but one, or out of the program.
        var otherwise: Otherwise
        var argument: [UInt8] = []

        enum Otherwise {
            case skipNext
            case reject
            case accept
        }

        var size: Int { 4 + self.argument.count }
    }

    init(_ filter: SocketFilter, socketFamily: TransportAddress.Family) {
        if filter.family == .ipv4, socketFamily == .ipv6 {
            // An AF_INET condition on an IPv6 socket holds for mapped addresses; family, no prefix, any port, address.
            let condition = [UInt8(AF_INET), 0, 0, 0] + Self.bytes(Int32(-1)) + [0, 0, 0, 0]
            self.add(INET_DIAG_BC_S_COND, .reject, condition)
        }
        if let port = filter.localPort { self.add(INET_DIAG_BC_S_EQ, .reject, Self.portArgument(port)) }
        if let port = filter.remotePort { self.add(INET_DIAG_BC_D_EQ, .reject, Self.portArgument(port)) }
        if let port = filter.port {
            self.add(INET_DIAG_BC_S_EQ, .skipNext, Self.portArgument(port))
            // A jump is a comparison that always fails.
            self.add(INET_DIAG_BC_JMP, .accept)
            self.add(INET_DIAG_BC_D_EQ, .reject, Self.portArgument(port))
        }
    }

    /// The program; empty where everything is taken.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        var rest = self.operations.reduce(0) { $0 + $1.size }
        for (index, operation) in self.operations.enumerated() {
            let no =
                switch operation.otherwise {
                case .accept: rest
                case .reject: rest + 4
                case .skipNext: operation.size + self.operations[index + 1].size
                }
            bytes += [operation.code, UInt8(operation.size)] + Self.bytes(UInt16(no)) + operation.argument
            rest -= operation.size
        }
        return bytes
    }

    private mutating func add(_ code: Int, _ otherwise: Operation.Otherwise, _ argument: [UInt8] = []) {
        self.operations.append(Operation(code: UInt8(code), otherwise: otherwise, argument: argument))
    }

    /// A second operation, of which only `no` is read: the port.
    private static func portArgument(_ port: UInt16) -> [UInt8] { [0, 0] + Self.bytes(port) }

    private static func bytes(_ value: some BitwiseCopyable) -> [UInt8] { withUnsafeBytes(of: value, Array.init) }
}
#endif
