//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

// The code of the README and the docs. A test holds the documents to these very lines.

import BelayCore
import BelayNIO
import BelaySocket
import BelayTesting
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

func echoServer() async throws {
    let server = BelayServer(.lines(host: "0.0.0.0", port: 7400), detectWithin: .seconds(30))
    try await server.run { connection in
        for await message in connection.messages { try await connection.send(message) }
        print(connection.closeReason?.code.rawValue ?? "we closed it")  // peer.frozen, path.lost, ...
    }
}

func stayingClient() async throws {
    let client = BelayClient(.lines(host: "gateway.example", port: 7400), detectWithin: .seconds(10), identity: "d-42")
    async let running: Void = client.run()
    for await change in client.changes { print(change) }  // connected, suspected, recovered, disconnected, waiting
    try await running
}

func messagesOfAClient(_ client: BelayClient) async throws {
    try await withThrowingTaskGroup { group in
        let messages = client.messages
        group.addTask { for await message in messages { print(String(buffer: message)) } }
        group.addTask { try await client.run() }
        try await group.next()
        group.cancelAll()
    }
}

enum MyFrame: Sendable {
    case ping(UInt64)
    case pong(UInt64)
    case text(String)
}

enum MyProtocol {
    static let heartbeats = Heartbeats<MyFrame, MyFrame>(
        ping: { token in .ping(token) },
        recognize: { frame in
            switch frame {
            case .ping(let token): .ping(answer: .pong(token))
            case .pong(let token): .pong(token: token)
            case .text: .message
            }
        }
    )
}

func ownPipeline(_ channel: any Channel) throws {
    // Right behind your own codec:
    try channel.pipeline.syncOperations.addHandler(
        HeartbeatHandler(detectWithin: .seconds(30), heartbeats: MyProtocol.heartbeats)
    )
}

/// Counts who is here, on the event loops and without a task for each connection.
final class Lobby: ConnectionDelegate {
    func opened(_ connection: Connection) {
        connection.attachment = Visit()
    }

    func received(_ message: ByteBuffer, on connection: Connection) {
        (connection.attachment as? Visit)?.messages += 1
    }

    func closed(_ connection: Connection, reason: DisconnectReason) {
        print(connection.peer ?? "somebody", "left:", reason)
    }

    final class Visit { var messages = 0 }
}

func lobbyService() async throws {
    let configuration = BelayServer.Configuration(
        listeners: [.lines(host: "0.0.0.0", port: 7400), .frames(host: "0.0.0.0", port: 7401)],
        liveness: LivenessPolicy(interval: .seconds(5), replyWithin: .seconds(3))
    )
    let server = BelayServer(configuration: configuration, delegate: Lobby())
    let group = ServiceGroup(
        configuration: .init(
            services: [.init(service: server)],
            gracefulShutdownSignals: [.sigterm],
            logger: configuration.logger
        )
    )
    try await group.run()
}

func policies() throws {
    let bound = LivenessPolicy(detectWithin: .seconds(30))  // pings every 10 s, suspects after 20 s
    let explicit = LivenessPolicy(interval: .seconds(15), detectWithin: .seconds(30))
    let reply = LivenessPolicy(interval: .seconds(5), replyWithin: .seconds(3))  // bound 8 s
    for policy in [bound, explicit, reply] { try policy.validate() }
}

func machineInVirtualTime() throws {
    var clock = ManualClock()
    var random = SplitMix64(seed: 1)
    let timings = try LivenessPolicy(detectWithin: .seconds(30)).timings()
    var machine = ConnectionMachine(timings: timings, outboundLimit: 1 << 20)
    machine.opened(at: clock.now, using: &random)
    clock.advance(by: .seconds(10))
    print(machine.tick(at: clock.now, using: &random))  // sendPing
}

func oneLook(at descriptor: Int32) throws {
    switch try ConnectionProbe.state(of: descriptor) {
    case .open: break
    case .closedByPeer: print("the peer has closed")
    case .failed(let errno): print("broken: \(errno)")
    case let other: print(other)
    }
}

func connectionsOfThisHost() throws {
    for socket in try SocketInventory.sockets(matching: .connections) {
        guard let info = socket.tcpInfo, info.retransmits > 2 else { continue }
        print(socket.local, socket.state.name, "silent for \(info.lastDataReceived) ms")
    }
}

func detectors() {
    var policy = LivenessPolicy(detectWithin: .seconds(30))
    policy.detector = .nfde()  // at most one false suspicion a day, on a path as it was
    policy.detector = .nfde(margin: .fixed(.seconds(2)), window: 1_000, stallWindow: 1)
    var akka = PhiAccrual.Configuration()
    akka.tail = .logistic
    akka.threshold = 10
    policy.detector = .phi(akka)
}

func planning() throws {
    var requirements = QoSRequirements(detectWithin: .seconds(10))
    requirements.delay = .milliseconds(50)
    requirements.deviation = .milliseconds(20)
    let plan = try QoSPlanner.plan(requirements)
    for line in plan.why { print(line) }
    if let figures = plan.figures { print(figures.policy, figures.mistakeRecurrence) }
}

func learningClient(saved: [UInt8]?, save: @escaping @Sendable ([UInt8]) -> Void) throws -> BelayClient {
    var configuration = BelayClient.Configuration(
        endpoint: .lines(host: "gateway.example", port: 7400),
        liveness: LivenessPolicy(interval: .seconds(200), replyWithin: .seconds(20)),
        identity: "device-42"
    )
    var learning = SmartInterval.Configuration()
    learning.probes = true  // trying costs about two connections for each network
    let learned = try saved.map { try SmartInterval(learning, json: $0) } ?? SmartInterval(learning)
    configuration.smartHeartbeats = SmartHeartbeats(network: "home", learned: learned) { save($0.json) }
    let client = BelayClient(configuration: configuration)
    return client
}
