//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelayNIO
import NIOCore

/// Records what a delegate is told, and acts in the place of a program where a test wants that.
final class RecordingDelegate: ConnectionDelegate {
    enum Call: Equatable, Sendable {
        case opened
        case received(String)
        case suspected
        case recovered
        case writabilityChanged
        case closed(DisconnectReason.Code)
    }

    let calls = Recorder<Call>()
    private let onOpened: (@Sendable (Connection) -> Void)?
    private let onReceived: (@Sendable (ByteBuffer, Connection) -> Void)?
    private let onSuspected: (@Sendable (Connection) -> Void)?

    init(
        onOpened: (@Sendable (Connection) -> Void)? = nil,
        onReceived: (@Sendable (ByteBuffer, Connection) -> Void)? = nil,
        onSuspected: (@Sendable (Connection) -> Void)? = nil
    ) {
        self.onOpened = onOpened
        self.onReceived = onReceived
        self.onSuspected = onSuspected
    }

    /// The messages that were received.
    var messages: [String] {
        self.calls.elements.compactMap { call in
            if case .received(let message) = call { message } else { nil }
        }
    }

    func opened(_ connection: Connection) {
        self.calls.record(.opened)
        self.onOpened?(connection)
    }

    func received(_ message: ByteBuffer, on connection: Connection) {
        self.calls.record(.received(String(buffer: message)))
        self.onReceived?(message, connection)
    }

    func suspected(_ connection: Connection, silence: Duration) {
        self.calls.record(.suspected)
        self.onSuspected?(connection)
    }

    func recovered(_ connection: Connection, silence: Duration) {
        self.calls.record(.recovered)
    }

    func writabilityChanged(_ connection: Connection) {
        self.calls.record(.writabilityChanged)
    }

    func closed(_ connection: Connection, reason: DisconnectReason) {
        self.calls.record(.closed(reason.code))
    }
}
