//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension PlanProblem {
    /// Single changes that make this problem possible to solve, each tried out; empty where no single one does.
    ///
    /// A problem that a longer bound, fewer heartbeats, a lower floor or more bytes solve once is solved by still more
    /// of it, so bisections find the least change.
    ///
    /// - Parameter rarest: what ``rarestMistakes()`` answers, in seconds.
    /// - Returns: the changes, a longer bound first.
    func remedies(rarest: Double?) -> [PlanRemedy] {
        let candidates = [
            self.longerBound(), rarest.map(self.moreMistakes), self.longerMistakes(), self.fewerHeartbeats(),
            self.shorterInterval(), self.moreBytes(),
        ]
        return candidates.compactMap { $0 }.filter { self.isSolved(by: $0) }
    }

    private func isSolved(by remedy: PlanRemedy) -> Bool {
        PlanProblem(remedy.applied(to: self.requirements)).solution() != nil
    }

    private func longerBound() -> PlanRemedy? {
        let longest = LivenessPolicy.allowedBounds.upperBound.wholeMicroseconds
        guard self.isSolved(by: .detectWithin(.microseconds(longest))) else { return nil }
        var tooShort = self.requirements.detectWithin.wholeMicroseconds
        var enough = longest
        while enough - tooShort > enough / 1_000 + 1 {
            // The middle on a logarithmic scale to begin with, where the two are orders of magnitude apart.
            let product = (Double(tooShort) * Double(enough)).squareRoot()
            let middle = enough > 4 * tooShort ? Int64(product) : tooShort + (enough - tooShort) / 2
            if self.isSolved(by: .detectWithin(.microseconds(middle))) { enough = middle } else { tooShort = middle }
        }
        let round = PlanText.roundedUp(microseconds: enough)
        return .detectWithin(.microseconds(min(round, longest)))
    }

    private func moreMistakes(rarest: Double) -> PlanRemedy {
        let longest = QoSRequirements.allowedMistakes.upperBound.inSeconds
        let seconds = PlanText.shown(seconds: min(rarest * (1 - 1e-9), longest))
        return .mistakesEvery(.microseconds(Int64(seconds * 1e6)))
    }

    private func longerMistakes() -> PlanRemedy? {
        let longest = QoSRequirements.allowedMistakes.upperBound
        let relaxed = PlanProblem(PlanRemedy.mistakeLasts(longest).applied(to: self.requirements))
        // The shortest interval asks for the least, if mistakes are rare enough with it.
        let shortest = relaxed.isMet(by: self.floor.microseconds) ? self.floor.microseconds : nil
        guard let interval = shortest ?? relaxed.solution() else { return nil }
        let answered = self.quality.delay.answered(within: self.quality.bound)
        let needed = Double(interval) / answered * (1 + 1e-9) + 1
        guard needed < Double(longest.wholeMicroseconds) else { return nil }
        return .mistakeLasts(.microseconds(PlanText.roundedUp(microseconds: Int64(needed))))
    }

    private func fewerHeartbeats() -> PlanRemedy? {
        guard self.requirements.minimumHeartbeats > 1, self.isSolved(by: .minimumHeartbeats(1)) else { return nil }
        var enough = 1
        var tooMany = self.requirements.minimumHeartbeats
        while tooMany - enough > 1 {
            let middle = (enough + tooMany) / 2
            if self.isSolved(by: .minimumHeartbeats(middle)) { enough = middle } else { tooMany = middle }
        }
        return .minimumHeartbeats(enough)
    }

    private func shorterInterval() -> PlanRemedy? {
        let least = PlanRemedy.minimumInterval(.milliseconds(5)).applied(to: self.requirements)
        return PlanProblem(least).solution().map {
            .minimumInterval(.microseconds(max(PlanText.roundedDown(microseconds: $0), 5_000)))
        }
    }

    private func moreBytes() -> PlanRemedy? {
        guard self.requirements.maximumBytesPerSecond != nil else { return nil }
        var unlimited = self.requirements
        unlimited.maximumBytesPerSecond = nil
        return PlanProblem(unlimited).solution().map {
            .maximumBytesPerSecond(PlanText.roundedUp(HeartbeatTraffic.exchangeBytes / Self.seconds($0)))
        }
    }
}
