//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Which detector says when a peer is suspected (rule R4).
///
/// The verdict falls at the bound whichever it is. An adaptive one learns how long this peer's answers take, and suspects
/// it as soon as one is too late for that; never later than ``LivenessPolicy/suspectAfter``. It needs pings of our own.
public enum Detector: Hashable, Sendable {
    /// After ``LivenessPolicy/suspectAfter``, whatever the path is like.
    case fixed
    /// When an answer is later than expected by more than a margin: see ``NFDE``.
    ///
    /// - `margin`: how much later. Default: so much that a live peer is suspected at most once a day, if the path goes on as in
    ///   the last thousand round trips; nothing is said before there were fifty.
    /// - `window`: over how many round trips the expectation is the mean, 1 to 1,000. Default: 32.
    /// - `stallWindow`: a second, shorter window, 1 to 1,000. Default: none.
    case nfde(
        margin: NFDE.Margin = .mistakesAtMostEvery(.seconds(86_400)),
        window: Int = 32,
        stallWindow: Int? = nil
    )
    /// When an answer takes improbably long: see ``PhiAccrual``.
    case phi(PhiAccrual.Configuration = PhiAccrual.Configuration())

    /// The name in events and flags.
    public var name: String {
        switch self {
        case .fixed: "fixed"
        case .nfde: "nfde"
        case .phi: "phi"
        }
    }

    func validate(_ problems: inout ProblemCollector, heartbeats: LivenessPolicy.Heartbeats) {
        switch self {
        case .fixed:
            return
        case .nfde(let margin, let window, let stallWindow):
            problems.check("detector.window", window, in: 1...1_000)
            problems.check("detector.stallWindow", stallWindow, in: 1...1_000)
            switch margin {
            case .fixed(let margin):
                problems.check("detector.margin", margin, in: .milliseconds(1) ... .seconds(86_400))
            case .mistakesAtMostEvery(let recurrence):
                problems.check("detector.margin", recurrence, in: .seconds(1) ... .seconds(315_360_000))
            }
        case .phi(let configuration):
            configuration.validate(&problems)
        }
        if heartbeats == .answer || heartbeats == .listen {
            problems.report(
                "detector",
                "is \(self.name), which learns from answers to pings of our own: heartbeats must be both or ping"
            )
        }
    }
}

/// What a connection's detector thinks, for people and events.
public struct DetectorState: Hashable, Sendable {
    /// Which one it is.
    public var name: String
    /// How late an answer may be now; nil where the detector has no margin, or has not learned enough.
    public var margin: Duration?
    /// How suspicious the silence is; nil where the detector has no such number.
    public var phi: Double?
    /// By how much suspicion is stretched because this node itself is late, 1 to 8: see ``LocalHealth``.
    public var localHealth: Int

    /// A state of these facts.
    public init(name: String, margin: Duration? = nil, phi: Double? = nil, localHealth: Int = 1) {
        self.name = name
        self.margin = margin
        self.phi = phi
        self.localHealth = localHealth
    }
}
