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

extension ErrorNumber {
    /// A connection is being made.
    static let inProgress = ErrorNumber(rawValue: 115)

    /// The error of the last call that failed on this thread.
    static var last: ErrorNumber { ErrorNumber(system: errno) }
}

#if canImport(Darwin)
extension ErrorNumber {
    /// The error that this system's number stands for: up to 34 they are Linux's, except that of EAGAIN.
    init(system number: Int32) {
        self =
            switch number {
            case EAGAIN: .wouldBlock
            case EDEADLK: ErrorNumber(rawValue: 35)
            case ENOTSOCK: .notASocket
            case ENOPROTOOPT: .noSuchOption
            case EPROTONOSUPPORT: ErrorNumber(rawValue: 93)
            case ENOTSUP, EOPNOTSUPP: .notSupported
            case EADDRINUSE: .addressInUse
            case EADDRNOTAVAIL: .addressNotAvailable
            case ENETDOWN: .networkDown
            case ENETUNREACH: .networkUnreachable
            case ENETRESET: ErrorNumber(rawValue: 102)
            case ECONNABORTED: .connectionAborted
            case ECONNRESET: .connectionReset
            case ENOBUFS: .noBufferSpace
            case EISCONN: ErrorNumber(rawValue: 106)
            case ENOTCONN: .notConnected
            case ESHUTDOWN: ErrorNumber(rawValue: 108)
            case ETIMEDOUT: .timedOut
            case ECONNREFUSED: .connectionRefused
            case EHOSTDOWN: .hostDown
            case EHOSTUNREACH: .hostUnreachable
            case EALREADY: ErrorNumber(rawValue: 114)
            case EINPROGRESS: ErrorNumber(rawValue: 115)
            default: ErrorNumber(rawValue: number)
            }
    }
}
#else
extension ErrorNumber {
    /// The error that this system's number stands for: Linux's own.
    init(system number: Int32) {
        self.init(rawValue: number)
    }
}
#endif
