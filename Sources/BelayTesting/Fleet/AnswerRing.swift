//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// Answers on their way, by the tick of their arrival.
///
/// A ring of buckets, one for each tick until the one that is farthest away: putting in and taking out cost the same
/// however many there are, and the buckets' storage is used again and again.
struct AnswerRing {
    struct Answer {
        let connection: UInt32
        let token: UInt64
    }

    private var buckets: [[Answer]] = [[]]
    private(set) var count = 0

    /// Puts in an answer that arrives later than now.
    mutating func add(_ answer: Answer, at tick: UInt64, now: UInt64) {
        if tick - now >= self.buckets.count { self.grow(toHold: tick - now, now: now) }
        self.buckets[self.bucket(of: tick)].append(answer)
        self.count += 1
    }

    /// The first tick after this one at which an answer arrives.
    func nextTick(after now: UInt64) -> UInt64? {
        guard self.count > 0 else { return nil }
        return (now + 1...now + UInt64(self.buckets.count)).first { !self.buckets[self.bucket(of: $0)].isEmpty }
    }

    /// Takes out what arrives at this tick.
    mutating func take(at tick: UInt64) -> [Answer] {
        let bucket = self.bucket(of: tick)
        self.count -= self.buckets[bucket].count
        defer { self.buckets[bucket] = [] }
        return self.buckets[bucket]
    }

    /// Takes the storage back of what was taken out.
    mutating func giveBack(_ answers: consuming [Answer], at tick: UInt64) {
        answers.removeAll(keepingCapacity: true)
        let bucket = self.bucket(of: tick)
        if self.buckets[bucket].isEmpty { self.buckets[bucket] = answers }
    }

    private func bucket(of tick: UInt64) -> Int { Int(tick & UInt64(self.buckets.count - 1)) }

    private mutating func grow(toHold ticks: UInt64, now: UInt64) {
        let old = self
        var count = self.buckets.count
        while ticks >= count { count *= 2 }
        self.buckets = Array(repeating: [], count: count)
        for tick in now..<now + UInt64(old.buckets.count) {
            self.buckets[self.bucket(of: tick)] = old.buckets[old.bucket(of: tick)]
        }
    }
}
