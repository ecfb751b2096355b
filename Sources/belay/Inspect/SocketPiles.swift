//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket

/// Connections that one side has closed and the other has not, many alike: how leaks look.
enum SocketPiles {
    /// How many sockets alike make a pile.
    private static let size = 10

    /// What sockets of a pile have in common: the process and one of the ends.
    private struct Key: Hashable {
        let isClosedByPeer: Bool
        let pid: Int32?
        let end: End

        enum End: Hashable {
            /// Of a server: the port that its clients connected to.
            case local(port: UInt16)
            /// Of a client: the server that it connected to.
            case remote(TransportAddress)
        }
    }

    /// The piles, the greatest first; no socket is in two of them.
    static func piles(of sockets: [InspectedSocket]) -> [InspectedSocket] {
        let closing = sockets.filter { [.closeWait, .finWait1, .finWait2].contains($0.entry.state) }
        let ofServers = Self.piles(of: closing) { .local(port: $0.entry.local.port) }
        let piled = ofServers.reduce(into: Set<UInt64>()) { $0.formUnion($1.members) }
        let rest = closing.filter { !piled.contains($0.entry.cookie) }
        let ofClients = Self.piles(of: rest) { $0.entry.remote.map(Key.End.remote) }
        return (ofServers + ofClients).sorted(by: InspectedSocket.isWorse)
    }

    private static func piles(
        of sockets: [InspectedSocket],
        by end: (InspectedSocket) -> Key.End?
    ) -> [InspectedSocket] {
        var piles: [Key: InspectedSocket] = [:]
        for socket in sockets {
            guard let end = end(socket) else { continue }
            let isClosedByPeer = socket.entry.state == .closeWait
            let key = Key(isClosedByPeer: isClosedByPeer, pid: socket.owners.first?.pid, end: end)
            piles[key, default: Self.empty(like: socket, end)].members.insert(socket.entry.cookie)
        }
        return piles.values.filter { $0.members.count >= Self.size }.map(Self.explained)
    }

    private static func empty(like socket: InspectedSocket, _ end: Key.End) -> InspectedSocket {
        var pile = socket
        pile.kind = .pile
        switch end {
        case .local(let port): pile.pileEnds = ("*:\(port)", nil)
        case .remote(let address): pile.pileEnds = (nil, "\(address)")
        }
        return pile
    }

    private static func explained(_ pile: InspectedSocket) -> InspectedSocket {
        var pile = pile
        let isClosedByPeer = pile.entry.state == .closeWait
        pile.appraisal = Appraisal(
            verdict: .suspect,
            code: isClosedByPeer ? .peerClosed : nil,
            explanation: isClosedByPeer
                ? "\(pile.count) closed by their peers and not by this program: a leak"
                : "\(pile.count) closed here and not by their peers"
        )
        return pile
    }
}
