//===----------------------------------------------------------------------===//
// This source file is part of the Belay open source project.
// Copyright (c) 2026 the Belay project authors.
// Licensed under Apache License v2.0; see LICENSE for details.
// SPDX-License-Identifier: Apache-2.0
//===----------------------------------------------------------------------===//

extension ConnectionMachine {
    /// What is out of the ordinary with a connection: a suspicion, a pause, a backlog, the beginning of a message.
    ///
    /// Apart, because most connections have none of it most of the time, and it is as large as the rest of the machine.
    final class Circumstances {
        var suspectedSince: Instant?
        var earlierLook: EarlierLook?
        var lookAgainAt: Instant?
        var unreadSince: Instant?
        var pausedSince: Instant?
        var pauses: [Pause] = []
        var catchingUpUntil: Instant?
        var unfinishedSince: Instant?
        var backlog: Backlog?

        /// Nothing is out of the ordinary any more.
        fileprivate var areOver: Bool {
            self.suspectedSince == nil && self.earlierLook == nil && self.lookAgainAt == nil && self.unreadSince == nil
                && self.pausedSince == nil && self.pauses.isEmpty && self.catchingUpUntil == nil
                && self.unfinishedSince == nil && self.backlog == nil
        }
    }

    /// Our bytes that the kernel has not taken.
    struct Backlog: Hashable {
        var since: Instant
        var sampledAt: Instant
        var flushedBytes: UInt64
        /// A ping already waits in it; another one would tell nothing.
        var holdsPing = false
    }

    /// A time in which our program did not read.
    struct Pause: Hashable {
        let since: Instant
        let endedAt: Instant
    }

    /// The proof of life before the silence that is suspicious; nil while the peer is not suspected.
    var suspectedSince: Instant? {
        get { self.circumstances?.suspectedSince }
        set { self.note(newValue == nil) { $0.suspectedSince = newValue } }
    }

    /// What the kernel said before, for comparison.
    var earlierLook: EarlierLook? {
        get { self.circumstances?.earlierLook }
        set { self.note(newValue == nil) { $0.earlierLook = newValue } }
    }

    /// When to look again after unread bytes were seen.
    var lookAgainAt: Instant? {
        get { self.circumstances?.lookAgainAt }
        set { self.note(newValue == nil) { $0.lookAgainAt = newValue } }
    }

    /// Since when unread bytes have been seen at each look.
    var unreadSince: Instant? {
        get { self.circumstances?.unreadSince }
        set { self.note(newValue == nil) { $0.unreadSince = newValue } }
    }

    /// Since when our program does not read.
    var pausedSince: Instant? {
        get { self.circumstances?.pausedSince }
        set { self.note(newValue == nil) { $0.pausedSince = newValue } }
    }

    /// The last pauses, while an answer to a ping of before their end may come.
    var pauses: [Pause] {
        get { self.circumstances?.pauses ?? [] }
        set { self.note(newValue.isEmpty) { $0.pauses = newValue } }
    }

    /// Until when pings are read that came during a pause; nil while none did.
    var catchingUpUntil: Instant? {
        get { self.circumstances?.catchingUpUntil }
        set { self.note(newValue == nil) { $0.catchingUpUntil = newValue } }
    }

    /// Since when a line or frame is unfinished.
    var unfinishedSince: Instant? {
        get { self.circumstances?.unfinishedSince }
        set { self.note(newValue == nil) { $0.unfinishedSince = newValue } }
    }

    /// Our bytes that the kernel has not taken; nil while it takes all.
    var backlog: Backlog? {
        get { self.circumstances?.backlog }
        set { self.note(newValue == nil) { $0.backlog = newValue } }
    }

    private mutating func note(_ isOrdinary: Bool, _ change: (Circumstances) -> Void) {
        guard let circumstances else {
            guard !isOrdinary else { return }
            let circumstances = Circumstances()
            change(circumstances)
            self.circumstances = circumstances
            return
        }
        change(circumstances)
        if isOrdinary, circumstances.areOver { self.circumstances = nil }
    }
}
