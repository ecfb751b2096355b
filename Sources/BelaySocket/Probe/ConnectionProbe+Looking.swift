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

extension ConnectionProbe {
    /// What a descriptor is, as far as it matters how to look at it.
    enum Kind: Hashable, Sendable {
        case tcp
        /// Multipath TCP (RFC 8684): TCP_INFO tells of its first path only, which may end before the connection.
        case multipathTCP
        case other
    }

    mutating func look(through calls: SystemCalls) throws(Failure) -> Look {
        let kind = try self.kind(through: calls)
        guard kind != .other else { return Look(state: .notTCP, hasUnreadBytes: false) }
        var facts = Facts(error: self.error)
        var info = try self.gather(&facts, of: kind, through: calls)
        // It ended between the first call and the last. That is final, so looking again sees it whole.
        if facts.tcpState == .closed, !facts.events.contains(.hungUp) {
            info = try self.gather(&facts, of: kind, through: calls)
        }
        // An error that did not end the connection must not explain an end that comes later.
        self.error = facts.hasEnded ? facts.error : nil
        return Look(
            state: facts.state,
            hasUnreadBytes: facts.queue == .unread,
            error: facts.error,
            tcpInfo: info
        )
    }

    /// Asks in an order that takes nothing from a healthy connection and is not misled by one that ends meanwhile.
    ///
    /// 1. poll(2), which changes nothing.
    /// 2. SO_ERROR, only after an error or the end was reported. On a healthy connection it would clear the soft error
    ///    (an unreachable host, while the kernel still tries), and with it the reason that a timeout would have had.
    /// 3. MSG_PEEK, which takes the error as well where no byte waits (`tcp_recvmsg_locked()` in `net/ipv4/tcp.c`).
    ///    After SO_ERROR it finds none, but for one that came in between, which is kept like any other.
    /// 4. TCP_INFO last. The first two calls read without the socket's lock and may see half of what an arriving RST or
    ///    FIN does to it; MSG_PEEK waits for the lock, so that the state read after it is the one that goes with them.
    ///
    /// - Returns: what TCP_INFO told.
    private func gather(_ facts: inout Facts, of kind: Kind, through calls: SystemCalls) throws(Failure) -> TCPInfo? {
        facts.events = try self.events(through: calls)
        if !facts.events.isDisjoint(with: [.error, .hungUp]) { try self.takeError(into: &facts, through: calls) }
        try self.peek(into: &facts, through: calls)
        let info = kind == .tcp ? self.descriptor.tcpInfo(through: calls) : nil
        facts.tcpState = info?.state ?? (self.isListening(through: calls) ? .listen : nil)
        return info
    }

    func kind(through calls: SystemCalls) throws(Failure) -> Kind {
        do throws(ErrorNumber) {
            let type = try self.descriptor.option(level: SOL_SOCKET, name: SO_TYPE, through: calls)
            return type == Self.streamType ? try self.streamKind(through: calls) : .other
        } catch {
            if error == .notASocket { return .other }
            throw self.failure("getsockopt(2)", error)
        }
    }

    func events(through calls: SystemCalls) throws(Failure) -> Events {
        do throws(ErrorNumber) {
            let bits = try calls.poll(self.descriptor.rawValue, Self.pollInterest)
            if bits & Int16(POLLNVAL) != 0 { throw ErrorNumber.badDescriptor }
            return Self.events(bits)
        } catch {
            throw self.failure("poll(2)", error)
        }
    }

    private func takeError(into facts: inout Facts, through calls: SystemCalls) throws(Failure) {
        do throws(ErrorNumber) {
            // The error is the option's value; what the call itself returns only tells whether there is one.
            let number = try self.descriptor.option(level: SOL_SOCKET, name: SO_ERROR, through: calls)
            if number != 0 { facts.error = ErrorNumber(system: number) }
        } catch {
            throw self.failure("getsockopt(2)", error)
        }
    }

    private func peek(into facts: inout Facts, through calls: SystemCalls) throws(Failure) {
        // Since Linux 6.9, a peek moves the offset of a program that peeks with SO_PEEK_OFF.
        guard !self.movesWhenPeeked(through: calls) else {
            facts.queue = facts.events.contains(.readable) ? .unread : .empty
            return
        }
        do throws(ErrorNumber) {
            var byte: UInt8 = 0
            // Also where poll reported nothing to read: below SO_RCVLOWAT it does not.
            let count = try withUnsafeMutableBytes(of: &byte) { (room) throws(ErrorNumber) in
                try calls.receive(self.descriptor.rawValue, room, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
            }
            facts.queue = count > 0 ? .unread : .end
        } catch {
            facts.queue = error == .notConnected ? .notConnected : .empty
            switch error {
            case .wouldBlock, .notConnected: break
            case .badDescriptor: throw .notOpen(self.descriptor)
            default: facts.error = error
            }
        }
    }

    /// Asked only where TCP_INFO does not tell.
    func isListening(through calls: SystemCalls) -> Bool {
        // What is not known is taken for a connection, which is what people look at.
        (try? self.descriptor.option(level: SOL_SOCKET, name: SO_ACCEPTCONN, through: calls)) ?? 0 != 0
    }

    private func failure(_ call: String, _ error: ErrorNumber) -> Failure {
        error == .badDescriptor ? .notOpen(self.descriptor) : .unsupported(call: call, error)
    }
}
