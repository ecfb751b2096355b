//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore
import BelaySocket
public import Logging
public import NIOCore

/// Watches a connection of your own pipeline and protocol: one handler, told how a ping is written and a pong recognised.
///
/// ```swift
/// try channel.pipeline.syncOperations.addHandlers([
///     ByteToMessageHandler(FrameDecoder()), MessageToByteHandler(FrameEncoder()),
///     try HeartbeatHandler(detectWithin: .seconds(30), heartbeats: MyProtocol.heartbeats),
///     MyHandler(),
/// ])
/// ```
///
/// It stands right behind the codec and
/// 1. takes everything that is received as proof of life (rule R1), answers pings and keeps heartbeats to itself,
/// 2. sends pings, suspects and judges by the policy; its time is that of the event loop's one timing wheel,
/// 3. looks into the receive queue before a verdict (rule R5), and gives none while reading is held (rule R7),
/// 4. closes a dead peer with RST and without waiting for anything that is queued,
/// 5. fires ``HeartbeatEvent`` behind it, `closed` exactly once, with the error number that NIO delivered before,
/// 6. forwards every event that is not its own, half-closure included.
///
/// Whether a peer reads is seen from the channel's queue becoming shorter (rule R8). A program that writes without ever
/// looking at writability hides that; then only silence counts.
public final class HeartbeatHandler<Inbound: Sendable, Outbound: Sendable>: ChannelDuplexHandler,
    RemovableChannelHandler
{
    /// What the codec before it delivers.
    public typealias InboundIn = Inbound
    /// What is handed on: the same, without heartbeats.
    public typealias InboundOut = Inbound
    /// What is written behind it.
    public typealias OutboundIn = Outbound
    /// What the codec takes.
    public typealias OutboundOut = Outbound

    private let heartbeats: Heartbeats<Inbound, Outbound>
    private let timings: LivenessTimings
    private let kernelMode: KernelTimeouts.Mode?
    private let logger: Logger?
    private var driver: HeartbeatDriver?

    /// A handler that detects within a bound.
    ///
    /// - Throws: ``ConfigurationError`` when the bound is not within 20 ms to 24 h.
    public convenience init(detectWithin: Duration, heartbeats: Heartbeats<Inbound, Outbound>)
        throws(ConfigurationError)
    {
        try self.init(policy: LivenessPolicy(detectWithin: detectWithin), heartbeats: heartbeats)
    }

    /// A handler with everything said.
    ///
    /// - Parameters:
    ///   - policy: how fast to know.
    ///   - heartbeats: how they are written and recognised.
    ///   - kernel: which second line the kernel is to hold (rule R11); nil leaves the socket's options alone.
    ///   - logger: where an option that the kernel refuses is logged, once for each option; default nil, nowhere.
    /// - Throws: ``ConfigurationError`` with everything that is wrong with the policy.
    public init(
        policy: LivenessPolicy,
        heartbeats: Heartbeats<Inbound, Outbound>,
        kernel: KernelTimeouts.Mode? = .patient,
        logger: Logger? = nil
    ) throws(ConfigurationError) {
        self.logger = logger
        let timings = try policy.timings()
        self.timings = timings
        self.heartbeats = heartbeats
        self.kernelMode = kernel
    }

    // MARK: - Life cycle

    /// Begins to watch a channel that is active already.
    public func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { self.start(context) }
    }

    /// Watches no more, and takes the kernel's user timeout back, which nobody would lift for a slow reader from then on.
    public func handlerRemoved(context: ChannelHandlerContext) {
        self.driver?.liftUserTimeout()
        self.driver?.stop()
        self.driver = nil
    }

    /// Begins to watch.
    public func channelActive(context: ChannelHandlerContext) {
        self.start(context)
        context.fireChannelActive()
    }

    /// Reports the end, if nobody did, and watches no more.
    public func channelInactive(context: ChannelHandlerContext) {
        self.driver?.transportClosed()
        context.fireChannelInactive()
    }

    private func start(_ context: ChannelHandlerContext) {
        guard self.driver == nil else { return }
        let driver = HeartbeatDriver(
            eventLoop: context.eventLoop,
            timings: self.timings,
            kernelMode: self.kernelMode,
            logger: self.logger
        )
        // The program may remove the handler from within an event that the driver fires.
        driver.onPing = { [weak self] token in
            if let self { self.write(self.heartbeats.ping(token)) }
        }
        driver.onGoodbye = { [weak self] reason in
            if let self, let goodbye = self.heartbeats.goodbye(reason) { self.write(goodbye) }
        }
        self.driver = driver
        driver.start(context)
        driver.applyKernelTimeouts()
    }

    // MARK: - Inbound

    /// Takes proof of life, answers pings, keeps heartbeats to itself.
    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let driver else { return context.fireChannelRead(data) }
        let now = driver.timekeeper.now()
        driver.passOnStalls(at: now)
        driver.sawElement = true
        switch self.heartbeats.recognize(self.unwrapInboundIn(data)) {
        case .ping(let answer):
            switch driver.machine.pingReceived(at: now) {
            case .answer: self.write(answer)
            case .doNothing: break
            case .close(let close): driver.perform(close)
            }
        case .pong(let token):
            driver.machine.pongReceived(token: token, at: now)
        case .message:
            switch driver.machine.messageReceived(at: now) {
            case .deliver: context.fireChannelRead(data)
            case .discard: break
            case .close(let close): driver.perform(close)
            }
        }
    }

    /// Finds out whether a suspected peer is alive.
    public func channelReadComplete(context: ChannelHandlerContext) {
        self.driver?.batchEnded()
        context.fireChannelReadComplete()
    }

    /// Looks whether the queue moves.
    public func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let driver { driver.observeOutbound(at: driver.timekeeper.now()) }
        context.fireChannelWritabilityChanged()
    }

    /// Learns of the peer's FIN.
    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        let isEnd = (event as? ChannelEvent) == .inputClosed
        // Known first: a program that closes at once does what it was told to do by the peer.
        if isEnd { self.driver?.inputEnded = true }
        // Handed on first: what came before the end is delivered before the end is told.
        context.fireUserInboundEventTriggered(event)
        if isEnd { self.driver?.peerClosed() }
    }

    /// Keeps the error that ends the connection.
    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        self.driver?.failIfKernel(error)
        context.fireErrorCaught(error)
    }

    // MARK: - Outbound

    /// Learns that somebody reads.
    public func read(context: ChannelHandlerContext) {
        self.driver?.readRequested()
        context.read()
    }

    /// Keeps the error of a write that fails.
    public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        // NIO closes a channel whose write failed without an `errorCaught`; the reason is known from the promise alone.
        let written = promise ?? context.eventLoop.makePromise(of: Void.self)
        self.driver?.writing(written.futureResult)
        context.write(data, promise: written)
        self.driver?.wrote()
    }

    /// Learns that what was written may leave.
    public func flush(context: ChannelHandlerContext) {
        context.flush()
        self.driver?.flushed()
    }

    /// Learns that the program closes the connection.
    public func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        switch mode {
        case .all: self.driver?.closing()
        case .output: self.driver?.machine.outputClosed()
        case .input: break
        }
        context.close(mode: mode, promise: promise)
    }

    private func write(_ outbound: Outbound) {
        guard let driver, let context = driver.context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        driver.writing(written.futureResult)
        context.writeAndFlush(self.wrapOutboundOut(outbound), promise: written)
        driver.flushed()
        // Heartbeats as well: handlers nearer to the socket may write past this one.
        driver.wrote()
    }
}

@available(*, unavailable)
extension HeartbeatHandler: Sendable {}

/// The driver of a ``HeartbeatHandler``.
private final class HeartbeatDriver: ConnectionDriver {
    var onPing: ((UInt64) -> Void)?
    var onGoodbye: ((DisconnectReason) -> Void)?
    /// Whether a read is under way, and whether any was ever asked for: a testing channel delivers without one.
    private var isReadRequested = true
    private var asksForReads = false
    /// Whether the batch that is being read brought something whole.
    var sawElement = false
    /// What waited at most of what was flushed, since somebody wrote without a flush; nil when all was flushed.
    private var flushedBytes: Int?
    /// The write that was asked for last; when it is done, all before it are.
    private var lastWrite: EventLoopFuture<Void>?

    private let kernelMode: KernelTimeouts.Mode?
    private let logger: Logger?

    init(eventLoop: any EventLoop, timings: LivenessTimings, kernelMode: KernelTimeouts.Mode?, logger: Logger?) {
        self.kernelMode = kernelMode
        self.logger = logger
        // The queue belongs to the program's own pipeline; it has no limit here.
        super.init(eventLoop: eventLoop, timings: timings, outboundLimit: .max, kernelMode: kernelMode)
    }

    override var isReadingHeld: Bool { self.asksForReads && !self.isReadRequested }

    func readRequested() {
        self.isReadRequested = true
        self.asksForReads = true
        guard self.machine.areReadsPaused else { return }
        self.machine.readsResumed(at: self.timekeeper.now())
        self.rearm()
    }

    /// What waits for a flush of the program waits for nobody else, and leaves without the peer having taken anything.
    override var queuedBytes: Int {
        guard let flushedBytes else { return self.bufferedBytes }
        // It can only have become less.
        let queuedBytes = min(flushedBytes, self.bufferedBytes)
        self.flushedBytes = queuedBytes
        return queuedBytes
    }

    func flushed() { self.flushedBytes = nil }

    func writing(_ written: EventLoopFuture<Void>) {
        if self.flushedBytes == nil { self.flushedBytes = self.bufferedBytes }
        self.lastWrite = written
        written.assumeIsolated().whenFailure { self.failIfKernel($0) }
    }

    /// Only an error of the kernel ends a connection.
    ///
    /// What follows from another, such as that of a codec, is for those to say who know the protocol.
    func failIfKernel(_ error: any Error) {
        if error is IOError { self.fail(error) }
    }

    /// The program closes the channel.
    func closing() {
        let now = self.timekeeper.now()
        let isPeersEnd = self.inputEnded && !self.machine.timings.allowHalfClosure
        if let close = isPeersEnd ? self.machine.end(.endOfStream, at: now) : self.machine.closeRequested(at: now) {
            self.ended(close)
        }
    }

    override func flushAll(_ context: ChannelHandlerContext, _ flushed: EventLoopPromise<Void>) {
        context.flush()
        guard let lastWrite else { return flushed.succeed() }
        // Also when it fails: nothing is left of it then.
        lastWrite.assumeIsolated().whenComplete { _ in flushed.succeed() }
    }

    func batchEnded() {
        self.isReadRequested = false
        let now = self.timekeeper.now()
        // Bytes of a frame whose end has not come reach nobody here, but they came (rule R1).
        let isPart = !self.sawElement
        if isPart { self.machine.heard(at: now) }
        self.sawElement = false
        switch self.machine.readEnded(unfinishedBytes: 0, at: now) {
        case .doNothing: break
        case .caughtUp: self.rearm()
        case .recovered(let silence):
            self.recovered(silence: silence)
            self.rearm()
        }
        if isPart { self.rearm() }
    }

    override var kernelTimeouts: KernelTimeouts? {
        self.kernelMode.map { KernelTimeouts(self.machine.timings, mode: $0) }
    }

    override func apply(_ timeouts: KernelTimeouts, to socket: Descriptor) {
        RefusedOptions.shared.note(socket.apply(timeouts), self.logger)
    }

    override func writePing(token: UInt64) { self.onPing?(token) }

    override func writeGoodbye(_ reason: DisconnectReason) { self.onGoodbye?(reason) }

    override func suspected(silence: Duration, tcp: TCPEvidence?) { self.fire(.suspected(silence: silence)) }

    override func recovered(silence: Duration) { self.fire(.recovered(silence: silence)) }

    override func ended(_ close: ConnectionMachine.Close) { self.fire(.closed(close.reason)) }

    private func fire(_ event: HeartbeatEvent) {
        self.context?.fireUserInboundEventTriggered(event)
    }
}
