//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

package import BelayCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A TCP socket of ours that connects to a server and never blocks; closed by ``close()`` only.
package struct StreamSocket: Hashable, Sendable {
    /// What became of a read.
    package enum ReceiveResult: Hashable, Sendable {
        /// So many bytes came, at least one.
        case received(Int)
        /// Nothing is there now.
        case nothing
        /// The peer sends no more: FIN.
        case ended
        /// The connection is in error.
        case failed(ErrorNumber)
    }

    /// The socket.
    package let descriptor: Descriptor

    /// Begins to connect; ``EventPoll`` tells when the socket is writable, ``Descriptor/takeError()`` then what became of it.
    ///
    /// - Parameters:
    ///   - remote: the server.
    ///   - local: our address, whose port is chosen by the kernel when it is 0; nil leaves both to the kernel. The port is
    ///     chosen for this server only (IP_BIND_ADDRESS_NO_PORT), so that each server has all of them.
    ///   - receiveBufferBytes: room for what is received and not read; nil leaves it to the kernel, which lets it grow.
    /// - Returns: the socket, still connecting or already connected.
    /// - Throws: the error of the kernel, ``ErrorNumber/addressNotAvailable`` where no port is left.
    package static func connecting(
        to remote: TransportAddress,
        from local: TransportAddress? = nil,
        receiveBufferBytes: Int32? = nil
    ) throws(ErrorNumber) -> StreamSocket {
        try self.connecting(to: remote, from: local, receiveBufferBytes: receiveBufferBytes, through: .system)
    }

    static func connecting(
        to remote: TransportAddress,
        from local: TransportAddress?,
        receiveBufferBytes: Int32?,
        through calls: SystemCalls
    ) throws(ErrorNumber) -> StreamSocket {
        let family = remote.family == .ipv4 ? AF_INET : AF_INET6
        let socket = StreamSocket(
            descriptor: Descriptor(rawValue: try calls.openSocket(family, try Self.type, Int32(IPPROTO_TCP)))
        )
        do throws(ErrorNumber) {
            try socket.set(Int32(IPPROTO_TCP), TCP_NODELAY, 1, calls)
            // Before connecting, because it decides on the window that is offered.
            if let receiveBufferBytes { try socket.set(SOL_SOCKET, SO_RCVBUF, receiveBufferBytes, calls) }
            if let local {
                try socket.set(Int32(IPPROTO_IP), try Self.lateBinding, 1, calls)
                try local.withSocketAddress { (address) throws(ErrorNumber) in
                    try calls.bind(socket.descriptor.rawValue, address)
                }
            }
            try remote.withSocketAddress { (address) throws(ErrorNumber) in
                try calls.connect(socket.descriptor.rawValue, address)
            }
        } catch {
            guard error == .inProgress || error == .interrupted else {
                calls.close(socket.descriptor.rawValue)
                throw error
            }
        }
        return socket
    }

    private func set(_ level: Int32, _ name: Int32, _ value: Int32, _ calls: SystemCalls) throws(ErrorNumber) {
        if let error = self.descriptor.set(level: level, name: name, to: value, through: calls) { throw error }
    }

    /// Our end of the connection; nil when the socket is in error.
    package var localAddress: TransportAddress? {
        withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { room in
            guard let length = try? SystemCalls.system.socketName(self.descriptor.rawValue, room) else { return nil }
            return TransportAddress(socketAddress: UnsafeRawBufferPointer(rebasing: room.prefix(length)))
        }
    }

    /// Reads what is there without waiting.
    package func receive(into room: UnsafeMutableRawBufferPointer) -> ReceiveResult {
        do throws(ErrorNumber) {
            let count = try SystemCalls.system.receive(self.descriptor.rawValue, room, Int32(MSG_DONTWAIT))
            return count > 0 ? .received(count) : .ended
        } catch {
            return error == .wouldBlock ? .nothing : .failed(error)
        }
    }

    /// Sends FIN behind what is queued; what the peer sends can still be read.
    ///
    /// Unlike ``close()`` it never turns into RST because of bytes that were not read.
    package func finishSending() {
        // Fails where the connection is over already, which is what is wanted.
        try? SystemCalls.system.shutDown(self.descriptor.rawValue, Int32(SHUT_WR))
    }

    /// Closes the socket; the number means nothing afterwards.
    package func close() {
        SystemCalls.system.close(self.descriptor.rawValue)
    }
}
