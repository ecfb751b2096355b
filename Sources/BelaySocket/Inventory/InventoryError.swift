//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// Why the kernel's tables could not be read, or a socket not be destroyed.
public struct InventoryError: Error, Hashable, Sendable {
    /// What went wrong; the text is stable.
    public enum Code: String, CaseIterable, Hashable, Sendable {
        /// This system has no socket diagnostics, or its kernel was built without what was asked of it.
        case unsupported = "unsupported"
        /// The kernel allows it to others only: root, or who has the capability that the message names.
        case notPermitted = "not-permitted"
        /// The socket is no longer there.
        case gone = "gone"
        /// The tables changed under the reader again and again, or answers were lost.
        case inconsistent = "inconsistent"
        /// The kernel did not answer in time.
        case noAnswer = "no-answer"
        /// The kernel's answer is not what this version understands.
        case malformedAnswer = "malformed-answer"
        /// There is no such process.
        case noSuchProcess = "no-such-process"
        /// The process has no such descriptor.
        case noSuchDescriptor = "no-such-descriptor"
        /// The descriptor is open and is no socket.
        case notASocket = "not-a-socket"
        /// Anything else; see ``InventoryError/errno``.
        case failed = "failed"
    }

    /// What went wrong.
    public var code: Code
    /// The kernel's error number, where it gave one.
    public var errno: ErrorNumber?
    /// What went wrong and with what, in one line.
    public var message: String

    init(_ code: Code, _ message: String, errno: ErrorNumber? = nil) {
        self.code = code
        self.errno = errno
        self.message = message
    }

    /// A call that failed in a way that has no code of its own, or for lack of permission.
    init(_ doing: String, _ errno: ErrorNumber) {
        let isRefused = errno == .notPermitted || errno == .permissionDenied
        self.init(isRefused ? .notPermitted : .failed, "\(doing): \(errno.name)", errno: errno)
    }

    /// What has no counterpart on this system.
    static let unsupportedSystem = InventoryError(
        .unsupported,
        "this system does not list TCP sockets: Linux with socket diagnostics (CONFIG_INET_DIAG) does"
    )
}

extension InventoryError: CustomStringConvertible {
    /// The message.
    public var description: String { self.message }
}
