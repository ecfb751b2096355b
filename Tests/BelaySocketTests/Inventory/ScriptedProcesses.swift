//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore

@testable import BelaySocket

#if os(Linux)
/// A `/proc` as a test has written it down.
struct ScriptedProcesses: Sendable {
    /// A process: what its descriptors are open on, or why it tells nothing.
    struct Process: Sendable {
        var command: String? = "program"
        var descriptors: [Int32: Result<String, ErrorNumber>] = [:]
        /// Why the list of its descriptors cannot be had.
        var refusal: ErrorNumber?
        /// Why its list breaks off.
        var brokenOff: ErrorNumber?
    }

    var processes: [Int32: Process] = [:]
    /// Why `/proc` itself cannot be listed.
    var refusal: ErrorNumber?

    var calls: SystemCalls {
        var calls = SystemCalls.refusing
        calls.numbers = { (path, body) throws(ErrorNumber) in
            if path == "/proc" {
                if let refusal = self.refusal { throw refusal }
                // A process that ended after it was listed.
                for pid in self.processes.keys.sorted(by: >) + [99_999] { body(pid) }
                return
            }
            let process = try self.process(of: path)
            if let refusal = process.refusal { throw refusal }
            for descriptor in process.descriptors.keys.sorted(by: >) { body(descriptor) }
            if let brokenOff = process.brokenOff { throw brokenOff }
        }
        calls.readLink = { (path, room) throws(ErrorNumber) in
            let process = try self.process(of: path)
            if let refusal = process.refusal { throw refusal }
            guard let descriptor = path.split(separator: "/").last.flatMap({ Int32($0) }),
                let target = process.descriptors[descriptor]
            else { throw .noSuchEntry }
            return Self.fill(room, try target.get())
        }
        calls.readFile = { (path, room) throws(ErrorNumber) in
            if path == "/proc/self/comm" {
                guard self.refusal == nil else { throw .noSuchEntry }
                return Self.fill(room, "self\n")
            }
            guard let command = try self.process(of: path).command else { throw .noSuchProcess }
            return Self.fill(room, command + "\n")
        }
        return calls
    }

    private func process(of path: String) throws(ErrorNumber) -> Process {
        let parts = path.split(separator: "/")
        guard parts.count > 1, let pid = Int32(parts[1]), let process = self.processes[pid] else { throw .noSuchEntry }
        return process
    }

    private static func fill(_ room: UnsafeMutableRawBufferPointer, _ text: String) -> Int {
        let bytes = Array(text.utf8.prefix(room.count))
        room.copyBytes(from: bytes)
        return bytes.count
    }
}
#endif
