//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

import BelayCore
import Testing

@Suite struct TimingWheelTests {
    /// Distances at which an entry changes its level, and their neighbours.
    private static let boundaryDistances: [UInt64] = [
        0, 1, 2, 62, 63, 64, 65, 127, 128, 4_095, 4_096, 4_097, 1 << 18 - 1, 1 << 18, 1 << 18 + 1, 1 << 24, 1 << 30 - 1,
        1 << 36 - 1, 1 << 36, 1 << 36 + 1, 1 << 42, 1 << 60 - 1, 1 << 60, 1 << 63, .max - 1, .max,
    ]

    /// Ticks just before, at and after those at which several digits of the time roll over together.
    private static let boundaryStarts: [UInt64] = [
        0, 1, 63, 64, 4_095, 4_096, 1 << 18 - 1, 1 << 36 - 5, 1 << 36, 1 << 60 - 1, 1 << 63 - 3, 1 << 63,
        .max - 1 << 37, .max - 4_097, .max - 70, .max - 2, .max - 1,
    ]

    // MARK: Against a sorted list

    @Test("half a million random steps agree with a sorted list", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func randomStepsAgreeWithSortedList(seed: UInt64) throws {
        var random = Random(state: seed)
        var remaining = 500_000
        while remaining > 0 {
            var start = random.pick(Self.boundaryStarts)
            if random.below(4) == 0 { start = random.next() >> random.below(64) }
            var comparison = Comparison(startingAt: start, seed: seed, random: random)
            remaining -= try comparison.run(steps: min(remaining, 20_000))
            random = comparison.random
        }
    }

    @Test("every boundary distance from every boundary start is due at its tick and not one tick before")
    func boundariesAreExact() throws {
        for start in Self.boundaryStarts {
            for distance in Self.boundaryDistances {
                let deadline = max(start + 1, saturatingSum(start, distance))
                for stops in [0, 1, 6] {
                    var wheel = TimingWheel(startingAt: start)
                    let entry = wheel.add()
                    wheel.arm(entry, at: saturatingSum(start, distance))
                    var random = Random(state: deadline ^ start)
                    for _ in 0..<stops {
                        wheel.advance(to: wheel.currentTick + random.next() % (deadline - wheel.currentTick))
                        wheel.checkInvariants()
                    }
                    wheel.advance(to: deadline - 1)
                    let early = wheel.popDue()
                    wheel.advance(to: deadline)
                    let due = wheel.popDue()
                    #expect(early == nil && due == entry, "start \(start), distance \(distance), stops \(stops)")
                }
            }
        }
    }

    // MARK: Never early, never late

    @Test("an entry re-armed a whole turn ahead, from the slot being emptied, is not due again in that slot")
    func wholeTurnAhead() {
        for turn in [64, 4_096, 1 << 18, 1 << 36] as [UInt64] {
            for start in [turn, turn - 1, 3 * turn + 1] {
                for distance in [turn - 1, turn, turn + 1] {
                    var wheel = TimingWheel(startingAt: start - 1)
                    let entry = wheel.add()
                    wheel.arm(entry, at: start)
                    wheel.advance(to: start)
                    let first = wheel.popDue()
                    wheel.arm(entry, at: start + distance)
                    let again = wheel.popDue()
                    wheel.advance(to: start + distance - 1)
                    let early = wheel.popDue()
                    wheel.advance(to: start + distance)
                    let second = wheel.popDue()
                    #expect(first == entry && again == nil && early == nil && second == entry, "turn \(turn)")
                    wheel.checkInvariants()
                }
            }
        }
    }

    @Test("with time advanced tick by tick, periodic entries are due at exactly each of their ticks")
    func periodicEntries() {
        let periods: [UInt64] = [1, 2, 63, 64, 65, 1_000, 4_095, 4_096, 4_097]
        var wheel = TimingWheel(startingAt: 1 << 36 - 10_000)
        let start = wheel.currentTick
        for period in periods {
            wheel.arm(wheel.add(), at: start + period)
        }
        var counts = [Int](repeating: 0, count: periods.count)
        var inexact = 0
        for tick in start + 1...start + 20_000 {
            wheel.advance(to: tick)
            while let entry = wheel.popDue() {
                let period = periods[entry.index]
                if (tick - start) % period != 0 { inexact += 1 }
                counts[entry.index] += 1
                wheel.arm(entry, at: tick + period)
            }
        }
        #expect(inexact == 0)
        #expect(counts == periods.map { Int(20_000 / $0) })
    }

    @Test("a deadline at or before the current tick means the next tick", arguments: [0, 1, 99, 100] as [UInt64])
    func armingInThePast(tick: UInt64) {
        var wheel = TimingWheel(startingAt: 100)
        let entry = wheel.add()
        wheel.arm(entry, at: tick)
        #expect(wheel.deadline(of: entry) == 101)
        #expect(wheel.nextTick == 101)
        #expect(wheel.popDue() == nil)
        wheel.advance(to: 101)
        #expect(wheel.popDue() == entry)
    }

    @Test("a loop that re-arms what it pops for the current tick ends")
    func rearmingForNowEnds() {
        var wheel = TimingWheel()
        for _ in 0..<10 { wheel.arm(wheel.add(), at: 5) }
        wheel.advance(to: 5)
        var popped = 0
        while let entry = wheel.popDue(), popped < 100 {
            popped += 1
            wheel.arm(entry, at: wheel.currentTick)
        }
        #expect(popped == 10)
        #expect(wheel.nextTick == 6)
        wheel.checkInvariants()
    }

    @Test("time does not go back")
    func advancingIntoThePast() {
        var wheel = TimingWheel(startingAt: 1_000)
        let entry = wheel.add()
        wheel.arm(entry, at: 1_001)
        wheel.advance(to: 1_000)
        wheel.advance(to: 0)
        #expect(wheel.currentTick == 1_000)
        #expect(wheel.popDue() == nil)
        #expect(wheel.deadline(of: entry) == 1_001)
    }

    @Test("at the end of time arithmetic does not overflow, and what is armed there never becomes due")
    func endOfTime() {
        var wheel = TimingWheel(startingAt: .max - 1)
        let first = wheel.add()
        let second = wheel.add()
        wheel.arm(first, at: 0)
        #expect(wheel.deadline(of: first) == .max)
        #expect(wheel.nextTick == .max)
        wheel.advance(to: .max)
        wheel.arm(second, at: .max)
        #expect(wheel.popDue() == first)
        wheel.arm(first, at: 7)
        #expect(wheel.deadline(of: first) == .max)
        wheel.advance(to: .max)
        #expect(wheel.popDue() == nil)
        #expect(wheel.nextTick == nil)
        #expect(wheel.armedCount == 2)
        wheel.checkInvariants()
        wheel.disarm(first)
        wheel.remove(second)
        #expect(wheel.armedCount == 0)
        wheel.checkInvariants()
    }
}

extension TimingWheelTests {
    // MARK: Due entries

    @Test("due entries come in order of deadline, even after one jump over all of time")
    func dueInOrder() {
        let deadlines: [UInt64] = [1 << 63, 70, .max, 1 << 40, 63, 1 << 36 + 1, 64, 1 << 36, 1, 4_096]
        var wheel = TimingWheel()
        for deadline in deadlines { wheel.arm(wheel.add(), at: deadline) }
        wheel.advance(to: 1 << 40)
        wheel.advance(to: .max)
        var popped: [UInt64] = []
        while let entry = wheel.popDue() { popped.append(deadlines[entry.index]) }
        #expect(popped == deadlines.sorted())
    }

    @Test("a due entry remains armed until it is popped")
    func dueEntriesAreArmed() {
        var wheel = TimingWheel()
        let entry = wheel.add()
        wheel.arm(entry, at: 3)
        wheel.advance(to: 10)
        #expect(wheel.armedCount == 1)
        #expect(wheel.deadline(of: entry) == 3)
        #expect(wheel.nextTick == 10)
        #expect(wheel.popDue() == entry)
        #expect(wheel.armedCount == 0)
        #expect(wheel.deadline(of: entry) == nil)
        #expect(wheel.nextTick == nil)
    }

    @Test("a due entry that another one disarms, moves or removes in the loop is not popped")
    func changingDueEntriesInTheLoop() {
        var wheel = TimingWheel()
        let entries = (0..<5).map { _ in wheel.add() }
        for (entry, deadline) in zip(entries, [1, 2, 2, 2, 3] as [UInt64]) { wheel.arm(entry, at: deadline) }
        wheel.advance(to: 3)
        #expect(wheel.popDue() == entries[0])
        wheel.disarm(entries[1])
        wheel.arm(entries[2], at: 200)
        wheel.remove(entries[3])
        wheel.checkInvariants()
        let added = wheel.add()
        wheel.arm(added, at: 2)
        #expect(wheel.popDue() == entries[4])
        #expect(wheel.popDue() == nil)
        #expect(wheel.nextTick == 4)
        wheel.advance(to: 4)
        #expect(wheel.popDue() == added)
        wheel.advance(to: 200)
        #expect(wheel.popDue() == entries[2])
        #expect(wheel.armedCount == 0)
        wheel.checkInvariants()
    }

    @Test("due entries not yet popped stay ahead of those that become due later")
    func unpoppedEntriesStayFirst() {
        var wheel = TimingWheel()
        let late = wheel.add()
        let early = wheel.add()
        wheel.arm(late, at: 500)
        wheel.arm(early, at: 5)
        wheel.advance(to: 5)
        wheel.advance(to: 1_000)
        #expect(wheel.popDue() == early)
        #expect(wheel.popDue() == late)
    }

    // MARK: Wake-ups

    @Test("following nextTick misses no deadline and wakes up at most once per level for each")
    func wakeUpsAreBounded() {
        var random = Random(state: 6)
        for start in Self.boundaryStarts {
            var wheel = TimingWheel(startingAt: start)
            var deadlines: [UInt64] = []
            for _ in 0..<200 {
                deadlines.append(max(start + 1, saturatingSum(start, random.next() >> random.below(64))))
                wheel.arm(wheel.add(), at: deadlines[deadlines.count - 1])
            }
            var wakeUps = 0
            var expiries = 0
            while let tick = wheel.nextTick, tick > wheel.currentTick {
                wakeUps += 1
                wheel.advance(to: tick)
                while let entry = wheel.popDue() {
                    if deadlines[entry.index] == tick { expiries += 1 }
                }
            }
            #expect(expiries == 200 && wakeUps <= 200 * 11, "start \(start)")
        }
    }

    @Test("an entry alone in an empty wheel is reached with few wake-ups, however far it is")
    func fewWakeUpsWhenAlone() {
        for (distance, most) in [(63, 1), (64, 2), (4_096, 3), (1 << 36 + 12_345, 7), (1 << 60, 11)] as [(UInt64, Int)]
        {
            var wheel = TimingWheel(startingAt: 1)
            wheel.arm(wheel.add(), at: 1 + distance)
            var wakeUps = 0
            while wheel.popDue() == nil, let tick = wheel.nextTick {
                wheel.advance(to: tick)
                wakeUps += 1
            }
            #expect(wheel.currentTick == 1 + distance)
            #expect(wakeUps <= most)
        }
    }

    @Test("an empty wheel has no next tick and jumps anywhere")
    func emptyWheel() {
        var wheel = TimingWheel()
        #expect(wheel.nextTick == nil)
        wheel.advance(to: 1 << 50)
        #expect(wheel.currentTick == 1 << 50)
        #expect(wheel.popDue() == nil)
        let entry = wheel.add()
        #expect(wheel.nextTick == nil)
        #expect(wheel.deadline(of: entry) == nil)
        wheel.arm(entry, at: 1 << 60)
        wheel.disarm(entry)
        wheel.disarm(entry)
        #expect(wheel.nextTick == nil)
        wheel.checkInvariants()
    }

    // MARK: Storage

    @Test("indices are dense from 0, and a removed entry's is given to the next one added")
    func indicesAreReused() {
        var wheel = TimingWheel()
        let entries = (0..<4).map { _ in wheel.add() }
        #expect(entries.map(\.index) == [0, 1, 2, 3])
        wheel.arm(entries[1], at: 10)
        wheel.remove(entries[1])
        wheel.remove(entries[3])
        #expect(wheel.entryCount == 2)
        #expect(wheel.armedCount == 0)
        wheel.checkInvariants()
        #expect(wheel.add().index == 3)
        let second = wheel.add()
        #expect(second.index == 1)
        #expect(wheel.deadline(of: second) == nil)
        #expect(wheel.add().index == 4)
        #expect(wheel.entryCount == 5)
        wheel.checkInvariants()
    }

    @Test("storage grows by doubling only, and growth keeps every deadline")
    func growthDoubles() {
        var wheel = TimingWheel(minimumCapacity: 10)
        var capacities = [wheel.capacity]
        for index in 0..<1_000 {
            wheel.arm(wheel.add(), at: UInt64(1 + index * index))
            if wheel.capacity != capacities.last { capacities.append(wheel.capacity) }
        }
        #expect(capacities == [10, 20, 40, 80, 160, 320, 640, 1_280])
        wheel.checkInvariants()
        var indices: [Int] = []
        wheel.advance(to: 1_000_000)
        while let entry = wheel.popDue() { indices.append(entry.index) }
        #expect(indices == Array(0..<1_000))
    }

    @Test("arming, expiring, removing and adding again do not grow the storage")
    func steadyStateDoesNotGrow() {
        var random = Random(state: 7)
        var wheel = TimingWheel(minimumCapacity: 500)
        var entries = (0..<500).map { _ in wheel.add() }
        for _ in 0..<50_000 {
            let position = Int(random.below(500))
            wheel.arm(entries[position], at: wheel.currentTick + random.below(10_000))
            if random.below(4) == 0 {
                wheel.remove(entries[position])
                entries[position] = wheel.add()
            }
            wheel.advance(to: wheel.currentTick + random.below(20))
            while wheel.popDue() != nil {}
        }
        #expect(wheel.capacity == 500)
        #expect(wheel.entryCount == 500)
        wheel.checkInvariants()
    }

    @Test("using an entry after its removal traps")
    func useAfterRemoval() async {
        await #expect(processExitsWith: .failure) {
            var wheel = TimingWheel()
            let entry = wheel.add()
            wheel.remove(entry)
            wheel.arm(entry, at: 1)
        }
    }

    @Test("removing an entry twice traps")
    func doubleRemoval() async {
        await #expect(processExitsWith: .failure) {
            var wheel = TimingWheel()
            let entry = wheel.add()
            wheel.remove(entry)
            wheel.remove(entry)
        }
    }

    @Test("an entry that a wheel never gave out traps")
    func foreignEntry() async {
        await #expect(processExitsWith: .failure) {
            var other = TimingWheel()
            let entry = other.add()
            var wheel = TimingWheel(minimumCapacity: 1)
            wheel.disarm(entry)
        }
    }
}

extension TimingWheelTests {
    /// A wheel and the simplest thing that does the same, a sorted list, taking the same random steps.
    fileprivate struct Comparison: ~Copyable {
        struct Mismatch: Error, CustomStringConvertible {
            let description: String
        }

        struct Item {
            let deadline: UInt64
            let index: Int
        }

        let start: UInt64
        let seed: UInt64
        let mostEntries: Int
        // The larger, the more is armed between two advances.
        let patience: UInt64
        var random: Random
        var step = 0

        var wheel: TimingWheel
        var entries: [TimingWheel.Entry] = []
        var list: [Item] = []
        var deadlines: [UInt64?] = []

        init(startingAt start: UInt64, seed: UInt64, random: Random) {
            self.start = start
            self.seed = seed
            self.random = random
            mostEntries = self.random.pick([3, 40, 1_000])
            patience = self.random.pick([1, 10, 100])
            wheel = TimingWheel(startingAt: start)
            for _ in 0..<mostEntries / 2 { add() }
        }

        /// Takes the given number of steps, or fewer when time ends; returns how many.
        mutating func run(steps: Int) throws -> Int {
            while step < steps, wheel.currentTick < .max {
                step += 1
                try takeStep()
                try compare()
                if step % 512 == 0 { wheel.checkInvariants() }
            }
            wheel.checkInvariants()
            return step
        }

        mutating func takeStep() throws {
            switch random.below(100) {
            case 0..<8: add()
            case 8..<13: remove()
            case 13..<20: disarm()
            case 20..<60: try arm()
            case 60..<80: if random.below(patience) == 0 { try advance() }
            default: try pop(atMost: random.below(3) == 0 ? 1 : .max)
            }
        }

        func compare() throws {
            guard wheel.armedCount == list.count, wheel.entryCount == entries.count else { throw mismatch("counts") }
            guard let earliest = list.first?.deadline else {
                guard wheel.nextTick == nil else { throw mismatch("next tick of an empty wheel") }
                return
            }
            guard let next = wheel.nextTick else { throw mismatch("no next tick") }
            if earliest <= wheel.currentTick {
                guard next == wheel.currentTick else { throw mismatch("next tick while entries are due") }
            } else {
                guard next > wheel.currentTick, next <= earliest else { throw mismatch("next tick \(next)") }
            }
        }

        mutating func add() {
            guard entries.count < mostEntries else { return }
            let entry = wheel.add()
            if entry.index == deadlines.count { deadlines.append(nil) }
            entries.append(entry)
        }

        mutating func remove() {
            guard !entries.isEmpty else { return }
            let entry = entries.remove(at: Int(random.below(UInt64(entries.count))))
            wheel.remove(entry)
            forget(entry)
        }

        mutating func disarm() {
            guard !entries.isEmpty else { return }
            let entry = random.pick(entries)
            wheel.disarm(entry)
            forget(entry)
        }

        mutating func arm() throws {
            guard !entries.isEmpty, wheel.currentTick < .max else { return }
            let entry = random.pick(entries)
            guard wheel.deadline(of: entry) == deadlines[entry.index] else { throw mismatch("deadline before arming") }
            let tick = randomDeadline()
            wheel.arm(entry, at: tick)
            forget(entry)
            let deadline = max(tick, wheel.currentTick + 1)
            guard wheel.deadline(of: entry) == deadline else { throw mismatch("deadline after arming") }
            deadlines[entry.index] = deadline
            list.insert(Item(deadline: deadline, index: entry.index), at: position(of: deadline))
        }

        mutating func advance() throws {
            let now = wheel.currentTick
            let tick: UInt64
            switch random.below(8) {
            case 0, 1: tick = wheel.nextTick ?? now
            case 2: tick = max(wheel.nextTick ?? now, 1) - 1
            case 3: tick = saturatingSum(now, 1)
            case 4: tick = saturatingSum(now, random.below(130))
            case 5: tick = saturatingSum(now, 1 << random.below(50) - 1 + random.below(3))
            case 6: tick = list.first?.deadline ?? now
            default: tick = now - min(now, random.below(1_000))
            }
            wheel.advance(to: tick)
            guard wheel.currentTick == max(now, tick) else { throw mismatch("current tick") }
        }

        mutating func pop(atMost most: Int) throws {
            var popped = 0
            while popped < most, let entry = wheel.popDue() {
                popped += 1
                guard let deadline = deadlines[entry.index], deadline <= wheel.currentTick else {
                    throw mismatch("entry \(entry.index) is early")
                }
                guard deadline == list[0].deadline else { throw mismatch("entry \(entry.index) is out of order") }
                forget(entry)
                if random.below(2) == 0 { try arm() }
                if random.below(8) == 0 { remove() }
            }
            if popped < most, let first = list.first, first.deadline <= wheel.currentTick {
                throw mismatch("entry \(first.index) is late")
            }
        }

        mutating func randomDeadline() -> UInt64 {
            let now = wheel.currentTick
            switch random.below(8) {
            case 0, 1: return saturatingSum(now, random.pick(TimingWheelTests.boundaryDistances))
            case 2, 3: return saturatingSum(now, random.below(200))
            case 4:
                let turn = UInt64(1) << (6 * random.below(11))
                return saturatingSum(now / turn * turn, turn) - 1 + random.below(2)
            case 5: return saturatingSum(now, random.next() >> random.below(64))
            case 6: return list.isEmpty ? now : random.pick(list).deadline
            default: return now - min(now, random.below(100))
            }
        }

        mutating func forget(_ entry: TimingWheel.Entry) {
            guard let deadline = deadlines[entry.index] else { return }
            deadlines[entry.index] = nil
            var position = position(of: deadline)
            while list[position].index != entry.index { position += 1 }
            list.remove(at: position)
        }

        /// The first position in the list whose deadline is not earlier.
        func position(of deadline: UInt64) -> Int {
            var low = 0
            var high = list.count
            while low < high {
                let middle = (low + high) / 2
                if list[middle].deadline < deadline { low = middle + 1 } else { high = middle }
            }
            return low
        }

        func mismatch(_ what: String) -> Mismatch {
            Mismatch(description: "\(what): seed \(seed), wheel started at \(start), step \(step)")
        }
    }

    /// SplitMix64.
    fileprivate struct Random {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }

        mutating func below(_ bound: UInt64) -> UInt64 { next() % bound }

        mutating func pick<Element>(_ elements: [Element]) -> Element {
            elements[Int(below(UInt64(elements.count)))]
        }
    }
}

private func saturatingSum(_ tick: UInt64, _ distance: UInt64) -> UInt64 {
    let (sum, overflow) = tick.addingReportingOverflow(distance)
    return overflow ? .max : sum
}
