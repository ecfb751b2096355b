//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import Foundation
import Logging

/// The flags that say where events and logs go.
struct OutputOptions: ParsableArguments {
    @Option(help: "Where events go, as JSON lines: - for standard output, or a file that is appended to.")
    var events: String?

    @Option(help: "The name of this node in events. Default: the name of the host.")
    var node: String?

    @Option(help: "What is logged to standard error: trace, debug, info, notice, warning, error or critical.")
    var logLevel: Logger.Level = .notice

    /// A logger to standard error.
    var logger: Logger {
        var logger = Logger(label: "belay") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = self.logLevel
        return logger
    }

    /// The descriptor that events are written to; nil when they are not wanted.
    ///
    /// - Throws: ``CommandFailure`` when the file cannot be opened.
    func openEvents() throws -> Int32? {
        guard let events else { return nil }
        guard events != "-" else { return STDOUT_FILENO }
        let descriptor = open(events, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw CommandFailure(
                message: "--events \(events) cannot be written: \(String(cString: strerror(errno)))",
                exitCode: .usage
            )
        }
        return descriptor
    }

    var nodeName: String { self.node ?? ProcessInfo.processInfo.shortHostName }
}

extension ProcessInfo {
    /// The name of this host as the kernel knows it, without asking a name server.
    fileprivate var shortHostName: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "node-1" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
