//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import BelayNIO
import Logging
import ServiceLifecycle
import UnixSignals

/// Runs a service until it ends or a signal asks for a graceful shutdown.
enum CommandRunner {
    /// - Throws: ``CommandFailure`` with the exit code of the contract.
    static func run(_ service: some Service, logger: Logger) async throws {
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(
                        service: service,
                        successTerminationBehavior: .gracefullyShutdownGroup,
                        failureTerminationBehavior: .cancelGroup
                    )
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        do {
            try await group.run()
        } catch let failure as CommandFailure {
            throw failure
        } catch let error as ListenError {
            throw CommandFailure(message: error.description, exitCode: .usage)
        } catch let error as ConfigurationError {
            throw CommandFailure(message: error.forFlags, exitCode: .usage)
        } catch {
            throw CommandFailure(message: "internal error: \(error)", exitCode: .internalError)
        }
    }
}

extension Endpoint {
    /// Reads the URL of a flag.
    ///
    /// - Throws: ``CommandFailure`` that names the flag.
    init(flag: String, url: String) throws {
        do throws(ParseError) {
            try self.init(url: url)
        } catch {
            throw CommandFailure(message: "\(flag): \(error)", exitCode: .usage)
        }
    }
}
