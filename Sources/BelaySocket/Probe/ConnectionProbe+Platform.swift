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

#if os(Linux)
extension ConnectionProbe {
    /// POLLRDHUP of include/uapi/asm-generic/poll.h, which not every C library shows without being asked.
    private static let pollReceivingEnded: Int16 = 0x2000
    static let pollInterest = Int16(POLLIN) | Self.pollReceivingEnded

    static func events(_ bits: Int16) -> Events {
        var events: Events = []
        if bits & Int16(POLLIN) != 0 { events.insert(.readable) }
        if bits & Self.pollReceivingEnded != 0 { events.insert(.receivingEnded) }
        if bits & Int16(POLLHUP) != 0 { events.insert(.hungUp) }
        if bits & Int16(POLLERR) != 0 { events.insert(.error) }
        return events
    }

    func streamKind(through calls: SystemCalls) throws(ErrorNumber) -> Kind {
        // SO_PROTOCOL of include/uapi/asm-generic/socket.h, since Linux 2.6.32.
        switch try self.descriptor.option(level: SOL_SOCKET, name: 38, through: calls) {
        case Int32(IPPROTO_TCP): .tcp
        case 262: .multipathTCP
        default: .other
        }
    }

    func movesWhenPeeked(through calls: SystemCalls) -> Bool {
        // SO_PEEK_OFF: -1 is off; TCP has had it since Linux 6.9, older kernels refuse.
        ((try? self.descriptor.option(level: SOL_SOCKET, name: 42, through: calls)) ?? -1) >= 0
    }
}
#else
extension ConnectionProbe {
    static let pollInterest = Int16(POLLIN)

    static func events(_ bits: Int16) -> Events {
        var events: Events = []
        if bits & Int16(POLLIN) != 0 { events.insert(.readable) }
        // There is no POLLRDHUP: POLLHUP is the end of what can be read.
        if bits & Int16(POLLHUP) != 0 { events.insert(.receivingEnded) }
        if bits & Int16(POLLERR) != 0 { events.insert(.error) }
        return events
    }

    func streamKind(through calls: SystemCalls) throws(ErrorNumber) -> Kind {
        do throws(ErrorNumber) {
            // There is no SO_PROTOCOL: only TCP has this option. A connection that is over gives ECONNRESET.
            _ = try self.descriptor.option(level: Int32(IPPROTO_TCP), name: TCP_NODELAY, through: calls)
            return .tcp
        } catch {
            if error == .badDescriptor { throw error }
            return error == .connectionReset ? .tcp : .other
        }
    }

    func movesWhenPeeked(through calls: SystemCalls) -> Bool { false }
}
#endif

extension ConnectionProbe {
    #if canImport(Glibc)
    static let streamType = Int32(SOCK_STREAM.rawValue)
    #else
    static let streamType = Int32(SOCK_STREAM)
    #endif
}
