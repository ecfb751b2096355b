//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Synchronization

@testable import BelaySocket

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A kernel that answers from a script, and counts what it was asked.
final class ScriptedKernel: Sendable {
    struct Script {
        /// Integer options by level and name; what is not here is refused with ENOPROTOOPT.
        var options: [Option: Int32] = [:]
        /// Why an option is refused.
        var refusals: [Option: ErrorNumber] = [:]
        /// What poll(2) reports, the last one for ever.
        var events: [Int16] = [0]
        /// Why poll(2) fails.
        var pollError: ErrorNumber?
        /// SO_ERROR, told once each.
        var errors: [Int32] = []
        /// What recv(2) gives, the last one for ever: a count, or an error.
        var received: [Result<Int, ErrorNumber>] = [.failure(.wouldBlock)]
        /// The states in TCP_INFO, the last one for ever; none where there is no TCP_INFO.
        var states: [TCPState] = []
        /// What becomes of an option's value that is set.
        var taken: @Sendable (Option, Int32) -> Result<Int32, ErrorNumber> = { _, value in .success(value) }
        /// How often each option was read.
        var reads: [Option: Int] = [:]
        /// How often recv(2) was called.
        var receives = 0
    }

    struct Option: Hashable, Sendable {
        var level: Int32
        var name: Int32

        static let error = Option(level: SOL_SOCKET, name: SO_ERROR)
        static let type = Option(level: SOL_SOCKET, name: SO_TYPE)
        static let accepts = Option(level: SOL_SOCKET, name: SO_ACCEPTCONN)
        static let peekOffset = Option(level: SOL_SOCKET, name: 42)
        static let transport = Option(level: SOL_SOCKET, name: 38)
        static let info = Option(level: Int32(IPPROTO_TCP), name: 11)
    }

    private let script: Mutex<Script>

    /// A TCP socket, with what the closure makes of it.
    init(_ change: (inout Script) -> Void = { _ in }) {
        var script = Script()
        script.options[.type] = 1
        script.options[.transport] = 6
        change(&script)
        self.script = Mutex(script)
    }

    func change(_ body: (inout sending Script) -> Void) { self.script.withLock { body(&$0) } }

    func reads(of option: Option) -> Int { self.script.withLock { $0.reads[option] ?? 0 } }

    var receives: Int { self.script.withLock { $0.receives } }

    var calls: SystemCalls {
        var calls = SystemCalls.refusing
        calls.getOption = { (_, level, name, room) throws(ErrorNumber) in
            try self.read(Option(level: level, name: name), into: room).get()
        }
        calls.setOption = { (_, level, name, bytes) throws(ErrorNumber) in
            let option = Option(level: level, name: name)
            let value = bytes.loadUnaligned(as: Int32.self)
            try self.script.withLock { script in
                script.taken(option, value).map { script.options[option] = $0 }
            }.get()
        }
        calls.receive = { (_, _, _) throws(ErrorNumber) in
            try self.script.withLock { script in
                script.receives += 1
                return Self.next(&script.received)
            }.get()
        }
        calls.poll = { (_, _) throws(ErrorNumber) in
            let (events, error) = self.script.withLock { (Self.next(&$0.events), $0.pollError) }
            if let error { throw error }
            return events
        }
        return calls
    }

    private func read(_ option: Option, into room: UnsafeMutableRawBufferPointer) -> Result<Int, ErrorNumber> {
        // Bytes and length of the answer; the room itself stays out of the lock.
        let answer: Result<[UInt8], ErrorNumber> = self.script.withLock { script in
            script.reads[option, default: 0] += 1
            if let refusal = script.refusals[option] { return .failure(refusal) }
            if option == .error { return .success(Self.bytes(script.errors.isEmpty ? 0 : script.errors.removeFirst())) }
            if option == .info, !script.states.isEmpty {
                return .success([Self.next(&script.states).rawValue] + [UInt8](repeating: 0, count: 231))
            }
            guard let value = script.options[option] else { return .failure(.noSuchOption) }
            return .success(Self.bytes(value))
        }
        return answer.map { bytes in
            let count = min(bytes.count, room.count)
            room.copyBytes(from: bytes.prefix(count))
            return count
        }
    }

    private static func bytes(_ value: Int32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

    private static func next<Element>(_ list: inout [Element]) -> Element {
        list.count > 1 ? list.removeFirst() : list[0]
    }
}
