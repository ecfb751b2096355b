//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

/// A hierarchical timing wheel: arming, moving and cancelling a deadline cost the same however many there are.
///
/// Time is written in base 64, but with a last digit of 4,096 values. An entry is filed under the highest digit in which
/// its deadline differs from the current tick: the position of that digit is its level, the value of the digit its
/// slot. Hours and minutes work the same way: what is due in another hour need not be looked at until that hour begins;
/// then it is filed again, by the minute: at most once per level, and most of what is due within 2,048 ticks never.
///
/// Two things follow from filing by the highest differing digit, and the wheel depends on both:
/// - An entry's slot always lies ahead of the current tick, in the same turn of its level. No slot ever holds entries
///   of two turns, and nothing can be filed into the slot being emptied. (Wheels that file by distance do that with
///   an entry a whole turn ahead, and expire it a turn too early.)
/// - Ten levels cover every `UInt64`, so there is no horizon and no overflow list.
///
/// The slots in use are bits: 64 words for the lowest level, one more that tells which of these are not zero, and one for
/// each other level. Finding the next one takes a few instructions, so the wheel
/// needs no periodic tick: sleep until ``nextTick``, ``advance(to:)`` it, and take what is due with ``popDue()``.
///
/// Guarantees: no entry is due before its deadline; after `advance(to: t)` every entry with a deadline up to `t` is
/// due; `arm`, `disarm` and `remove` are O(1); an expiry is amortised O(levels); only `add` allocates, and only when
/// there are more entries than ever before.
///
/// A binary heap was rejected: it pays O(log n) for each deadline that is moved, and moving is what heartbeats do.
///
/// Source: G. Varghese and T. Lauck, "Hashed and Hierarchical Timing Wheels", SOSP 1987, scheme 7.
public struct TimingWheel: ~Copyable {
    /// A handle to one deadline of a wheel, valid from `add` until `remove`.
    ///
    /// Using it with another wheel, or after `remove`, is a programming error. It traps, unless the handle happens to
    /// be in use there; then it stands for that other entry.
    public struct Entry: Hashable, Sendable {
        fileprivate let node: UInt32

        /// The entry's place in arrays that callers keep in parallel to the wheel, from 0 and without gaps.
        ///
        /// The index of the entry removed last is given to the next one added.
        public var index: Int { Int(node - TimingWheel.firstEntry) }
    }

    // A node is an index into the columns below. Each slot, and the list of due entries, is a circular list that
    // begins and ends at a node of its own; thus linking and unlinking know no special case. A disarmed entry is its
    // own successor.
    private static let digitBits = 6
    private static let digitMask: UInt64 = 63
    private static let slotsPerWord: UInt32 = 64
    private static let lastDigitMask: UInt64 = 4_095
    /// The slots of the lowest level; those of the others follow, 64 each.
    private static let lowestSlots: UInt32 = 4_096
    private static let levels = 10
    private static let due = lowestSlots + UInt32(levels - 1) * slotsPerWord
    fileprivate static let firstEntry = due + 1
    private static let none = UInt32.max
    private static let largestCapacity = Int(none - firstEntry)

    private var next: Column<UInt32>
    // `none` marks a removed entry.
    private var previous: Column<UInt32>
    // In a removed entry: the next removed one.
    private var deadlines: Column<UInt64>
    // A bit for each slot that holds entries: 64 words for the lowest level, one for each other.
    private var occupied = InlineArray<73, UInt64>(repeating: 0)
    // A bit for each word of the lowest level that is not zero.
    private var lowestWords: UInt64 = 0
    private var nodeCount = Self.firstEntry
    private var firstRemoved = Self.none

    /// The tick up to which time has moved.
    public private(set) var currentTick: UInt64

    /// How many entries are armed, those included that are due and not yet popped.
    public private(set) var armedCount = 0

    /// How many entries exist, armed or not.
    public private(set) var entryCount = 0

    /// How many entries fit before the storage grows.
    package var capacity: Int { next.count - Int(Self.firstEntry) }

    /// Creates a wheel without entries, with room for `minimumCapacity` of them before the storage grows.
    public init(startingAt tick: UInt64 = 0, minimumCapacity: Int = 0) {
        precondition(0...Self.largestCapacity ~= minimumCapacity, "no timing wheel can have this capacity")
        currentTick = tick
        let count = Int(Self.firstEntry) + minimumCapacity
        next = Column(count: count)
        previous = Column(count: count)
        deadlines = Column(count: count)
        for list in 0...Self.due {
            clear(list)
        }
    }

    /// Adds an entry, disarmed.
    ///
    /// The storage doubles when it is full and never shrinks. It can hold 2^32 - 4,674 entries.
    public mutating func add() -> Entry {
        let node: UInt32
        if firstRemoved == Self.none {
            if Int(nodeCount) == next.count { grow() }
            node = nodeCount
            nodeCount += 1
        } else {
            node = firstRemoved
            firstRemoved = UInt32(deadlines[node])
        }
        clear(node)
        entryCount += 1
        return Entry(node: node)
    }

    /// Disarms the entry and frees its index for another.
    public mutating func remove(_ entry: Entry) {
        disarm(entry)
        previous[entry.node] = Self.none
        deadlines[entry.node] = UInt64(firstRemoved)
        firstRemoved = entry.node
        entryCount -= 1
    }

    /// Sets the entry's deadline, whether or not it had one.
    ///
    /// A tick at or before the current one means the next tick, so a loop that pops and re-arms always ends. Time ends
    /// at `UInt64.max`: once the wheel is there, there is no next tick, and what is armed then never becomes due.
    public mutating func arm(_ entry: Entry, at tick: UInt64) {
        if isArmed(entry) {
            unlink(entry.node)
        } else {
            armedCount += 1
        }
        let deadline = max(tick, currentTick == .max ? .max : currentTick + 1)
        deadlines[entry.node] = deadline
        file(entry.node, under: deadline)
    }

    /// Cancels the entry's deadline, if it has one; the entry remains.
    public mutating func disarm(_ entry: Entry) {
        if isArmed(entry) { release(entry.node) }
    }

    /// The tick at which the entry is due, or `nil` when it is not armed.
    public func deadline(of entry: Entry) -> UInt64? {
        isArmed(entry) ? deadlines[entry.node] : nil
    }

    /// The earliest tick at which there is something to do, or `nil` when there will never be.
    ///
    /// While there are due entries to pop this is ``currentTick``. Otherwise it is later than that, never later than
    /// the earliest deadline, and may be earlier: entries must then be filed again, at most once per level.
    public var nextTick: UInt64? {
        if next[Self.due] != Self.due { return currentTick }
        return currentTick == .max ? nil : nextSlot?.start
    }

    /// Moves time forward and makes due what has its deadline up to and including `tick`, in order of deadline.
    ///
    /// A tick in the past does nothing. The cost depends on the occupied slots passed, not on the ticks passed.
    public mutating func advance(to tick: UInt64) {
        guard tick > currentTick else { return }
        while let (slot, start) = nextSlot, start <= tick {
            currentTick = start
            if slot < Self.lowestSlots {
                makeDue(slot)
            } else {
                refile(slot)
            }
        }
        currentTick = tick
    }

    /// Takes the due entry with the earliest deadline and disarms it; `nil` when none is due.
    ///
    /// Entries with the same deadline come in no particular order, but in the same one whenever the same calls were made.
    /// Between two calls anything may be done to any entry.
    public mutating func popDue() -> Entry? {
        let node = next[Self.due]
        guard node != Self.due else { return nil }
        release(node)
        return Entry(node: node)
    }

    /// The entry that ``popDue()`` will take next, unless something is done to it before.
    public var firstDue: Entry? {
        let node = next[Self.due]
        return node == Self.due ? nil : Entry(node: node)
    }

    private func isArmed(_ entry: Entry) -> Bool {
        precondition(entry.node < nodeCount, "this entry belongs to another timing wheel")
        if next[entry.node] != entry.node { return true }
        precondition(previous[entry.node] != Self.none, "this entry was removed from the timing wheel")
        return false
    }

    /// The slot of a deadline that is not earlier than the current tick.
    private func slot(for deadline: UInt64) -> UInt32 {
        let differences = deadline ^ currentTick
        if differences <= Self.lastDigitMask { return UInt32(truncatingIfNeeded: deadline & Self.lastDigitMask) }
        let level = (63 - differences.leadingZeroBitCount) / Self.digitBits - 1
        let digit = (deadline &>> Self.position(of: level)) & Self.digitMask
        return Self.firstSlot(of: level) + UInt32(truncatingIfNeeded: digit)
    }

    // Of levels above the lowest: the bit at which its digit begins, and its first slot.
    private static func position(of level: Int) -> Int { (level + 1) * digitBits }
    private static func firstSlot(of level: Int) -> UInt32 {
        lowestSlots + UInt32(truncatingIfNeeded: level - 1) * slotsPerWord
    }

    /// The occupied slot to be emptied next and the tick at which it begins: the first one of the lowest level, because
    /// a slot of a higher level begins where the current turn of all lower levels has ended.
    private var nextSlot: (slot: UInt32, start: UInt64)? {
        if lowestWords != 0 {
            let word = lowestWords.trailingZeroBitCount
            let slot = UInt32(word) * Self.slotsPerWord + UInt32(occupied[word].trailingZeroBitCount)
            return (slot, currentTick & ~Self.lastDigitMask | UInt64(slot))
        }
        for level in 1..<Self.levels {
            let slots = occupied[Int(Self.firstSlot(of: level) / Self.slotsPerWord)]
            guard slots != 0 else { continue }
            let digit = slots.trailingZeroBitCount
            let position = Self.position(of: level)
            let turn = (currentTick >> (position + Self.digitBits)) << (position + Self.digitBits)
            return (Self.firstSlot(of: level) + UInt32(digit), turn | UInt64(digit) << position)
        }
        return nil
    }

    /// Moves a slot of the lowest level to the due list as a whole: all its entries have the current tick as their deadline.
    private mutating func makeDue(_ slot: UInt32) {
        let first = next[slot]
        let last = previous[slot]
        let lastDue = previous[Self.due]
        next[lastDue] = first
        previous[first] = lastDue
        next[last] = Self.due
        previous[Self.due] = last
        empty(slot)
    }

    /// Files the entries of a slot that has just begun: each goes to a lower level.
    ///
    /// The list is walked from both ends at once. With more entries than the cache holds, time goes into waiting for
    /// the next link to arrive from memory, and this way two waits overlap; from one end an expiry takes 1.25 times
    /// as long.
    private mutating func refile(_ slot: UInt32) {
        var front = next[slot]
        var back = previous[slot]
        empty(slot)
        while true {
            let following = next[front]
            let preceding = previous[back]
            let frontDeadline = deadlines[front]
            let backDeadline = deadlines[back]
            file(front, under: frontDeadline)
            if front == back { return }
            file(back, under: backDeadline)
            if following == back { return }
            front = following
            back = preceding
        }
    }

    private mutating func file(_ node: UInt32, under deadline: UInt64) {
        let slot = slot(for: deadline)
        let last = previous[slot]
        previous[node] = last
        next[node] = slot
        next[last] = node
        previous[slot] = node
        let word = slot / Self.slotsPerWord
        occupied[Int(word)] |= 1 &<< UInt64(slot % Self.slotsPerWord)
        if slot < Self.lowestSlots { lowestWords |= 1 &<< UInt64(word) }
    }

    private mutating func unlink(_ node: UInt32) {
        let before = previous[node]
        let after = next[node]
        next[before] = after
        previous[after] = before
        if before == after, before < Self.due { markEmpty(before) }
    }

    private mutating func release(_ node: UInt32) {
        unlink(node)
        clear(node)
        armedCount -= 1
    }

    private mutating func empty(_ slot: UInt32) {
        clear(slot)
        markEmpty(slot)
    }

    private mutating func markEmpty(_ slot: UInt32) {
        let word = Int(slot / Self.slotsPerWord)
        occupied[word] &= ~(1 &<< UInt64(slot % Self.slotsPerWord))
        if slot < Self.lowestSlots, occupied[word] == 0 { lowestWords &= ~(1 &<< UInt64(word)) }
    }

    private mutating func clear(_ node: UInt32) {
        next[node] = node
        previous[node] = node
    }

    private mutating func grow() {
        precondition(capacity < Self.largestCapacity, "the timing wheel is full")
        let count = Int(Self.firstEntry) + min(max(16, 2 * capacity), Self.largestCapacity)
        next.grow(to: count)
        previous.grow(to: count)
        deadlines.grow(to: count)
    }
}

extension TimingWheel {
    /// Traps unless links, bitmaps, levels and counts agree.
    package func checkInvariants() {
        var armed = 0
        for list in 0...Self.due {
            var latest: UInt64 = 0
            var node = next[list]
            precondition(previous[node] == list, "the first node of a list does not link back")
            while node != list {
                precondition(node >= Self.firstEntry && node < nodeCount, "a list contains what is not an entry")
                precondition(previous[next[node]] == node, "a node's successor does not link back")
                if list == Self.due {
                    precondition(deadlines[node] >= latest, "the due list is not in order of deadline")
                    precondition(deadlines[node] <= currentTick, "an entry is due early")
                    latest = deadlines[node]
                } else {
                    precondition(deadlines[node] > currentTick || currentTick == .max, "an entry is overdue")
                    precondition(slot(for: deadlines[node]) == list, "an entry is in the wrong slot")
                }
                armed += 1
                precondition(armed <= armedCount, "the lists hold more entries than are armed")
                node = next[node]
            }
            if list < Self.due {
                let word = Int(list / Self.slotsPerWord)
                let bit = occupied[word] &>> UInt64(list % Self.slotsPerWord) & 1
                precondition((bit == 1) == (next[list] != list), "a bitmap contradicts its list")
                let isMarked = lowestWords &>> UInt64(word) & 1 == 1
                precondition(list >= Self.lowestSlots || isMarked == (occupied[word] != 0), "a word is marked wrongly")
            }
        }
        precondition(armed == armedCount, "the lists hold fewer entries than are armed")

        var removed = 0
        var node = firstRemoved
        while node != Self.none {
            precondition(next[node] == node && previous[node] == Self.none, "a removed entry is in use")
            removed += 1
            precondition(removed <= Int(nodeCount), "the list of removed entries is circular")
            node = UInt32(deadlines[node])
        }
        precondition(entryCount + removed == Int(nodeCount - Self.firstEntry), "an entry is lost")
    }
}

/// One field of all nodes.
///
/// Columns in place of an array of records, because a walk along the links then stays in a quarter of the memory: with
/// 1,000,000 entries records make arming and expiry 1.4 times slower. Allocated by hand, because arrays check bounds
/// and uniqueness at each access: they make arming 2.2 times slower and expiry 1.5 times. All indices come from
/// handles, which are checked, or from the columns themselves.
private struct Column<Value: BitwiseCopyable>: ~Copyable {
    private var values: UnsafeMutablePointer<Value>
    private(set) var count: Int

    init(count: Int) {
        self.count = count
        values = .allocate(capacity: count)
    }

    deinit { values.deallocate() }

    subscript(node: UInt32) -> Value {
        get {
            assert(node < count)
            return values[Int(node)]
        }
        set {
            assert(node < count)
            values[Int(node)] = newValue
        }
    }

    mutating func grow(to newCount: Int) {
        let grown = UnsafeMutablePointer<Value>.allocate(capacity: newCount)
        grown.initialize(from: values, count: count)
        values.deallocate()
        values = grown
        count = newCount
    }
}
