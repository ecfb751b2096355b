//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

package import BelayCore
import NIOCore
import NIOPosix

extension DisconnectCause {
    /// What kept a client from connecting.
    package init(connecting error: any Error) {
        switch error {
        case let error as IOError:
            self = .failed(ErrorNumber(rawValue: error.errnoCode))
        case ChannelError.connectTimeout:
            self = .failed(.timedOut)
        case let error as NIOConnectionError:
            // The last address that was tried speaks for all; without one the name could not be resolved.
            self =
                error.connectionErrors.last.map { DisconnectCause(connecting: $0.error) }
                ?? .otherError("the name '\(error.host)' cannot be resolved")
        default:
            self = .otherError(String(describing: error))
        }
    }
}
