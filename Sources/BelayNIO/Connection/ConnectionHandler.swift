//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
package import NIOCore

/// The one handler of a connection that speaks a protocol of Belay's.
///
/// It
/// 1. decodes what is received and tells the machine (``ConnectionMachine``) what it was (`+Reading`),
/// 2. answers pings, the latest of a batch where they have tokens (rule R12), each of them on `raw`,
/// 3. sends heartbeats straight to the socket while nothing of ours is queued (`+Writing`),
/// 4. applies the kernel's timers (rule R11),
/// 5. reports `opened`, `suspected`, `recovered` and exactly one `closed` to the event sink and the delegate.
final class ConnectionHandler: ConnectionDriver {
    let environment: ConnectionEnvironment
    /// The name of the connection.
    var id: ConnectionID { self.environment.node.connectionID(self.number) }
    /// The identity of the peer, once it said hello; of the server's, never known.
    var peer: String?
    var epoch: UInt64? {
        get { self.heldEpoch == 0 ? nil : self.heldEpoch }
        set { self.heldEpoch = newValue ?? 0 }
    }
    /// Why the connection ended, from then on.
    var reason: DisconnectReason? { self.extras?.reason }
    /// The program's own state.
    var attachment: AnyObject? {
        get { self.heldAttachment }
        set {
            // The one before goes when the new one is there: its deinitialiser may look.
            let before = self.heldAttachment
            self.heldAttachment = newValue
            withExtendedLifetime(before) {}
        }
    }

    // SAFETY: a parser calls nobody.
    @exclusivity(unchecked) var parser: WireParser
    /// A batch is being read: what is sent now is flushed after it.
    var isReading = false
    var hasUnflushedWrites = false
    /// The beginning of a line or frame whose end has not come.
    var pending: ByteBuffer? {
        get { self.extras?.pending }
        set {
            guard newValue != nil || self.extras != nil else { return }
            let extras = self.makeExtras()
            extras.pending = newValue
            if extras.areOver { self.extras = nil }
        }
    }
    /// Bytes that came after the end and were dropped.
    var discardedBytes: Int {
        get { self.extras?.discardedBytes ?? 0 }
        set { self.makeExtras().discardedBytes = newValue }
    }
    /// What is tried on the path, where the client learns how rarely a heartbeat is enough.
    var path: ClientPath? { self.extras?.path }

    private var heldAttachment: AnyObject?
    private let number: UInt64
    // An epoch counts from 1.
    private var heldEpoch: UInt64 = 0
    private var openedAt = WallClock(millisecondsSince1970: 0)
    private var openedAtUptime = NIODeadline.uptimeNanoseconds(0)
    private var observer: (any ReleaseObserver)?
    private var extras: Extras?

    /// What few connections have: apart, because every byte of a handler is paid for each connection that is at rest.
    private final class Extras {
        var pending: ByteBuffer?
        var discardedBytes = 0
        var path: ClientPath?
        var refusal: DisconnectCause?
        var reason: DisconnectReason?

        /// There is nothing of it any more.
        var areOver: Bool {
            self.pending == nil && self.discardedBytes == 0 && self.path == nil && self.refusal == nil
                && self.reason == nil
        }
    }

    private func makeExtras() -> Extras {
        if let extras { return extras }
        let extras = Extras()
        self.extras = extras
        return extras
    }

    /// A handler for a channel that is about to become active.
    ///
    /// - Parameters:
    ///   - eventLoop: the loop of the channel, which is the current one.
    ///   - environment: what the connections of the listener share.
    ///   - refusal: why the connection is closed as soon as it is open, where a limit was reached.
    ///   - observer: told once when the channel is gone.
    init(
        eventLoop: any EventLoop,
        environment: ConnectionEnvironment,
        refusal: DisconnectCause? = nil,
        observer: (any ReleaseObserver)? = nil
    ) {
        self.environment = environment
        self.number = environment.node.nextConnectionNumber()
        self.parser = environment.format.makeParser(maximumMessageSize: environment.messageLimit)
        self.observer = observer
        super.init(
            eventLoop: eventLoop,
            timings: environment.timings,
            outboundLimit: environment.outboundLimit,
            kernelMode: environment.kernelMode
        )
        if let refusal { self.makeExtras().refusal = refusal }
        if let heartbeats = environment.smartHeartbeats { self.makeExtras().path = ClientPath(heartbeats) }
    }

    /// Who is told; nobody about a connection that is refused.
    var delegate: (any ConnectionDelegate)? { self.extras?.refusal == nil ? self.environment.delegate : nil }

    /// What is known of the connection now.
    var summary: ConnectionSummary {
        let channel = self.context?.channel
        let now = self.timekeeper.now()
        return ConnectionSummary(
            connection: self.id,
            peer: self.peer,
            epoch: self.epoch,
            remote: channel?.remoteAddress?.hostAndPort ?? "",
            local: channel?.localAddress?.hostAndPort ?? "",
            listener: self.environment.listener,
            phase: self.reason?.phase ?? self.machine.phase,
            openedAt: self.openedAt,
            duration: .nanoseconds((self.timekeeper.eventLoop.now - self.openedAtUptime).nanoseconds),
            silence: self.machine.silence(at: now),
            bound: self.machine.timings.bound,
            figures: self.machine.figures,
            detector: self.machine.detectorState(at: now)
        )
    }

    // MARK: - What the driver tells

    override var kernelTimeouts: KernelTimeouts? { self.environment.kernelTimeouts(for: self.machine.timings) }

    override func apply(_ timeouts: KernelTimeouts, to socket: Descriptor) {
        self.environment.apply(timeouts, to: socket)
    }

    override func writePing(token: UInt64) {
        self.path?.pinging(bytes: self.machine.figures.bytes, at: self.timekeeper.now())
        self.writeHeartbeat { format, sink in format.writePing(token, into: &sink) }
    }

    override func stalled() { self.path?.stalled() }

    override func writeGoodbye(_ reason: DisconnectReason) {
        self.writeControl { format, sink in format.writeGoodbye(Goodbye(code: reason.code.rawValue), into: &sink) }
    }

    override func flushAll(_ context: ChannelHandlerContext, _ flushed: EventLoopPromise<Void>) {
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer()), promise: flushed)
    }

    override func suspected(silence: Duration, tcp: TCPEvidence?) {
        self.emit { .connectionSuspected($0, tcp: tcp) }
        self.delegate?.suspected(Connection(handler: self), silence: silence)
    }

    override func recovered(silence: Duration) {
        self.emit { .connectionRecovered($0, afterSilence: silence) }
        self.delegate?.recovered(Connection(handler: self), silence: silence)
    }

    override func ended(_ close: ConnectionMachine.Close) {
        self.makeExtras().reason = close.reason
        self.path?.ended(close.reason.code)
        self.pending = nil
        self.emit { .connectionClosed($0, close.reason) }
        self.delegate?.closed(Connection(handler: self), reason: close.reason)
        self.attachment = nil
        // The peer's FIN may wait behind bytes that nobody wants any more.
        if self.machine.areReadsPaused { self.resumeReading() }
    }

    private func emit(_ kind: (ConnectionSummary) -> Event.Kind) {
        guard let sink = self.environment.node.sink else { return }
        sink.record(Event(kind(self.summary), at: Host.wallClock))
    }

    // MARK: - Pauses

    /// Stops reading; what the kernel holds stays there until the end.
    func pauseReading() {
        guard let context, !self.machine.isOver else { return }
        self.machine.readsPaused(at: self.timekeeper.now())
        // An error means that the channel is closing, which is reported by itself.
        try? context.channel.syncOptions?.setOption(.autoRead, value: false)
        self.rearm()
    }

    /// Reads again.
    func resumeReading() {
        guard let context else { return }
        self.machine.readsResumed(at: self.timekeeper.now())
        // As above.
        try? context.channel.syncOptions?.setOption(.autoRead, value: true)
        self.rearm()
    }
}

// MARK: - What the channel tells

extension ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { self.opened(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        self.opened(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.deliverRemainder()
        self.release(context)
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        // A channel that closes before it was active never becomes inactive.
        self.release(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.read(self.unwrapInboundIn(data))
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        // What is not flushed yet says nothing about the peer.
        if !self.hasUnflushedWrites { self.observeOutbound(at: self.timekeeper.now()) }
        if !self.machine.isOver {
            self.delegate?.writabilityChanged(Connection(handler: self))
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            self.deliverRemainder()
            self.peerClosed()
            self.flushBatch()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.fail(error)
        context.fireErrorCaught(error)
    }

    private func release(_ context: ChannelHandlerContext) {
        if self.context != nil { self.transportClosed() }
        self.observer?.released(context.channel.remoteAddress)
        self.observer = nil
    }

    private func opened(_ context: ChannelHandlerContext) {
        guard self.context == nil, self.reason == nil else { return }
        self.openedAt = Host.wallClock
        self.openedAtUptime = context.eventLoop.now
        self.start(context)
        if let path { self.machine.intervalAgreed(path.inForce) }
        self.applyKernelTimeouts()
        self.emit { .connectionOpened($0) }
        self.delegate?.opened(Connection(handler: self))
        if let refusal = self.extras?.refusal {
            self.end(refusal)
        } else if !self.machine.isOver {
            self.writeHello()
            self.flushBatch()
        }
    }

    /// Says who we are and which interval we want, where this is a client with an identity.
    func writeHello() {
        guard case .client(.some(let hello)) = self.environment.role else { return }
        let wanted = self.path.map { hello.asking(every: $0.proposed, replyWithin: self.machine.timings.replyWithin) }
        self.writeControl { format, sink in format.writeHello(wanted ?? hello, into: &sink) }
    }
}

/// Who is told when the descriptor of a connection is free.
protocol ReleaseObserver: AnyObject, Sendable {
    func released(_ remoteAddress: SocketAddress?)
}

/// Pongs that are owed for the batch of bytes that is being read.
struct OwedPongs {
    /// How many pings came without a token.
    var untokened = 0
    /// The token of the latest ping that had one.
    var token: ByteBuffer?

    var isEmpty: Bool { self.untokened == 0 && self.token == nil }

    mutating func add(_ token: ByteBuffer?) {
        if let token { self.token = token } else { self.untokened += 1 }
    }

    func serialize(for format: WireFormat, into sink: inout ByteBuffer) {
        for _ in 0..<self.untokened { format.writePong(echoing: RawSpan(), into: &sink) }
        if let token { format.writePong(echoing: token.readableBytesSpan, into: &sink) }
    }
}

extension SocketAddress {
    /// `HOST:PORT`, with an IPv6 address in brackets.
    package var hostAndPort: String {
        guard let host = self.ipAddress, let port = self.port else { return self.description }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
