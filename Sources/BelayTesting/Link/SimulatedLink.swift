//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// A simulated TCP connection in virtual time, which carries items of any kind between its two ends.
///
/// It does nothing by itself: ``advance(to:)`` lets time pass, ``nextEvent`` says when something will happen. With the
/// same seed and the same calls everything happens at the same times again. Times given to its methods do not go back.
///
/// What arrives waits in the receive buffer of the end, as in a kernel, until ``receive(at:)`` takes it: an end that
/// does not read closes its window, and the other end's items wait in ``queuedBytes(of:)`` of their own program.
///
/// ```swift
/// var link = SimulatedLink<String>(LinkConditions(latency: .milliseconds(20), loss: 0.01), seed: 1)
/// link.send("hello", bytes: 5, from: .client)
/// while let next = link.nextEvent {
///     link.advance(to: next)
///     if let (arrival, _) = link.receive(at: .server) { print(arrival, link.now) }
/// }
/// ```
public struct SimulatedLink<Item: Sendable>: Sendable {
    /// What a read finds.
    public enum Arrival: Sendable {
        /// An item; items come in the order in which they were sent.
        case item(Item)
        /// The other end finished (FIN): no item comes any more.
        case end
        /// The other end reset the connection (RST), or is not there any more.
        case reset
    }

    private var transport: SimulatedTransport
    /// What was sent to the server and not received, in order.
    private var itemsToServer: [Item] = []
    private var itemsToClient: [Item] = []

    /// A link whose two directions are alike.
    ///
    /// - Parameters:
    ///   - conditions: what each direction is like.
    ///   - seed: decides jitter and losses.
    ///   - now: the time at which it begins.
    public init(_ conditions: LinkConditions, seed: UInt64, now: Instant = ManualClock().now) {
        self.init(toServer: conditions, toClient: conditions, seed: seed, now: now)
    }

    /// A link whose two directions differ.
    ///
    /// - Parameters:
    ///   - toServer: what the way from the client to the server is like.
    ///   - toClient: what the way back is like.
    ///   - seed: decides jitter and losses.
    ///   - now: the time at which it begins.
    public init(toServer: LinkConditions, toClient: LinkConditions, seed: UInt64, now: Instant = ManualClock().now) {
        self.transport = SimulatedTransport(toServer: toServer, toClient: toClient, seed: seed, now: now.nanoseconds)
    }

    /// The time up to which the link has advanced.
    public var now: Instant { Instant(nanoseconds: self.transport.now) }

    // MARK: - Sending

    /// Sends an item.
    ///
    /// - Parameters:
    ///   - item: what the other end will receive.
    ///   - bytes: its size, at least 1, at most the size of the smaller buffer.
    ///   - end: the end that sends.
    /// - Returns: false when it was refused: the queue is at its limit, or the connection has ended at this end.
    @discardableResult
    public mutating func send(_ item: Item, bytes: Int, from end: LinkEnd) -> Bool {
        guard self.transport.write(.item, bytes: bytes, from: end) else { return false }
        switch end {
        case .server: self.itemsToClient.append(item)
        case .client: self.itemsToServer.append(item)
        }
        return true
    }

    /// Finishes one direction (FIN): what was sent before arrives first.
    public mutating func finish(from end: LinkEnd) {
        self.transport.finish(from: end)
    }

    /// Resets the connection (RST) and leaves: nothing of this end that is still on its way arrives.
    ///
    /// A reset is not repeated if it gets lost; then the other end learns when it sends something next.
    public mutating func reset(from end: LinkEnd) {
        self.transport.reset(from: end)
    }

    /// The end closes its socket: what it sent still arrives, what comes from now on is answered with a reset.
    public mutating func release(_ end: LinkEnd) {
        self.transport.release(end)
    }

    /// The host of this end loses its memory: what it sent and what is on its way from it is gone.
    ///
    /// What comes from now on is answered with a reset, once it gets through.
    public mutating func forget(_ end: LinkEnd) {
        self.transport.forget(end)
    }

    /// Bytes that wait in the program of this end because its kernel does not take them.
    public func queuedBytes(of end: LinkEnd) -> Int { self.transport.queuedBytes(of: end) }

    // MARK: - Receiving

    /// Whether something that has arrived at this end was not read.
    public func hasUnread(at end: LinkEnd) -> Bool { self.transport.hasUnread(at: end) }

    /// Whether the next thing to be read at this end is the news of a reset.
    public func isReset(at end: LinkEnd) -> Bool { self.transport.isReset(at: end) }

    /// Reads the next thing that has arrived at this end, and its size; nil when there is none.
    public mutating func receive(at end: LinkEnd) -> (arrival: Arrival, bytes: Int)? {
        guard let parcel = self.transport.receive(at: end) else { return nil }
        switch (parcel.kind, end) {
        case (.item, .server): return (.item(self.itemsToServer.removeFirst()), parcel.bytes)
        case (.item, .client): return (.item(self.itemsToClient.removeFirst()), parcel.bytes)
        case (.end, _): return (.end, 0)
        case (.reset, _): return (.reset, 0)
        }
    }

    /// When something arrived last at this end, read or not; nil before the first time.
    public func lastArrival(at end: LinkEnd) -> Instant? {
        self.transport.lastArrival(at: end).map { Instant(nanoseconds: $0) }
    }

    /// When the other end last showed that it is there; nil before the first time.
    ///
    /// Something of it arrived at this end, or it made room for bytes that waited in the program of this end.
    public func lastSignOfLife(at end: LinkEnd) -> Instant? {
        let signs = [self.transport.lastArrival(at: end), self.transport.lastQueueMovement(of: end)]
        return signs.compactMap(\.self).max().map { Instant(nanoseconds: $0) }
    }

    /// What the kernel of this end knows of the connection, as TCP_INFO tells it.
    public func evidence(of end: LinkEnd) -> TCPEvidence { self.transport.evidence(of: end) }

    /// What only somebody who sees both ends knows.
    var truth: SimulatedTransport { self.transport }

    /// What has happened on the way to this end.
    public func counters(to end: LinkEnd) -> LinkCounters { self.transport.counters(to: end) }

    // MARK: - Time

    /// Nothing that is sent towards this end in that time gets through; what is on its way already does.
    ///
    /// Interrupt both ways for a broken cable, one for an asymmetric partition. An outage until
    /// ``BelayCore/Instant/distantFuture`` is for ever.
    public mutating func interrupt(to end: LinkEnd, during outage: Range<Instant>) {
        self.transport.interrupt(to: end, during: outage.lowerBound.nanoseconds..<outage.upperBound.nanoseconds)
    }

    /// When something happens next, if nothing is sent or read before; nil when nothing will.
    public var nextEvent: Instant? {
        let next = self.transport.nextEvent
        return next == .max ? nil : Instant(nanoseconds: next)
    }

    /// Lets time pass.
    ///
    /// Step from ``nextEvent`` to ``nextEvent`` where the ends react to what arrives.
    public mutating func advance(to time: Instant) {
        self.transport.advance(to: time.nanoseconds)
    }
}
