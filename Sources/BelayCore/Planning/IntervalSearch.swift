//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import RealModule

/// Finds the longest interval whose mistakes are rare enough.
///
/// The recurrence f(eta) is not monotone: it grows with the interval and falls wherever one heartbeat less fits into
/// the bound, a sawtooth with a branch for each number of heartbeats. A bisection over all of it returns wrong answers,
/// and a scan of branches must guess where in a branch the peak lies. So this uses what is monotone: ln f is ln eta,
/// which rises, plus the assurance, which falls. On a piece [a, b] it is therefore nowhere above ln b + assurance(a),
/// and pieces that cannot reach the target are dropped whole, longest intervals first.
///
/// A peak narrower than a ten-thousandth of the interval between two points that miss the target may be passed over;
/// the next shorter interval is found then. What is found does reach the target.
struct IntervalSearch {
    /// Not rising with the interval, in seconds.
    let assurance: (Double) -> Double
    /// How often the assurance was computed.
    private(set) var evaluations = 0

    /// No search computes more assurances; after that many, what is left is taken to miss the target.
    static let mostEvaluations = 4_000

    init(assurance: @escaping (Double) -> Double) {
        self.assurance = assurance
    }

    /// The intervals between two whose assurance is known.
    private struct Piece {
        var lower: Double
        var lowerAssurance: Double
        var upper: Double

        /// What no interval of it exceeds.
        var ceiling: Double { .log(self.upper) + self.lowerAssurance }
        var atLower: Double { .log(self.lower) + self.lowerAssurance }
        func isNarrower(than part: Double) -> Bool { self.upper - self.lower <= self.upper * part }
    }

    private mutating func assured(_ interval: Double) -> Double {
        self.evaluations += 1
        return self.assurance(interval)
    }

    /// The longest interval in the range, in seconds and above 0, with ln eta + assurance(eta) >= target.
    ///
    /// - Returns: nil where there is none.
    mutating func longest(in range: ClosedRange<Double>, reaching target: Double) -> Double? {
        self.evaluations = 0
        guard .log(range.upperBound) + self.assured(range.upperBound) < target else { return range.upperBound }
        let lowest = self.assured(range.lowerBound)
        // The upper end of no piece reaches the target, nor does anything above the last piece.
        var pieces = [Piece(lower: range.lowerBound, lowerAssurance: lowest, upper: range.upperBound)]
        while let piece = pieces.popLast() {
            guard piece.ceiling >= target else { continue }
            let reaches = piece.atLower >= target
            if piece.isNarrower(than: reaches ? 1e-14 : 1e-4) || self.evaluations >= Self.mostEvaluations {
                if reaches { return piece.lower }
                continue
            }
            let middle = piece.lower + (piece.upper - piece.lower) / 2
            let assurance = self.assured(middle)
            let right = Piece(lower: middle, lowerAssurance: assurance, upper: piece.upper)
            if right.atLower >= target {
                pieces = [right]
            } else {
                pieces.append(Piece(lower: piece.lower, lowerAssurance: piece.lowerAssurance, upper: middle))
                pieces.append(right)
            }
        }
        return nil
    }

    /// The interval in the range where ln eta + assurance(eta) is greatest, to a thousandth of eta e^assurance.
    mutating func best(in range: ClosedRange<Double>) -> Double {
        self.evaluations = 0
        var best = (interval: range.upperBound, value: .log(range.upperBound) + self.assured(range.upperBound))
        let lowest = self.assured(range.lowerBound)
        var pieces = [Piece(lower: range.lowerBound, lowerAssurance: lowest, upper: range.upperBound)]
        while let piece = pieces.popLast() {
            if piece.atLower > best.value { best = (piece.lower, piece.atLower) }
            guard piece.ceiling > best.value + 1e-3, self.evaluations < Self.mostEvaluations else { continue }
            let middle = piece.lower + (piece.upper - piece.lower) / 2
            let assurance = self.assured(middle)
            pieces.append(Piece(lower: middle, lowerAssurance: assurance, upper: piece.upper))
            pieces.append(Piece(lower: piece.lower, lowerAssurance: piece.lowerAssurance, upper: middle))
        }
        return best.interval
    }
}
