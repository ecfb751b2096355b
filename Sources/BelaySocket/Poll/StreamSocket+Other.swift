//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

#if !os(Linux)
extension StreamSocket {
    static var type: Int32 {
        get throws(ErrorNumber) { throw .notSupported }
    }

    static var lateBinding: Int32 {
        get throws(ErrorNumber) { throw .notSupported }
    }
}
#endif
