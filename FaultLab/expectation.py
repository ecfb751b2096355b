# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""What a cell expects: the reasons that each end may give, why there are several, and by when.

Each end sees a fault by itself, and what it can know depends on whether it asks. An end that sends pings has something
in flight that is acknowledged or is not. One that only answers has nothing outstanding when the path breaks: its kernel
was told everything, and nothing says whether anybody still lives there. That is what `peer.silent` is for.
"""

from dataclasses import dataclass, replace

SILENT_WHY = ("it only answers, so nothing of its own is outstanding and no evidence can say more (unless its last "
              "answer was still on its way)")


@dataclass(frozen=True)
class Sees:
    """What one end makes of a fault.

    codes: the reasons of which each is true; none means that it must not end at all.
    within: "at once", "next ping", "bound", "write", "drain", or seconds.
    why: why there are several, or why the reason says no more.
    phase: the phase that the reason names.
    since: "fault", or "opened" where the time counts from the `connection.opened` of this end.
    """

    codes: tuple = ()
    within: object = "bound"
    why: str = ""
    phase: str = "active"
    since: str = "fault"
    in_flight: tuple = ()  # also true where its last answer was still on its way when the fault came

    @property
    def lives(self):
        return not self.codes


def sees(*codes, within="bound", why="", phase="active", since="fault"):
    return Sees(codes, within, why, phase, since)


LIVES = Sees()
SILENT = sees("peer.silent", why=SILENT_WHY)


@dataclass(frozen=True)
class View:
    """What an end sees, by whether it asks, and by who else does."""

    asks: Sees
    answers: Sees = SILENT
    both: Sees = None  # where both ask; the same as `asks` if nothing is said

    def of(self, end, pinger):
        if pinger == "both":
            return self.both or self.asks
        if pinger == end:
            return self.asks
        return replace(self.answers, in_flight=self.asks.codes)


def always(seen):
    """Whoever asks, the end sees this."""
    return View(seen, seen)
