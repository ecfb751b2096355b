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
              "answer was still on its way, or its kernel's keepalive had just asked)")
AT_ONCE = 0.1      # seconds: a FIN or a RST is an event of the kernel's; figures of its own have the benchmarks


@dataclass(frozen=True)
class Sees:
    """What one end makes of a fault.

    codes: the reasons of which each is true; none means that it must not end at all.
    within: "at once", "next ping", "bound", "idle" (an interval more), or seconds.
    why: why there are several, why the reason says no more, or why the times are others.
    phase: the phase that the reason names.
    since: "fault", or "opened" where the time counts from the `connection.opened` of this end.
    after: seconds before which it is too early. By default what is due within the bound cannot come sooner after the
    fault than the bound less an interval, as the silence had not lasted longer, and not before a bound after `opened`;
    the rest may come at any time.
    apart: why its silence may be another than the kernel counts; else it may not.
    """

    codes: tuple = ()
    within: object = "bound"
    why: str = ""
    phase: str = "active"
    since: str = "fault"
    after: float = None
    apart: str = ""
    in_flight: tuple = ()  # also true where something of its own was still on its way when the fault came

    @property
    def lives(self):
        return not self.codes

    @property
    def is_by_bound(self):
        return self.within in ("bound", "idle")

    def latest(self, bound, interval):
        """Seconds after the fault until which it is in time."""
        named = {"at once": AT_ONCE, "next ping": interval + AT_ONCE, "bound": bound, "idle": bound + interval}
        return named.get(self.within, self.within)

    def earliest(self, bound, interval):
        """Seconds after the fault from which it is not too early."""
        if self.after is not None:
            return self.after
        if not self.is_by_bound:
            return 0
        return bound if self.since == "opened" else bound - interval


def sees(*codes, **more):
    return Sees(codes, **more)


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
        # Not that its program is frozen: that says that everything is acknowledged.
        return replace(self.answers, in_flight=tuple(code for code in self.asks.codes if code != "peer.frozen"))


def always(seen):
    """Whoever asks, the end sees this."""
    return View(seen, seen)
