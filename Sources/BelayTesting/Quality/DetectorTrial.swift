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
    /// A detector, from when on it suspects if nothing arrives, and since when it has suspected without a break.
    private struct Watch: Sendable {
        private var detector: Detector
        private var suspicionAt: Instant
        private var suspectedSince: Instant?

        init(_ detector: Detector) {
            self.detector = detector
            self.suspicionAt = detector.suspicionAt
        }

        /// When the suspicion begins that stays if nothing arrives any more.
        var lastSuspicionAt: Instant { self.suspectedSince ?? self.suspicionAt }

        /// A heartbeat arrives; one that comes at the very instant of the suspicion is in time.
        mutating func arrived(_ heartbeat: Arrival) -> (suspectedAt: Instant?, isTrusted: Bool) {
            let wasSuspected = self.suspectedSince != nil
            if !wasSuspected, self.suspicionAt < heartbeat.arrivedAt { self.suspectedSince = self.suspicionAt }
            self.detector.arrived(sentAt: heartbeat.sentAt, at: heartbeat.arrivedAt)
            self.suspicionAt = self.detector.suspicionAt
            let isTrusted = heartbeat.arrivedAt < self.suspicionAt
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

    var measuresDetection = true

    private var watch: Watch
    private var unjudged: Int
    /// From when on is judged; heartbeats sent before are not.
    private var judgedFrom: Instant?
    private var isJudging = false
    private var quality = DetectorQuality(from: Instant(nanoseconds: 0))
    /// Heartbeats that were sent and have not arrived, in the order of their arrivals.
    private var onTheirWay: [Arrival] = []
    /// Crashes whose detection is not known yet, and when the heartbeat was sent that is the last to arrive before it is.
    private var crashes: [(at: Instant, lastSentAt: Instant)] = []

    /// A trial of this detector, which knows nothing yet.
    ///
    /// - Parameters:
    ///   - detector: the detector.
    ///   - warmUp: so many heartbeats are not judged, and neither is the time until the first one after them arrives.
    public init(_ detector: Detector, warmUp: Int = 0) {
        self.watch = Watch(detector)
        self.unjudged = max(0, warmUp)
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
            var place = self.onTheirWay.count
            while place > 0, self.onTheirWay[place - 1].arrivedAt > arrivedAt { place -= 1 }
            if place < self.onTheirWay.count { self.detectCrashesBeforeOvertaking() }
            self.onTheirWay.insert(Arrival(sentAt: heartbeat.sentAt, arrivedAt: arrivedAt), at: place)
        }
        if self.measuresDetection, self.judgedFrom != nil { self.crash(at: heartbeat.sentAt) }
    }

    /// Lets everything arrive that is on its way.
    mutating func drain() {
        self.deliver(until: .distantFuture)
    }

    /// Goes on at another place of the workload with a detector that knows nothing yet, which counts as no mistake.
    ///
    /// For workloads of which it is known that nothing happens for long.
    mutating func resume(with detector: Detector) {
        self.drain()
        self.watch = Watch(detector)
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
        self.detectCrashes(after: arrival)
        guard self.isJudging else {
            guard let judgedFrom, judgedFrom <= arrival.sentAt else { return }
            self.isJudging = true
            return self.quality.begin(at: arrival.arrivedAt, isSuspected: !isTrusted)
        }
        if let suspectedAt { self.quality.suspected(at: suspectedAt) }
        if isTrusted { self.quality.trusted(at: arrival.arrivedAt) }
        self.quality.ended(at: arrival.arrivedAt)
    }

    // MARK: - The time to detect

    /// A crash right after a heartbeat was sent is detected by what is on its way then, and by nothing that is sent later.
    private mutating func crash(at now: Instant) {
        guard let last = self.onTheirWay.last else { return self.detect(now, by: self.watch) }
        self.crashes.append((now, last.sentAt))
    }

    /// Until something is sent that overtakes them, heartbeats find the detector as they would after a crash.
    private mutating func detectCrashes(after arrival: Arrival) {
        var detected = 0
        while detected < self.crashes.count, self.crashes[detected].lastSentAt == arrival.sentAt {
            self.detect(self.crashes[detected].at, by: self.watch)
            detected += 1
        }
        self.crashes.removeFirst(detected)
    }

    /// What overtakes is not there after a crash that comes before it is sent: a copy of the detector never sees it.
    private mutating func detectCrashesBeforeOvertaking() {
        var crashed = self.watch
        var detected = 0
        for arrival in self.onTheirWay {
            _ = crashed.arrived(arrival)
            while detected < self.crashes.count, self.crashes[detected].lastSentAt == arrival.sentAt {
                self.detect(self.crashes[detected].at, by: crashed)
                detected += 1
            }
        }
        self.crashes = []
    }

    private mutating func detect(_ crash: Instant, by watch: Watch) {
        guard watch.lastSuspicionAt < .distantFuture else { return }
        self.quality.detected(in: crash.duration(to: watch.lastSuspicionAt))
    }
}
