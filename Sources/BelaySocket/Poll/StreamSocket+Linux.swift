//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

#if os(Linux)
#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

extension StreamSocket {
    /// Of a socket that never blocks and that no program that is started inherits.
    static var type: Int32 {
        get throws(ErrorNumber) { Self.stream | Self.flags }
    }

    /// IP_BIND_ADDRESS_NO_PORT of include/uapi/linux/in.h, which not every C library declares for Swift.
    static var lateBinding: Int32 {
        get throws(ErrorNumber) { 24 }
    }

    #if canImport(Glibc)
    private static let stream = Int32(SOCK_STREAM.rawValue)
    private static let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    #else
    private static let stream = Int32(SOCK_STREAM)
    private static let flags = Int32(SOCK_NONBLOCK) | Int32(SOCK_CLOEXEC)
    #endif
}
#endif
