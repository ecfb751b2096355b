//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The root of the command line.
struct BelayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "belay",
        abstract: "Tells you that a TCP peer is gone: within a bound that you choose, with the reason, exactly once.",
        version: "0.1.0",
        subcommands: [
            ServeCommand.self, ConnectCommand.self, ProbeCommand.self, InspectCommand.self, PlanCommand.self,
            SwarmCommand.self,
        ]
    )
}

@main
enum Main {
    static func main() async {
        // A reader of our output that goes away is an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try BelayCommand.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            Self.exit(with: error)
        }
    }

    /// Ends with the exit codes of the contract: 0 for help, the command's own code, 2 for anything wrong in the flags.
    private static func exit(with error: any Error) -> Never {
        switch error {
        case let failure as CommandFailure:
            Output.complain(failure.message)
            Self.exit(failure.exitCode)
        case _ where BelayCommand.exitCode(for: error).isSuccess:
            Output.write(Array((BelayCommand.fullMessage(for: error) + "\n").utf8), to: STDOUT_FILENO)
            Self.exit(.success)
        case let code as ExitCode:
            Self.exit(code)
        default:
            Output.complain(BelayCommand.message(for: error))
            Self.exit(.usage)
        }
    }

    private static func exit(_ code: ExitCode) -> Never {
        #if canImport(Glibc)
        Glibc.exit(code.rawValue)
        #elseif canImport(Musl)
        Musl.exit(code.rawValue)
        #else
        Darwin.exit(code.rawValue)
        #endif
    }
}

extension ExitCode {
    /// The answer is bad: closed, dead, not reachable.
    static let badAnswer = ExitCode(1)
    /// A usage or configuration error.
    static let usage = ExitCode(2)
    /// It cannot be found out.
    static let unknown = ExitCode(3)
    /// An error of our own.
    static let internalError = ExitCode(70)
}

/// Why a command ends, in one line, with its exit code.
struct CommandFailure: Error {
    var message: String
    var exitCode: ExitCode
}
