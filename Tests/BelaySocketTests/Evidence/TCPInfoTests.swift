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
/// The structure of TCP_INFO, byte by byte and from real connections.
@Suite(.timeLimit(.minutes(1))) struct TCPInfoTests {
    /// The lengths that Linux has had: 2.6, 4.10, 4.19 with 5.4, 6.2, 6.7 and 6.18; and one that is still to come.
    private static let kernelLengths = [104, 192, 224, 232, 240, 248, 280, 300]

    private typealias Field = @Sendable (TCPInfo) -> UInt64?

    /// Each field that not every kernel has, and where it lies (`include/uapi/linux/tcp.h`, counted by hand).
    private static let fields: [(offset: Int, size: Int, field: Field)] = [
        (104, 8, { $0.pacingRate }),
        (112, 8, { $0.maximumPacingRate }),
        (120, 8, { $0.bytesAcked }),
        (128, 8, { $0.bytesReceived }),
        (136, 4, { $0.segmentsSent.map(UInt64.init) }),
        (140, 4, { $0.segmentsReceived.map(UInt64.init) }),
        (144, 4, { $0.notSentBytes.map(UInt64.init) }),
        (148, 4, { $0.minimumRoundTrip.map(UInt64.init) }),
        (152, 4, { $0.dataSegmentsReceived.map(UInt64.init) }),
        (156, 4, { $0.dataSegmentsSent.map(UInt64.init) }),
        (160, 8, { $0.deliveryRate }),
        (168, 8, { $0.busyTime }),
        (176, 8, { $0.receiveWindowLimitedTime }),
        (184, 8, { $0.sendBufferLimitedTime }),
        (192, 4, { $0.delivered.map(UInt64.init) }),
        (196, 4, { $0.deliveredWithCongestion.map(UInt64.init) }),
        (200, 8, { $0.bytesSent }),
        (208, 8, { $0.bytesRetransmitted }),
        (216, 4, { $0.duplicateSelectiveAcks.map(UInt64.init) }),
        (220, 4, { $0.reorderingsSeen.map(UInt64.init) }),
        (224, 4, { $0.outOfOrderSegments.map(UInt64.init) }),
        (228, 4, { $0.sendWindow.map(UInt64.init) }),
        (232, 4, { $0.receiveWindow.map(UInt64.init) }),
        (236, 4, { $0.rehashes.map(UInt64.init) }),
        (240, 2, { $0.totalTimeouts.map(UInt64.init) }),
        (242, 2, { $0.timeoutRecoveries.map(UInt64.init) }),
        (244, 4, { $0.timeoutRecoveryTime.map(UInt64.init) }),
        (248, 4, { $0.receivedWithCongestion.map(UInt64.init) }),
        (252, 4, { $0.deliveredE1Bytes.map(UInt64.init) }),
        (256, 4, { $0.deliveredE0Bytes.map(UInt64.init) }),
        (260, 4, { $0.deliveredCEBytes.map(UInt64.init) }),
        (264, 4, { $0.receivedE1Bytes.map(UInt64.init) }),
        (268, 4, { $0.receivedE0Bytes.map(UInt64.init) }),
        (272, 4, { $0.receivedCEBytes.map(UInt64.init) }),
        (276, 2, { $0.accurateECNFailures.map(UInt64.init) }),
        (278, 2, { $0.accurateECNOption.map(UInt64.init) }),
    ]

    /// Each number of four bytes that every kernel has, in the order in which they lie from byte 8 on.
    ///
    /// The one at 48 (`tcpi_last_ack_sent`) is never filled in.
    private static let commonFields: [@Sendable (TCPInfo) -> UInt32] = [
        { $0.retransmissionTimeout }, { $0.delayedAckTimeout }, { $0.sendSegmentSize }, { $0.receiveSegmentSize },
        { $0.unacked }, { $0.sacked }, { $0.lost }, { $0.retransmitted }, { $0.forwardAcked }, { $0.lastDataSent },
        { $0.lastAckSent }, { $0.lastDataReceived }, { $0.lastAckReceived }, { $0.pathMTU },
        { $0.receiveSlowStartThreshold }, { $0.roundTrip }, { $0.roundTripDeviation }, { $0.sendSlowStartThreshold },
        { $0.congestionWindow }, { $0.advertisedSegmentSize }, { $0.reordering }, { $0.receiveRoundTrip },
        { $0.receiveSpace }, { $0.totalRetransmits },
    ]

    /// Bytes of which no two fields have the same; the state is established.
    private static let filler: [UInt8] = [1] + (1..<600).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ ($0 >> 8)) }

    private static func filler<Value: FixedWidthInteger>(at offset: Int, _ size: Int) -> Value {
        Self.filler[offset..<offset + size].reversed().reduce(0) { $0 << 8 | Value(truncatingIfNeeded: $1) }
    }

    private func decode(_ bytes: some Sequence<UInt8>) -> TCPInfo? {
        Array(bytes).withUnsafeBytes { TCPInfo(kernelBytes: $0) }
    }

    // MARK: - Bytes

    @Test("the fields of a few bits are told apart")
    func bitFields() throws {
        var bytes = Self.filler
        (bytes[6], bytes[7]) = (0xA7, 0b101)
        let info = try #require(self.decode(bytes))
        #expect((info.sendWindowScale, info.receiveWindowScale) == (7, 10))
        #expect(info.isDeliveryRateLimitedByProgram)
        #expect(info.fastOpenFailure == 2)
    }

    @Test("each field is read from its place where the kernel gave it whole, and is nil where it did not")
    func everyLength() throws {
        for length in 104...600 {
            let info = try #require(self.decode(Self.filler.prefix(length)))
            #expect(info.state == .established)
            for (offset, size, field) in Self.fields {
                let expected: UInt64? = offset + size <= length ? Self.filler(at: offset, size) : nil
                #expect(field(info) == expected, "at \(offset) of \(length)")
            }
        }
    }

    @Test("what every kernel gives is read from its place", arguments: Self.kernelLengths)
    func commonPart(length: Int) throws {
        let info = try #require(self.decode(Self.filler.prefix(length)))
        #expect(
            [info.congestionState, info.retransmits, info.probes, info.backoff, info.options]
                == Self.filler[1...5].map { $0 }
        )
        for (index, field) in Self.commonFields.enumerated() {
            #expect(field(info) == Self.filler(at: 8 + 4 * index, 4), "number \(index)")
        }
    }

    @Test("the common part lies where the system's own header has it")
    func systemHeader() throws {
        var system = tcp_info()
        system.tcpi_state = 8
        system.tcpi_ca_state = 2
        system.tcpi_retransmits = 3
        system.tcpi_probes = 4
        system.tcpi_backoff = 5
        system.tcpi_options = 6
        let numbers: [WritableKeyPath<tcp_info, UInt32>] = [
            \.tcpi_rto, \.tcpi_ato, \.tcpi_snd_mss, \.tcpi_rcv_mss, \.tcpi_unacked, \.tcpi_sacked, \.tcpi_lost,
            \.tcpi_retrans, \.tcpi_fackets, \.tcpi_last_data_sent, \.tcpi_last_ack_sent, \.tcpi_last_data_recv,
            \.tcpi_last_ack_recv, \.tcpi_pmtu, \.tcpi_rcv_ssthresh, \.tcpi_rtt, \.tcpi_rttvar, \.tcpi_snd_ssthresh,
            \.tcpi_snd_cwnd, \.tcpi_advmss, \.tcpi_reordering, \.tcpi_rcv_rtt, \.tcpi_rcv_space, \.tcpi_total_retrans,
        ]
        for (index, number) in numbers.enumerated() { system[keyPath: number] = 1_000 + UInt32(index) }
        let info = try #require(withUnsafeBytes(of: system) { TCPInfo(kernelBytes: $0) })
        #expect(info.state == .closeWait)
        #expect([info.congestionState, info.retransmits, info.probes, info.backoff, info.options] == [2, 3, 4, 5, 6])
        for (index, field) in Self.commonFields.enumerated() where index != 10 {
            #expect(field(info) == 1_000 + UInt32(index), "number \(index)")
        }
    }

    @Test("bytes at random, of every length, are read or refused, and never trap", arguments: UInt64(1)...20)
    func random(seed: UInt64) {
        var generator = SplitMix64(seed: seed)
        for length in 0...600 {
            var bytes = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            let known = !bytes.isEmpty && (1...12).contains(bytes[0])
            #expect((self.decode(bytes) != nil) == (known && length >= 104), "seed \(seed), length \(length)")
            guard length >= 104 else { continue }
            bytes[0] = UInt8.random(in: 1...12, using: &generator)
            // The conclusion is drawn from any of them.
            #expect(self.decode(bytes)?.evidence.state.rawValue == bytes[0], "seed \(seed), length \(length)")
        }
    }

    @Test("fewer bytes than the oldest kernels give, or a state that does not exist, is no answer")
    func refused() {
        #expect(self.decode(Self.filler.prefix(103)) == nil)
        #expect(self.decode(Self.filler.prefix(104)) != nil)
        for state in [UInt8(0), 13, 255] { #expect(self.decode([state] + Self.filler.dropFirst()) == nil) }
    }

    // MARK: - Kernels

    @Test("a kernel that fills less than the room, or claims more, is believed up to the room")
    func lengths() throws {
        for (claimed, expected) in [(103, 0), (104, 104), (192, 192), (280, 280), (512, 512), (0, 0)] {
            var calls = SystemCalls.system
            calls.getOption = { (_, _, _, room) throws(ErrorNumber) in
                room.copyBytes(from: Self.filler.prefix(min(claimed, room.count)))
                return claimed
            }
            let info = Descriptor(rawValue: 3).tcpInfo(through: calls)
            #expect((info == nil) == (expected == 0), "\(claimed)")
            #expect(info == self.decode(Self.filler.prefix(expected)), "\(claimed)")
        }
        var calls = SystemCalls.system
        calls.getOption = { (_, _, _, room) throws(ErrorNumber) in
            room.copyBytes(from: Self.filler.prefix(room.count))
            return 4_096
        }
        #expect(Descriptor(rawValue: 3).tcpInfo(through: calls)?.state == .established)
    }

    @Test("a kernel that refuses, and what is not TCP, give nothing")
    func nothing() throws {
        #expect(Descriptor(rawValue: -1).tcpInfo() == nil)
        #expect(try TestSockets.unix().descriptor.tcpInfo() == nil)
    }

    // MARK: - Connections

    @Test("after an exchange, each side has counted what the other sent")
    func exchange() throws {
        let sockets = try TestSockets()
        let before = try #require(sockets.descriptor.tcpInfo())
        #expect(before.state == .established)
        #expect(before.bytesReceived == 0)
        #expect(before.congestionWindow > 0 && before.sendSegmentSize > 0 && before.pathMTU > 0)

        try sockets.peerSends(String(repeating: "x", count: 1_000))
        #expect(sockets.read(2_000).count == 1_000)
        #expect([UInt8](repeating: 1, count: 300).withUnsafeBytes { sockets.descriptor.send($0) } == .sent(300))
        // The peer's kernel acknowledges at once on the loopback interface, or after its delay at the latest.
        var after = try #require(sockets.descriptor.tcpInfo())
        while after.unacked > 0 {
            sched_yield()
            after = try #require(sockets.descriptor.tcpInfo())
        }
        #expect(after.bytesReceived == 1_000)
        let acknowledged = (try #require(before.bytesAcked), try #require(after.bytesAcked))
        #expect(acknowledged.1 - acknowledged.0 == 300)
        #expect(after.bytesSent.map { $0 >= 300 } ?? true)
        #expect(after.notSentBytes == 0)
        let segments = (try #require(before.segmentsReceived), try #require(after.segmentsReceived))
        #expect(segments.1 > segments.0)
        #expect(after.roundTrip > 0 && after.roundTrip < 10_000_000)
        #expect(after.evidence.bytesReceived == 1_000)
        #expect(after.evidence.bytesAcked == after.bytesAcked)

        let peer = try #require(sockets.peer)
        #expect(Descriptor(rawValue: peer).tcpInfo()?.bytesReceived == 300)
    }

    @Test("a listener shows its queue in place of segments")
    func listener() throws {
        let sockets = try HalfwaySockets()
        _ = try sockets.connectInVain()
        let info = try #require(Descriptor(rawValue: sockets.listener).tcpInfo())
        #expect(info.state == .listen)
        #expect(info.unacked == 1 && info.sacked == 0)
    }
}
#endif
