//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import ArgumentParser
import BelayCore
import Foundation
import Synchronization

/// Runs a swarm in several processes of this program, because one cannot have so many files open.
///
/// Each gets the same flags and its share, and writes lines to its standard output: how far it is, and at last its outcome.
final class SwarmProcesses: Sendable {
    /// A line of a process.
    private enum Line: Codable {
        case progress(SwarmProgress)
        case outcome(SwarmOutcome)
    }

    private struct State {
        var progress: [SwarmProgress?]
        var outcomes: [SwarmOutcome?]
        var running: Int
    }

    private let count: Int
    private let state: Mutex<State>

    init(count: Int) {
        self.count = count
        self.state = Mutex(
            State(
                progress: Array(repeating: nil, count: count),
                outcomes: Array(repeating: nil, count: count),
                running: count
            )
        )
    }

    // MARK: - One of them

    /// Runs this process's share and tells the one that started it.
    static func runShare(_ settings: SwarmSettings) throws {
        Interruption.install(ignoresTerminal: true)
        let outcome = try SwarmCommand.run(settings) { progress in
            // Nobody reads any more: whoever started it is gone.
            if !Self.write(.progress(progress)) { Interruption.request() }
        }
        Self.write(.outcome(outcome))
    }

    @discardableResult
    private static func write(_ line: Line) -> Bool {
        guard let data = try? JSONEncoder().encode(line) else { return false }
        return Output.write(Array(data) + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
    }

    // MARK: - The one that starts them

    /// Starts them, shows how far they are, and waits for all.
    ///
    /// - Throws: ``CommandFailure`` when one cannot be started or does not tell its outcome.
    func run() throws -> SwarmOutcome {
        Interruption.install()
        var processes: [Process] = []
        defer { for process in processes where process.isRunning { process.terminate() } }
        for index in 0..<self.count { processes.append(try self.start(index)) }
        var isTold = false
        var turns = 0
        while self.state.withLock({ $0.running }) > 0 {
            // Each process is read in a thread of its own; this one only redraws and passes an interruption on.
            Thread.sleep(forTimeInterval: 0.1)
            turns += 1
            if Interruption.isRequested, !isTold {
                isTold = true
                for process in processes where process.isRunning { process.terminate() }
            }
            if turns.isMultiple(of: 10), let progress = self.progress {
                Terminal.showProgress(progress.text, orTell: turns.isMultiple(of: 50))
            }
        }
        return try self.state.withLock { state in
            var all = SwarmOutcome()
            for outcome in state.outcomes {
                guard let outcome else {
                    throw CommandFailure(message: "a process of the swarm ended early", exitCode: .internalError)
                }
                all.add(outcome)
            }
            return all
        }
    }

    private var progress: SwarmProgress? {
        let parts = self.state.withLock { $0.progress.compactMap { $0 } }
        guard let first = parts.first else { return nil }
        return parts.dropFirst().reduce(first, +)
    }

    private func start(_ index: Int) throws -> Process {
        let process = Process()
        process.executableURL = try Self.executable
        process.arguments = Array(CommandLine.arguments.dropFirst()) + ["--share", "\(index)/\(self.count)"]
        process.standardInput = FileHandle.nullDevice
        let pipe = Pipe()
        process.standardOutput = pipe
        do {
            try process.run()
        } catch {
            throw CommandFailure(message: "a process of the swarm does not start: \(error)", exitCode: .internalError)
        }
        let reader = pipe.fileHandleForReading
        let thread = Thread { self.readAll(of: reader, index) }
        thread.name = "belay-swarm-\(index)"
        thread.start()
        return process
    }

    private static var executable: URL {
        get throws {
            #if os(Linux)
            // Also when the file was replaced since.
            URL(fileURLWithPath: "/proc/self/exe")
            #else
            guard let url = Bundle.main.executableURL else {
                throw CommandFailure(message: "the file of this program is not known", exitCode: .internalError)
            }
            return url
            #endif
        }
    }

    private func readAll(of file: FileHandle, _ index: Int) {
        var rest = Data()
        while let data = try? file.read(upToCount: 65_536), !data.isEmpty {
            rest.append(data)
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = try? JSONDecoder().decode(Line.self, from: rest[rest.startIndex..<end])
                rest = Data(rest[(end + 1)...])
                self.state.withLock { state in
                    switch line {
                    case .progress(let progress): state.progress[index] = progress
                    case .outcome(let outcome): state.outcomes[index] = outcome
                    case nil: break
                    }
                }
            }
        }
        self.state.withLock { $0.running -= 1 }
    }
}
