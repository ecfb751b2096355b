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
/// What the kernel has made of the second line of detection (rule R11).
@Suite struct KernelTimeoutsReadBackTests {
    private static let tcp = Int32(IPPROTO_TCP)
    private static let longestRetransmission = ScriptedKernel.Option(level: Self.tcp, name: 44)

    private func timeouts(_ policy: LivenessPolicy = .lan) throws -> KernelTimeouts {
        KernelTimeouts(try policy.timings())
    }

    /// What should be read back; without the one that only newer kernels have.
    private func expected(_ timeouts: KernelTimeouts, longestRetransmission: Int32?) -> TakenTimeouts {
        TakenTimeouts(
            noDelay: timeouts.noDelay,
            keepalive: timeouts.keepaliveIdleSeconds != nil,
            keepaliveIdleSeconds: timeouts.keepaliveIdleSeconds,
            keepaliveIntervalSeconds: timeouts.keepaliveIntervalSeconds,
            keepaliveCount: timeouts.keepaliveCount,
            userTimeoutMilliseconds: timeouts.userTimeoutMilliseconds,
            notSentLowWatermarkBytes: timeouts.notSentLowWatermarkBytes,
            longestRetransmissionMilliseconds: longestRetransmission
        )
    }

    // MARK: - Real sockets

    @Test(
        "what was applied is read back, and nothing is noted",
        arguments: [LivenessPolicy.localTesting, .lan, .wan, .mobile, LivenessPolicy(detectWithin: .seconds(86_400))]
    )
    func applied(policy: LivenessPolicy) throws {
        let sockets = try TestSockets()
        let timeouts = try self.timeouts(policy)
        let refused = sockets.descriptor.apply(timeouts)
        let notes = sockets.descriptor.verify(timeouts)
        // Linux has TCP_RTO_MAX_MS from 6.15 on.
        #expect(notes.map(\.name) == refused.map(\.name))
        let longest = refused.isEmpty ? timeouts.longestRetransmissionMilliseconds : nil
        #expect(sockets.descriptor.readKernelTimeouts() == self.expected(timeouts, longestRetransmission: longest))
    }

    @Test("options that were never applied are noted with what the kernel has")
    func notApplied() throws {
        let sockets = try TestSockets()
        var timeouts = try self.timeouts()
        timeouts.keepaliveIdleSeconds = 5
        let notes = sockets.descriptor.verify(timeouts)
        #expect(notes.map(\.name).starts(with: ["TCP_NODELAY", "SO_KEEPALIVE", "TCP_KEEPIDLE"]))
        #expect(notes.first { $0.name == "TCP_KEEPIDLE" }?.asked == 5)
        #expect(notes.first { $0.name == "TCP_KEEPIDLE" }?.got == sockets.option(Self.tcp, TCP_KEEPIDLE))
        #expect(notes.first { $0.name == "TCP_USER_TIMEOUT" }?.got == 0)
    }

    @Test("a time that the kernel rounds to its tick is taken as asked")
    func rounded() throws {
        let sockets = try TestSockets()
        var timeouts = try self.timeouts()
        for milliseconds in Int32(1_001)...1_009 {
            timeouts.longestRetransmissionMilliseconds = milliseconds
            guard sockets.descriptor.apply(timeouts).isEmpty else { return }
            #expect(sockets.descriptor.verify(timeouts).isEmpty)
        }
    }

    @Test("a listener hands all of them on to the connections that it accepts")
    func inherited() throws {
        let sockets = try HalfwaySockets()
        let timeouts = try self.timeouts()
        let listener = Descriptor(rawValue: sockets.listener)
        _ = listener.apply(timeouts)
        _ = try sockets.connect()
        let accepted = accept(sockets.listener, nil, nil)
        defer { close(accepted) }
        #expect(Descriptor(rawValue: accepted).verify(timeouts) == listener.verify(timeouts))
        #expect(Descriptor(rawValue: accepted).readKernelTimeouts() == listener.readKernelTimeouts())
    }

    @Test("of what is not TCP nothing is read back, and each note has its error")
    func notTCP() throws {
        let sockets = try TestSockets.unix()
        #expect(sockets.descriptor.readKernelTimeouts() == nil)
        #expect(Descriptor(rawValue: -1).readKernelTimeouts() == nil)
        let notes = Descriptor(rawValue: -1).verify(try self.timeouts())
        #expect(notes.count == 8)
        #expect(notes.allSatisfy { $0.got == nil && $0.errno == .badDescriptor })
    }

    // MARK: - Scripted kernels

    @Test("a kernel that does not know TCP_RTO_MAX_MS takes the others, and is noted with that one")
    func olderKernel() throws {
        let kernel = ScriptedKernel {
            $0.taken = { $0 == Self.longestRetransmission ? .failure(.noSuchOption) : .success($1) }
        }
        let descriptor = Descriptor(rawValue: 3)
        let timeouts = try self.timeouts()
        let refused = descriptor.apply(timeouts, through: kernel.calls)
        #expect(refused == [RefusedOption(name: "TCP_RTO_MAX_MS", errno: .noSuchOption)])
        let notes = descriptor.verify(timeouts, through: kernel.calls)
        let asked = timeouts.longestRetransmissionMilliseconds
        #expect(notes == [OptionNote(name: "TCP_RTO_MAX_MS", asked: asked, errno: .noSuchOption)])
        #expect(notes.first?.description == "TCP_RTO_MAX_MS: asked for \(asked), not to be read (ENOPROTOOPT)")
        #expect(
            descriptor.readKernelTimeouts(through: kernel.calls)
                == self.expected(timeouts, longestRetransmission: nil)
        )
    }

    @Test("a kernel that takes another value without a word is noted with both")
    func clamps() throws {
        let kernel = ScriptedKernel {
            $0.taken = { .success($0.name == TCP_KEEPIDLE && $0.level == Self.tcp ? min($1, 10) : $1) }
        }
        let descriptor = Descriptor(rawValue: 3)
        var timeouts = try self.timeouts()
        timeouts.keepaliveIdleSeconds = 3_600
        #expect(descriptor.apply(timeouts, through: kernel.calls).isEmpty)
        let notes = descriptor.verify(timeouts, through: kernel.calls)
        #expect(notes == [OptionNote(name: "TCP_KEEPIDLE", asked: 3_600, got: 10)])
        #expect(notes.first?.description == "TCP_KEEPIDLE: asked for 3600, the kernel has 10")
    }

    @Test("a longest retransmission that is a whole tick off is noted")
    func beyondRounding() throws {
        let kernel = ScriptedKernel { $0.taken = { .success($0 == Self.longestRetransmission ? $1 + 10 : $1) } }
        let timeouts = try self.timeouts()
        _ = Descriptor(rawValue: 3).apply(timeouts, through: kernel.calls)
        let notes = Descriptor(rawValue: 3).verify(timeouts, through: kernel.calls)
        #expect(notes.map(\.name) == ["TCP_RTO_MAX_MS"])
    }

    @Test("a flag that reads as any number but zero is on, as on other systems than Linux")
    func flags() throws {
        let kernel = ScriptedKernel {
            $0.taken = { .success([TCP_NODELAY, SO_KEEPALIVE].contains($0.name) ? $1 * 4 : $1) }
        }
        let timeouts = try self.timeouts()
        _ = Descriptor(rawValue: 3).apply(timeouts, through: kernel.calls)
        #expect(
            Descriptor(rawValue: 3).verify(timeouts, through: kernel.calls).map(\.name).contains("TCP_NODELAY") == false
        )
        #expect(Descriptor(rawValue: 3).readKernelTimeouts(through: kernel.calls)?.keepalive == true)
    }
}
#endif
