//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import BelaySocket
import NIOCore

/// Drives one ``ConnectionMachine``: feeds it time, looks where it wants a look, and carries out what it decides.
///
/// Holds no decision of its own. The two handlers differ in how heartbeats are written and in whom they tell; those are
/// the methods below `MARK: - For subclasses`.
///
/// Bound to the event loop of its channel.
class ConnectionDriver {
    /// How many bytes of a driver a heartbeat needs: the machine and what stands beside it.
    static let hotBytes = 320

    /// How many actions one deadline may lead to; a machine needs three.
    private static let actionsPerDeadline = 8

    // SAFETY: one call of the machine ends before the next begins: the machine calls nobody. Checked at run time, each of the
    // twenty accesses of a heartbeat would cost more than what it does. So it is with the fields of `LoopTimekeeper`.
    @exclusivity(unchecked) final var machine: ConnectionMachine
    final let timekeeper: LoopTimekeeper
    /// The channel's context, from its activation until it is inactive.
    final private(set) var context: ChannelHandlerContext?

    /// The channel's own descriptor, where it has one, for what is done while a deadline or a batch is handled.
    ///
    /// The channel closes it only within calls of its own that end with ``stop()``; ``socket`` is for everything that may be
    /// done within those.
    final private(set) var descriptor: Descriptor?
    private var entry: TimingWheel.Entry?
    private var armedFor: Instant = .distantFuture
    private var stallsSeen: UInt32 = 0
    /// Whether the peer's FIN was read.
    final var inputEnded = false
    // SAFETY: as of the machine.
    /// The watch over the patient user timeout; nil where the program wants another or none, or there is no socket.
    @exclusivity(unchecked) private var windowWatch: WindowWatch?

    /// A driver for a channel of this loop; watching begins with ``start(_:)``.
    ///
    /// - Parameters:
    ///   - eventLoop: the loop of the channel.
    ///   - timings: what the peer is judged by.
    ///   - outboundLimit: bytes that may wait for the peer.
    ///   - kernelMode: which second line the kernel holds; nil for none.
    init(
        eventLoop: any EventLoop,
        timings: LivenessTimings,
        outboundLimit: Int,
        kernelMode: KernelTimeouts.Mode?
    ) {
        self.windowWatch = kernelMode == .patient ? WindowWatch() : nil
        let timekeeper = LoopTimekeepers.shared.timekeeper(of: eventLoop)
        self.timekeeper = timekeeper
        self.machine = ConnectionMachine(timings: timings, outboundLimit: outboundLimit)
    }

    /// Begins to watch the connection, whose channel is active.
    final func start(_ context: ChannelHandlerContext) {
        self.context = context
        // A channel without a socket, such as a testing one, is watched all the same, without looks.
        self.descriptor = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { Descriptor(rawValue: $0) }
        if self.descriptor == nil { self.windowWatch = nil }
        self.stallsSeen = self.timekeeper.stalls
        self.machine.opened(at: self.timekeeper.now(), using: &self.timekeeper.generator)
        self.entry = self.timekeeper.add(self, judgedBy: self.machine.timings)
        self.rearm()
    }

    // MARK: - For subclasses

    /// Writes a ping and flushes it.
    func writePing(token: UInt64) {}

    /// Writes the farewell of the protocol, without flushing, where it has one.
    func writeGoodbye(_ reason: DisconnectReason) {}

    /// The peer is suspected; what the kernel tells of the connection.
    func suspected(silence: Duration, tcp: TCPEvidence?) {}

    /// The peer was suspected and is alive.
    func recovered(silence: Duration) {}

    /// This process did not run for a while.
    func stalled() {}

    /// The connection is over; called exactly once.
    func ended(_ close: ConnectionMachine.Close) {}

    /// Flushes what is queued; the promise is kept when the kernel has taken all of it.
    func flushAll(_ context: ChannelHandlerContext, _ flushed: EventLoopPromise<Void>) {}

    /// Somebody above stopped reading, as far as can be seen at a deadline.
    var isReadingHeld: Bool { false }

    /// Bytes that were flushed and that the kernel has not taken.
    var queuedBytes: Int { self.bufferedBytes }

    /// The kernel's second line; nil where the program sets its socket's options itself.
    var kernelTimeouts: KernelTimeouts? { nil }

    /// Applies the options, and notes those that the kernel refuses; none is fatal: the heartbeat judges anyway.
    func apply(_ timeouts: KernelTimeouts, to socket: Descriptor) {}

    // MARK: - Time

    /// The socket itself, while it is ours: a closed descriptor's number may belong to another connection already.
    final var socket: Descriptor? {
        guard let descriptor, let context, context.channel.isActive else { return nil }
        return descriptor
    }

    /// The wheel's slot of this connection came.
    final func deadlineReached(at now: Instant) {
        self.passOnStalls(at: now)
        self.armedFor = .distantFuture
        self.machine.localHealthChanged(to: self.timekeeper.localHealth)
        // Behind the peer's end there is nothing to read, and nobody asks for it.
        if self.isReadingHeld, !self.inputEnded { self.machine.readsPaused(at: now) }
        if self.sawFullWindow() { self.applyKernelTimeouts() }
        for _ in 0..<Self.actionsPerDeadline {
            switch self.machine.tick(at: now, using: &self.timekeeper.generator) {
            case .doNothing:
                return self.rearm()
            case .sendPing(let token):
                self.writePing(token: token)
                // Most often that is all, and need not be asked for again.
                if let deadline = self.machine.nextDeadline, deadline > now { return self.arm(at: deadline) }
            case .look(let judgement):
                self.look(for: judgement, at: now)
            case .observeOutbound:
                self.observeOutbound(at: now)
            case .close(let close):
                self.perform(close)
            case .abort:
                self.abort()
            }
        }
        self.rearm()
    }

    /// Something was written that may fill the peer's window.
    final func wrote() { if self.windowWatch?.wrote() == true { self.rearm() } }

    /// Heartbeats were written, which seldom fill the peer's window.
    final func wroteHeartbeats(bytes: Int) {
        if self.windowWatch?.wroteHeartbeats(bytes: bytes) == true { self.rearm() }
    }

    /// Applies the kernel's second line for what the connection is judged by now (rule R11).
    final func applyKernelTimeouts() {
        guard let socket, let timeouts = self.kernelTimeouts else { return }
        // A shorter one must not end whom the one before let live.
        _ = self.sawFullWindow()
        self.apply(self.windowWatch?.wasFull == true ? timeouts.withoutUserTimeout : timeouts, to: socket)
    }

    /// Takes the kernel's user timeout back: from now on nobody watches the window.
    final func liftUserTimeout() {
        guard let socket, let timeouts = self.kernelTimeouts else { return }
        self.apply(timeouts.withoutUserTimeout, to: socket)
    }

    /// Looks at the peer's window where that is due; whether it was seen to have been full for the first time.
    private func sawFullWindow() -> Bool {
        guard self.windowWatch?.isLookDue == true, let tcp = self.socket?.tcpInfo()?.evidence else { return false }
        let queuedBytes = self.bufferedBytes
        return self.windowWatch?.looked(at: tcp, queuedBytes: queuedBytes) == true
    }

    /// Tells the machine of stalls of this loop before it judges anything: what piled up in them is nobody's fault.
    final func passOnStalls(at now: Instant) {
        guard self.stallsSeen != self.timekeeper.stalls else { return }
        self.stallsSeen = self.timekeeper.stalls
        self.machine.stallNoticed(at: now)
        self.rearm()
        self.stalled()
    }

    /// What the connection is judged by was agreed anew, and may be shorter than what was.
    final func timingsChanged() {
        self.timekeeper.lowerTolerance(for: self.machine.timings)
        self.rearm()
    }

    /// Moves the wake-up forward if something is due earlier than it.
    final func rearm() {
        if let deadline = self.machine.nextDeadline { self.arm(at: deadline) }
        // The machine may have nothing to wait for, such as where one direction is closed.
        guard self.windowWatch?.isLookDue == true else { return }
        self.arm(at: self.timekeeper.now().advanced(by: self.machine.timings.bound / 2))
    }

    private func arm(at deadline: Instant) {
        guard let entry, deadline < self.armedFor else { return }
        self.armedFor = deadline
        self.timekeeper.arm(entry, at: deadline)
    }

    private func look(for judgement: ConnectionMachine.Judgement, at now: Instant) {
        let look = self.look(at: self.socket, for: judgement)
        let action = self.machine.looked(at: now, for: judgement, look, using: &self.timekeeper.generator)
        switch action {
        case .doNothing:
            break
        case .suspect(let silence, let ping):
            self.suspected(silence: silence, tcp: look.tcp)
            // Nothing follows a goodbye that the program said just now.
            if let ping, !self.machine.isOver { self.writePing(token: ping) }
        case .ask(let ping):
            self.writePing(token: ping)
        case .close(let close):
            self.perform(close)
        }
    }

    private func look(at socket: Descriptor?, for judgement: ConnectionMachine.Judgement) -> ConnectionMachine.Look {
        var look = ConnectionMachine.Look(receiveQueue: socket?.peek() ?? .unknown, queuedBytes: self.queuedBytes)
        // What is unread is read before anything is judged; nothing more needs to be known, and no error be taken.
        guard look.receiveQueue == .empty || judgement == .standstill else { return look }
        look.tcp = socket?.tcpInfo()?.evidence
        look.progressAt = look.tcp.map { self.timekeeper.instant(ago: $0.sinceProgress) }
        guard judgement != .suspicion, look.receiveQueue == .empty, let error = socket?.takeError() else { return look }
        // It may have ended since the first call.
        if look.tcp?.state == .closed { look.receiveQueue = .failed(error) } else { look.networkError = error }
        return look
    }

    // MARK: - Our own queue

    /// Bytes that were written and that the kernel has not taken, flushed or not.
    final var bufferedBytes: Int {
        guard let context, context.channel.isActive else { return 0 }
        // A channel that does not know is treated as one that took everything.
        return (try? context.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    }

    /// Lets the machine see our own queue, after a write or when it asks.
    final func observeOutbound(at now: Instant) {
        switch self.machine.outboundObserved(queuedBytes: self.queuedBytes, at: now) {
        case .doNothing: self.rearm()
        case .look: self.look(for: .standstill, at: now)
        case .close(let close): self.perform(close)
        }
    }

    // MARK: - The end

    /// Something ended the connection.
    final func end(_ cause: DisconnectCause) {
        guard let close = self.machine.end(cause, at: self.timekeeper.now()) else { return }
        self.perform(close)
    }

    /// An error came through the pipeline or failed a write.
    ///
    /// NIO delivers it before the channel becomes inactive.
    final func fail(_ error: any Error) {
        switch error {
        case let error as IOError:
            self.end(.failed(ErrorNumber(rawValue: error.errnoCode)))
        case ChannelError.ioOnClosedChannel, ChannelError.alreadyClosed, ChannelError.eof:
            // Says that the channel is closed, not why; whatever closed it is reported by itself.
            break
        default:
            self.end(.otherError(String(describing: error)))
        }
    }

    /// The peer's FIN was read and everything before it delivered.
    final func peerClosed() {
        self.inputEnded = true
        switch self.machine.peerClosed(at: self.timekeeper.now()) {
        case .close(let close): self.perform(close)
        case .release: self.context?.close(mode: .all, promise: nil)
        case .keepWriting, .doNothing: break
        }
    }

    /// The channel is inactive: nothing is watched any more.
    final func transportClosed() {
        if let close = self.machine.transportClosed(at: self.timekeeper.now()) {
            self.ended(close)
        }
        self.stop()
    }

    /// Watches no more, without a word.
    final func stop() {
        if let entry {
            self.timekeeper.remove(entry)
            self.entry = nil
        }
        self.context = nil
        self.descriptor = nil
    }

    /// Reports a close and carries it out.
    final func perform(_ close: ConnectionMachine.Close) {
        self.ended(close)
        switch close.manner {
        case .abort:
            self.abort()
        case .farewell(let sayGoodbye):
            if sayGoodbye { self.writeGoodbye(close.reason) }
            self.sayFarewell()
        }
    }

    /// Discards what is queued, sends RST and releases the descriptor; nothing waits for the peer.
    final func abort() {
        self.socket?.resetOnClose()
        self.context?.close(mode: .all, promise: nil)
    }

    /// Flushes and sends FIN.
    ///
    /// The peer's FIN, or the deadline that the machine holds, ends the rest.
    private func sayFarewell() {
        guard let context else { return }
        if self.inputEnded {
            // Both directions are finished once the queue is empty.
            let flushed = context.eventLoop.makePromise(of: Void.self)
            flushed.futureResult.assumeIsolated().whenComplete { _ in
                self.context?.close(mode: .all, promise: nil)
            }
            self.flushAll(context, flushed)
        } else {
            context.flush()
            let finished = context.eventLoop.makePromise(of: Void.self)
            finished.futureResult.assumeIsolated().whenFailure { _ in
                self.context?.close(mode: .all, promise: nil)
            }
            context.close(mode: .output, promise: finished)
        }
        self.rearm()
    }
}

@available(*, unavailable)
extension ConnectionDriver: Sendable {}
