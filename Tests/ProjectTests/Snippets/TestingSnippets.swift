//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

// The code of docs/Testing.md. A test holds the document to these very lines; here they run as well.

import BelayCore
import BelayNIO
import BelayTesting
import NIOCore
import NIOEmbedded
import Testing

/// What somebody's program does about an end: it remembers the reason, and would free what it holds.
final class Session: ChannelInboundHandler {
    typealias InboundIn = MyFrame
    var end: DisconnectReason.Code?

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .closed(let reason) = event as? HeartbeatEvent { self.end = reason.code }
        context.fireUserInboundEventTriggered(event)
    }
}

@Suite("the code of docs/Testing.md") struct TestingSnippets {
    @Test("a session ends within the bound when its device goes silent")
    func silentDevice() throws {
        let clock = EmbeddedEventLoop()  // time passes when it is told to
        let session = Session()
        let heartbeats = try HeartbeatHandler(detectWithin: .seconds(30), heartbeats: MyProtocol.heartbeats)
        let channel = EmbeddedChannel(handlers: [heartbeats, session], loop: clock)
        channel.connect(to: try SocketAddress(ipAddress: "192.0.2.1", port: 7400), promise: nil)
        try channel.writeInbound(MyFrame.text("hello"))  // and nothing ever after
        clock.advanceTime(by: .seconds(29))
        #expect(session.end == nil)
        clock.advanceTime(by: .seconds(1))
        #expect(session.end == .peerSilent)
    }

    @Test("a device that sleeps for a while is not dead")
    func sleepingDevice() throws {
        let simulation = try Simulation(
            server: .init(LivenessPolicy(detectWithin: .seconds(30))),
            client: .answering(),
            over: LinkConditions(latency: .milliseconds(80), jitter: .milliseconds(40), loss: 0.01),
            seed: 1
        )
        simulation.schedule(.suspend(for: .seconds(5)), by: .client, at: .seconds(100))
        simulation.schedule(.setWallClock(ahead: .seconds(3_600)), by: .server, at: .seconds(110))
        simulation.run(for: .seconds(200))
        #expect(simulation.timeline.closes(of: .server).isEmpty)
    }

    @Test("nothing that happens to a connection breaks a promise", arguments: 1...50 as ClosedRange<UInt64>)
    func anything(seed: UInt64) {
        let scenario = Scenario(seed: seed)
        #expect(scenario.run().complaints.isEmpty, "\(scenario.shrunk())")
    }
}
