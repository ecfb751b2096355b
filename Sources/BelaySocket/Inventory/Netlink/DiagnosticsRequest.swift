//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

#if os(Linux)
import CBelayLinux

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// A request to the kernel's socket diagnostics about TCP (`struct inet_diag_req_v2`), as bytes.
struct DiagnosticsRequest {
    /// What follows the netlink header.
    private(set) var payload: [UInt8]

    /// All sockets of a family that the filter lets through, as far as the kernel can compare.
    static func dump(
        _ family: TransportAddress.Family,
        matching filter: SocketFilter,
        details: SocketDetails
    ) -> DiagnosticsRequest {
        var request = Self.base(family, details)
        // Closed sockets are listed only where those are that are bound and not connected (bit 13, since Linux 6.8).
        let mask = filter.stateMask
        request.idiag_states = mask & 1 << 7 == 0 ? mask : mask | 1 << 13
        let bytes = Self.bytes(of: request)
        let bytecode = DiagnosticsBytecode(filter, socketFamily: family).bytes
        guard !bytecode.isEmpty else { return DiagnosticsRequest(payload: bytes) }
        let header = [UInt16(4 + bytecode.count), UInt16(INET_DIAG_REQ_BYTECODE)]
        return DiagnosticsRequest(payload: bytes + header.withUnsafeBytes { Array($0) } + bytecode)
    }

    /// The one socket with this pair of addresses, whatever its cookie.
    static func connection(local: TransportAddress, remote: TransportAddress) -> DiagnosticsRequest {
        var request = Self.base(local.family, .all)
        request.id = Self.id(local, remote, mapped: false)
        request.id.idiag_cookie = (Self.noCookie, Self.noCookie)
        return DiagnosticsRequest(payload: Self.bytes(of: request))
    }

    /// This one socket, by its cookie.
    static func socket(_ entry: SocketEntry) -> DiagnosticsRequest {
        let isMapped = entry.socketFamily == .ipv6
        var request = Self.base(entry.socketFamily, [])
        request.id = Self.id(entry.local, entry.rawRemote, mapped: isMapped)
        request.id.idiag_if = entry.rawInterface
        request.id.idiag_cookie = (
            UInt32(truncatingIfNeeded: entry.cookie), UInt32(truncatingIfNeeded: entry.cookie >> 32)
        )
        return DiagnosticsRequest(payload: Self.bytes(of: request))
    }

    /// INET_DIAG_NOCOOKIE.
    static let noCookie = UInt32.max

    private static func base(_ family: TransportAddress.Family, _ details: SocketDetails) -> inet_diag_req_v2 {
        var request = inet_diag_req_v2()
        request.sdiag_family = UInt8(family == .ipv4 ? AF_INET : AF_INET6)
        request.sdiag_protocol = 6
        request.idiag_states = .max
        if details.contains(.tcpInfo) { request.idiag_ext |= 1 << (UInt8(INET_DIAG_INFO) - 1) }
        if details.contains(.memory) { request.idiag_ext |= 1 << (UInt8(INET_DIAG_SKMEMINFO) - 1) }
        return request
    }

    private static func id(
        _ local: TransportAddress,
        _ remote: TransportAddress,
        mapped: Bool
    ) -> inet_diag_sockid {
        var id = inet_diag_sockid()
        id.idiag_sport = local.port.bigEndian
        id.idiag_dport = remote.port.bigEndian
        id.idiag_src = local.words(mapped: mapped)
        id.idiag_dst = remote.words(mapped: mapped)
        return id
    }

    private static func bytes(of request: inet_diag_req_v2) -> [UInt8] {
        withUnsafeBytes(of: request, Array.init)
    }
}
#endif
