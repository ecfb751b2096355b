//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

#if os(Linux)
import Testing

@testable import BelaySocket

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A socket that listens on the loopback interface; closed with it.
final class Listener {
    private let loopback: Loopback

    init() throws {
        self.loopback = try Loopback()
    }

    var address: TransportAddress { get throws { try self.loopback.serverAddress } }

    /// The other end of the connection that was made first.
    func accept() throws -> AcceptedSocket {
        let descriptor = acceptConnection(self.loopback.listener)
        try #require(descriptor >= 0)
        return AcceptedSocket(descriptor)
    }
}

/// A server's end of a connection; closed with it.
final class AcceptedSocket {
    private var descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit { self.finish() }

    func send(_ text: String) throws {
        let result = Array(text.utf8).withUnsafeBytes { Descriptor(rawValue: self.descriptor).send($0) }
        try #require(result == .sent(text.utf8.count))
    }

    func finish() {
        if self.descriptor >= 0 { close(self.descriptor) }
        self.descriptor = -1
    }

    /// Whether the next thing that comes is FIN.
    func readsEnd() -> Bool {
        var byte: UInt8 = 0
        return recv(self.descriptor, &byte, 1, 0) == 0
    }
}

private func acceptConnection(_ listener: Int32) -> Int32 {
    accept(listener, nil, nil)
}
#endif
