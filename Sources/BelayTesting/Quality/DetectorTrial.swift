//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

public import BelayCore

/// A detector that watches a living peer in virtual time, and how well it does.
///
/// ```swift
/// let detector = NFDE(interval: .milliseconds(250), margin: .fixed(.seconds(1)))
/// var trial = DetectorTrial(detector, warmUp: 1_000)
/// for heartbeat in TCPHeartbeats(seed: 1).prefix(100_000) { trial.observe(heartbeat) }
/// let quality = trial.finish()
/// print(quality.mistakes, quality.meanDetection ?? .zero, quality.longestDetection ?? .zero)
/// ```
///
/// The time to detect is measured from the sending of each heartbeat, as if the peer had crashed right after it: what it
/// had sent still arrives, and then nothing; the suspicion that stays counts. It is zero where the peer is suspected
/// already. A heartbeat after which the detector knows too little to ever suspect anybody does not count.
///
/// Memory grows with the number of heartbeats that are on their way at one time, and with nothing else.
public struct DetectorTrial<Detector: FailureDetector>: Sendable {
    /// A detector, and since when it has suspected without a break.
    private struct Watch: Sendable {
        var detector: Detector
        var suspectedSince: Instant?

        /// A heartbeat arrives; one that comes at the very instant of the suspicion is in time.
        mutating func arrived(_ heartbeat: Arrival) -> (suspectedAt: Instant?, isTrusted: Bool) {
            let wasSuspected = self.suspectedSince != nil
            let due = self.detector.suspicionAt
            if !wasSuspected, due < heartbeat.arrivedAt { self.suspectedSince = due }
            self.detector.arrived(sentAt: heartbeat.sentAt, at: heartbeat.arrivedAt)
            let isTrusted = heartbeat.arrivedAt < self.detector.suspicionAt
            if !isTrusted, self.suspectedSince == nil { self.suspectedSince = heartbeat.arrivedAt }
            let suspectedAt = wasSuspected ? nil : self.suspectedSince
            if isTrusted { self.suspectedSince = nil }
            return (suspectedAt, isTrusted)
        }
    }

    private struct Arrival: Sendable {
        let sentAt: Instant
        let arrivedAt: Instant
    }

    private var watch: Watch
    private let measuresDetection: Bool
    private var unjudged: Int
    /// From when on is judged; heartbeats sent before are not.
    private var judgedFrom: Instant?
    private var isJudging = false
    private var quality = DetectorQuality(from: Instant(nanoseconds: 0))
    /// Heartbeats that were sent and have not arrived, in the order of their arrivals.
    private var onTheirWay: [Arrival] = []

    /// A trial of this detector, which knows nothing yet.
    ///
    /// - Parameters:
    ///   - detector: the detector.
    ///   - warmUp: so many heartbeats are not judged, and neither is the time until the first one after them arrives.
    ///   - measuresDetection: whether to measure the time to detect, which takes longer than everything else.
    public init(_ detector: Detector, warmUp: Int = 0, measuresDetection: Bool = true) {
        self.watch = Watch(detector: detector)
        self.unjudged = max(0, warmUp)
        self.measuresDetection = measuresDetection
    }

    /// The mistakes so far.
    public var mistakes: Int { self.quality.mistakes }

    /// The next heartbeat of the workload is sent; those that arrive until then do so first.
    public mutating func observe(_ heartbeat: Heartbeat) {
        self.deliver(until: heartbeat.sentAt)
        if self.unjudged > 0 {
            self.unjudged -= 1
        } else if self.judgedFrom == nil {
            self.judgedFrom = heartbeat.sentAt
        }
        if let arrivedAt = heartbeat.arrivedAt {
            let place = (self.onTheirWay.lastIndex { $0.arrivedAt <= arrivedAt } ?? -1) + 1
            self.onTheirWay.insert(Arrival(sentAt: heartbeat.sentAt, arrivedAt: arrivedAt), at: place)
        }
        if self.measuresDetection, self.judgedFrom != nil { self.measureDetection(ofCrashAt: heartbeat.sentAt) }
    }

    /// Lets everything arrive that is on its way.
    public mutating func drain() {
        self.deliver(until: .distantFuture)
    }

    /// Goes on at another place of the workload with a detector that knows nothing yet, which counts as no mistake.
    ///
    /// For workloads of which it is known that nothing happens for long.
    mutating func resume(with detector: Detector) {
        self.drain()
        self.watch = Watch(detector: detector)
    }

    /// Lets everything arrive that is on its way, and says how well the detector did until then.
    public mutating func finish() -> DetectorQuality {
        self.drain()
        return self.quality
    }

    private mutating func deliver(until now: Instant) {
        var delivered = 0
        while delivered < self.onTheirWay.count, self.onTheirWay[delivered].arrivedAt <= now {
            self.deliver(self.onTheirWay[delivered])
            delivered += 1
        }
        self.onTheirWay.removeFirst(delivered)
    }

    private mutating func deliver(_ arrival: Arrival) {
        let (suspectedAt, isTrusted) = self.watch.arrived(arrival)
        guard self.isJudging else {
            guard let judgedFrom, judgedFrom <= arrival.sentAt else { return }
            self.isJudging = true
            return self.quality.begin(at: arrival.arrivedAt, isSuspected: !isTrusted)
        }
        if let suspectedAt { self.quality.suspected(at: suspectedAt) }
        if isTrusted { self.quality.trusted(at: arrival.arrivedAt) }
        self.quality.ended(at: arrival.arrivedAt)
    }

    private mutating func measureDetection(ofCrashAt crash: Instant) {
        // Later heartbeats, which may overtake these, were not sent yet: nothing of them is in this copy.
        var crashed = self.watch
        for arrival in self.onTheirWay { _ = crashed.arrived(arrival) }
        let suspectedAt = crashed.suspectedSince ?? crashed.detector.suspicionAt
        guard suspectedAt < .distantFuture else { return }
        self.quality.detected(in: crash.duration(to: suspectedAt))
    }
}

extension FailureDetector {
    /// How well this detector, which knows nothing yet, does on a workload.
    ///
    /// - Parameters:
    ///   - heartbeats: the workload, a finite one.
    ///   - warmUp: so many heartbeats are not judged.
    /// - Returns: its mistakes and times to detect.
    public func quality(on heartbeats: some Sequence<Heartbeat>, warmUp: Int = 0) -> DetectorQuality {
        var trial = DetectorTrial(self, warmUp: warmUp)
        for heartbeat in heartbeats { trial.observe(heartbeat) }
        return trial.finish()
    }
}
