//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@testable import BelaySocket

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

#if os(Linux)
/// Looks at kernels that answer from a script: errors that cannot be had at will, and what happens between two calls.
@Suite struct ConnectionProbeScriptedTests {
    private static let ended = Int16(POLLIN) | Int16(POLLHUP) | TestSockets.receivingEnded
    private static let endedInError = Self.ended | Int16(POLLERR)

    private var probe: ConnectionProbe { ConnectionProbe(of: 3) }

    @Test(
        "each error that ends a connection is told with its number, and told again after the kernel has forgotten it",
        arguments: [ErrorNumber.timedOut, .hostUnreachable, .networkUnreachable, .connectionRefused, .hostDown]
    )
    func failed(errno: ErrorNumber) throws {
        let kernel = ScriptedKernel {
            $0.events = [Self.endedInError, Self.ended]
            $0.errors = [errno.rawValue]
            $0.received = [.success(0)]
            $0.states = [.closed]
        }
        var probe = self.probe
        for _ in 0..<3 {
            let look = try probe.look(through: kernel.calls)
            #expect(look.state == .failed(errno))
            #expect(look.error == errno)
            #expect(!look.hasUnreadBytes)
        }
        var forgetful = self.probe
        #expect(try forgetful.look(through: kernel.calls).state == .over)
    }

    @Test("of a healthy connection SO_ERROR is not read, so that a soft error stays with its owner")
    func takesNothing() throws {
        let states: [TCPState] = [.established, .closeWait, .finWait1, .finWait2, .synSent, .listen]
        for state in states {
            for events in [0, Int16(POLLIN), Int16(POLLIN) | TestSockets.receivingEnded] {
                let kernel = ScriptedKernel {
                    $0.events = [events]
                    $0.errors = [EHOSTUNREACH]
                    $0.states = [state]
                }
                var probe = self.probe
                _ = try probe.look(through: kernel.calls)
                #expect(kernel.reads(of: .error) == 0)
            }
        }
    }

    @Test("an error that did not end the connection is told once, and explains no later end")
    func softError() throws {
        let kernel = ScriptedKernel {
            $0.events = [Int16(POLLERR), 0, Self.ended]
            $0.errors = [EHOSTUNREACH]
            $0.received = [.failure(.wouldBlock), .failure(.wouldBlock), .success(0)]
            $0.states = [.established, .established, .closed]
        }
        var probe = self.probe
        let first = try probe.look(through: kernel.calls)
        #expect(first.state == .open)
        #expect(first.error == .hostUnreachable)
        #expect(try probe.look(through: kernel.calls).error == nil)
        #expect(try probe.look(through: kernel.calls).state == .over)
    }

    @Test("POLLERR without an error, as the queue of MSG_ERRQUEUE makes it, is an open connection")
    func errorQueue() throws {
        let kernel = ScriptedKernel {
            $0.events = [Int16(POLLERR)]
            $0.states = [.established]
        }
        var probe = self.probe
        #expect(try probe.look(through: kernel.calls).state == .open)
    }

    // MARK: - Between two calls

    @Test("a reset that comes between poll and the peek, which takes its error, is told as a reset")
    func errorInPeek() throws {
        let kernel = ScriptedKernel {
            $0.events = [0, Self.ended]
            $0.received = [.failure(.connectionReset), .success(0)]
            $0.states = [.closed]
        }
        var probe = self.probe
        for _ in 0..<2 { #expect(try probe.look(through: kernel.calls).state == .reset) }
        #expect(probe.error == .connectionReset)
    }

    @Test("a reset that comes between the peek and TCP_INFO is told as a reset")
    func errorAfterPeek() throws {
        let kernel = ScriptedKernel {
            $0.events = [0, Self.endedInError]
            $0.errors = [ECONNRESET]
            $0.received = [.failure(.wouldBlock), .success(0)]
            $0.states = [.closed]
        }
        var probe = self.probe
        #expect(try probe.look(through: kernel.calls).state == .reset)
    }

    @Test("an end in order that comes during the look is no socket that was never connected")
    func endDuringLook() throws {
        let kernel = ScriptedKernel {
            $0.events = [0, Self.ended]
            $0.received = [.failure(.wouldBlock), .success(0)]
            $0.states = [.closed]
        }
        var probe = self.probe
        #expect(try probe.look(through: kernel.calls).state == .over)
    }

    @Test("a FIN that comes during the look is seen by the state")
    func finDuringLook() throws {
        let kernel = ScriptedKernel { $0.states = [.closeWait] }
        var probe = self.probe
        #expect(try probe.look(through: kernel.calls).state == .closedByPeer)
    }

    // MARK: - What else a descriptor may be

    @Test("where SO_PEEK_OFF is on nothing is peeked, and poll tells whether bytes wait")
    func peekOffset() throws {
        for (events, unread) in [(Int16(0), false), (Int16(POLLIN), true)] {
            let kernel = ScriptedKernel {
                $0.options[.peekOffset] = 0
                $0.events = [events]
                $0.states = [.established]
            }
            var probe = self.probe
            let look = try probe.look(through: kernel.calls)
            #expect(look.state == .open)
            #expect(look.hasUnreadBytes == unread)
            #expect(kernel.receives == 0)
        }
    }

    @Test("a raw socket of TCP's number, a datagram socket and SCTP are not TCP, and lose no error")
    func notTCP() throws {
        for (type, transport) in [(3, 6), (2, 17), (1, 132), (1, 0)] as [(Int32, Int32)] {
            let kernel = ScriptedKernel {
                $0.options[.type] = type
                $0.options[.transport] = transport
                $0.events = [Self.endedInError]
                $0.errors = [ECONNREFUSED]
            }
            var probe = self.probe
            #expect(try probe.look(through: kernel.calls).state == .notTCP)
            #expect(kernel.reads(of: .error) == 0)
            #expect(kernel.receives == 0)
        }
    }

    @Test("Multipath TCP is judged without the TCP_INFO of its first path")
    func multipath() throws {
        let kernel = ScriptedKernel {
            $0.options[.transport] = 262
            $0.states = [.closed]
        }
        var probe = self.probe
        let look = try probe.look(through: kernel.calls)
        #expect(look.state == .open)
        #expect(look.tcpInfo == nil)
        kernel.change { $0.options[.accepts] = 1 }
        #expect(try probe.look(through: kernel.calls).state == .listening)
    }

    // MARK: - What cannot be asked

    @Test("a descriptor that is closed during the look is an error, whichever call finds out")
    func closedDuringLook() {
        let kernels = [
            ScriptedKernel { $0.refusals[.transport] = .badDescriptor },
            ScriptedKernel { $0.pollError = .badDescriptor },
            ScriptedKernel { $0.events = [Int16(POLLNVAL)] },
            ScriptedKernel { $0.received = [.failure(.badDescriptor)] },
            ScriptedKernel {
                $0.events = [Self.endedInError]
                $0.refusals[.error] = .badDescriptor
            },
        ]
        for kernel in kernels {
            #expect(throws: ConnectionProbe.Failure.notOpen(Descriptor(rawValue: 3))) {
                var probe = self.probe
                _ = try probe.look(through: kernel.calls)
            }
        }
    }

    @Test("a system that refuses a call is named as such, with the call")
    func unsupported() {
        let refuses = ScriptedKernel { $0.pollError = .notPermitted }
        #expect(throws: ConnectionProbe.Failure.unsupported(call: "poll(2)", .notPermitted)) {
            var probe = self.probe
            _ = try probe.look(through: refuses.calls)
        }
        let failure = ConnectionProbe.Failure.unsupported(call: "poll(2)", .notPermitted)
        #expect("\(failure)" == "this system does not let a socket be looked at: poll(2) gave EPERM")
    }
}
#endif
