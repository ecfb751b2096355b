//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

extension ConnectionProbe {
    /// The state of a socket that another process has open, without taking its error.
    ///
    /// Works for sockets that are in no table of the kernel any more, and so not in ``SocketInventory``: what is over, or was
    /// never connected. Which error ended a connection is the program's to read; here it is ``State/over``. The descriptor is
    /// copied for the time of the look (pidfd_getfd(2), since Linux 5.6); a program that closes its own meanwhile sends its
    /// FIN when the look ends, some microseconds later.
    ///
    /// - Parameters:
    ///   - pid: the process.
    ///   - descriptor: the number of the descriptor in that process.
    /// - Returns: the state; never ``State/reset`` or ``State/failed(_:)``.
    /// - Throws: ``InventoryError`` with `noSuchProcess`, `noSuchDescriptor`, `notPermitted` (it needs what a debugger needs:
    ///   CAP_SYS_PTRACE for the processes of others), `unsupported` or `failed`.
    public static func state(ofProcess pid: Int32, descriptor: Int32) throws(InventoryError) -> State {
        try self.state(ofProcess: pid, descriptor: descriptor, through: .system)
    }

    static func state(
        ofProcess pid: Int32,
        descriptor: Int32,
        through calls: SystemCalls
    ) throws(InventoryError) -> State {
        let copy: Int32
        do throws(ErrorNumber) {
            copy = try calls.copyDescriptor(pid, descriptor)
        } catch {
            throw InventoryError(copying: descriptor, of: pid, error)
        }
        defer { calls.close(copy) }
        do throws(Failure) {
            return try ConnectionProbe(of: copy).glance(through: calls)
        } catch {
            throw InventoryError(.failed, error.description)
        }
    }

    /// What poll(2) and TCP_INFO tell: neither takes anything.
    private func glance(through calls: SystemCalls) throws(Failure) -> State {
        let kind = try self.kind(through: calls)
        guard kind != .other else { return .notTCP }
        var facts = Facts()
        facts.events = try self.events(through: calls)
        let info = kind == .tcp ? self.descriptor.tcpInfo(through: calls) : nil
        facts.tcpState = info?.state ?? (self.isListening(through: calls) ? .listen : nil)
        return facts.state
    }
}

extension InventoryError {
    fileprivate init(copying descriptor: Int32, of pid: Int32, _ errno: ErrorNumber) {
        let name = "descriptor \(descriptor) of process \(pid)"
        switch errno {
        case .noSuchProcess: self = .noSuchProcess(pid)
        case .badDescriptor:
            self.init(.noSuchDescriptor, "process \(pid) has no descriptor \(descriptor)", errno: errno)
        case .notPermitted, .permissionDenied: self = .notPermitted(name, errno)
        case .notImplemented, .notSupported:
            self.init(
                .unsupported,
                "this system gives no look at the descriptors of others: Linux 5.6 and later do",
                errno: errno
            )
        default: self.init("\(name) cannot be looked at", errno)
        }
    }
}
