//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore
import NIOCore

/// An endpoint cannot be listened on.
public struct ListenError: Error, Sendable {
    /// The endpoint that was asked for.
    public let endpoint: Endpoint
    /// The kernel's error, where it was one.
    public let errno: ErrorNumber?
    private let cause: String

    init(endpoint: Endpoint, underlying: any Error) {
        self.endpoint = endpoint
        self.errno = (underlying as? IOError).map { ErrorNumber(rawValue: $0.errnoCode) }
        self.cause = self.errno?.name ?? String(describing: underlying)
    }
}

extension ListenError: CustomStringConvertible {
    /// The error in one line.
    public var description: String {
        let why =
            switch self.errno {
            case .addressInUse: "the address is in use (EADDRINUSE)"
            case .addressNotAvailable: "this host has no such address (EADDRNOTAVAIL)"
            case .permissionDenied: "ports below 1024 need a privilege (EACCES)"
            default: self.cause
            }
        return "cannot listen on \(self.endpoint): \(why)"
    }
}
