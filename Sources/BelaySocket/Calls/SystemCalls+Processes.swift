//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

#if os(Linux)
import CBelayLinux
#endif

extension SystemCalls {
    @Sendable static func copyOfDescriptor(pid: Int32, descriptor: Int32) throws(ErrorNumber) -> Int32 {
        #if os(Linux)
        try Self.returned { belay_process_descriptor(pid, descriptor) }
        #else
        throw .notSupported
        #endif
    }
}
