# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Whether one `connection.closed` is what it had to be: the reason, the phase, the evidence, and every time in it.

Four clocks tell how long a peer was silent, and no two of them are the same program's: this program's, which knows when
the fault came and when the line; Belay's (`silenceMs`); the kernel's (`lastDataReceivedMs`); and what the machine says
of how long programs waited for a core. A Belay that lies about its own clock contradicts one of the others.
"""

from dataclasses import dataclass

from evidence import contradiction
from expectation import Sees
from harness import SECOND

LATE = 0.05        # seconds in which a line is written and read by this program, beside what the machine was late by
EARLY = 0.02       # of the bound; or 5 ms, whichever is longer: how far ahead of it a verdict may be
TICK = 0.02        # seconds; the kernel's ages are as coarse as its tick, and a round trip lies between the two clocks
JUST_NOW = 50      # milliseconds in which an answer is on its way
KEEPALIVE = 1.0    # seconds of silence after which a kernel asks at the earliest
# What is concluded from silence; the other reasons are told by somebody.
FROM_SILENCE = ("peer.frozen", "peer.silent", "path.lost", "path.unreachable", "local.cannot-send",
                "policy.handshake-timeout")


@dataclass(frozen=True)
class Case:
    """What a closed event is held against; times in seconds, moments in nanoseconds of CLOCK_MONOTONIC.

    struck, done: when what counts began, and when it had been carried out.
    machine: how late programs were since then. before: the same from one silence earlier on, when the last bytes came.
    stalls: the lengths that this end reported as `node.stalled` from then on.
    """

    seen: Sees
    bound: float
    interval: float
    struck: int
    done: int
    machine: float = 0
    before: float = 0
    stalls: tuple = ()


class Judgement:
    """One event in its case; `wrong` has a sentence for each thing that is."""

    def __init__(self, event, case):
        self.event, self.case, self.wrong = event, case, []
        data = event.data
        self.silence, self.tcp = data["silenceMs"] / 1000, data["evidence"]["tcp"]
        self.errno = data["evidence"]["errno"]
        self.latency = (event.at - case.struck) / SECOND
        self.limit = case.seen.latest(case.bound, case.interval)
        self.excess = (event.at - case.done) / SECOND - self.limit
        self.beyond = None   # seconds by which the silence is longer than the bound, where that is what it waits for
        self.put_off = self._put_off()
        self._check_reason()
        self._check_time()
        self._check_clock()
        if case.seen.is_by_bound and event.reason in FROM_SILENCE and (self.tcp or not self.errno):
            self._check_silence()

    def _refuse(self, what):
        self.wrong.append(what)

    def _check_reason(self):
        seen, event = self.case.seen, self.event
        if event.reason not in seen.codes and not (event.reason in seen.in_flight and self._was_saying):
            self._refuse("%s for %s" % (event.reason, " or ".join(seen.codes)))
        if event.data["phase"] != seen.phase:
            self._refuse("phase %s for %s" % (event.data["phase"], seen.phase))
        doubt = contradiction(event)
        if doubt:
            self._refuse("its evidence does not bear it out: %s" % doubt)

    @property
    def _was_saying(self):
        """Whether something was on its way: an answer, not acknowledged or refused at once, or a keepalive probe."""
        if self.tcp:
            return self.tcp["unacked"] > 0 or self.tcp["probes"] > 0
        return self._was_told_at_once or bool(self.errno) and self.silence >= KEEPALIVE

    @property
    def _was_told_at_once(self):
        return bool(self.errno) and self.silence * 1000 < JUST_NOW

    def _check_time(self):
        """Not later than the limit, nor earlier than the silence can have lasted."""
        case = self.case
        if self.excess > LATE + 2 * case.machine + self.put_off:
            self._refuse("%.0f ms too late, while the machine was late by %.0f ms and stalls allow %.0f ms" % (
                self.excess * 1000, case.machine * 1000, self.put_off * 1000))
        earliest = case.seen.earliest(case.bound, case.interval)
        if case.seen.since == "opened":
            earliest -= LATE  # that line took its time as well
        if self.event.reason in case.seen.in_flight and self._was_told_at_once:
            earliest = 0
        if self.latency < 0:
            self._refuse("closed before the fault")
        elif self.latency < earliest - self._ahead - case.before:
            self._refuse("%.0f ms after the fault, not before %.0f ms was right" % (
                self.latency * 1000, earliest * 1000))

    @property
    def _ahead(self):
        return max(EARLY * self.case.bound, 0.005)

    def _check_clock(self):
        """The silence is what the kernel counts, less what the machine or a stall explains."""
        if not self.tcp or self.case.seen.apart:
            return
        apart = self._left_out
        if abs(apart) > self._explained:
            self._refuse("silenceMs is %.0f ms %s than the kernel counts; the machine and stalls explain %.0f ms" % (
                abs(apart) * 1000, "shorter" if apart > 0 else "longer", self._explained * 1000))

    def _check_silence(self):
        """The verdict's own figure: never after the bound on a machine that runs, hardly before it."""
        bound = self.event.data["boundMs"] / 1000
        if abs(bound - self.case.bound) > 0.001:
            self._refuse("boundMs %.0f for %.0f" % (bound * 1000, self.case.bound * 1000))
        self.beyond = self.silence - bound
        if not -self._ahead <= self.beyond <= self.case.machine + self.put_off:
            self._refuse("silenceMs %.1f of %.0f" % (self.silence * 1000, bound * 1000))

    @property
    def _left_out(self):
        """Seconds that the kernel counts and the event does not."""
        return self.tcp["lastDataReceivedMs"] / 1000 - self.silence

    @property
    def _explained(self):
        return TICK + self.case.before + sum(self.case.stalls)

    def _put_off(self):
        """Seconds by which a verdict may be later because its end did not run: the stall, and time for an answer.

        Those from an eighth of the interval on are left out, short ones without a word. They show where the machine was
        late by as much; how much the end left out, the kernel's count tells, as far as there is an explanation for it. A
        reported one gives the peer another ping and the time to answer it, and so does a ping that went out late.
        """
        case, tolerance = self.case, self.case.interval / 8
        if not case.stalls and case.machine < tolerance:
            return 0
        stalled = sum(case.stalls)
        if self.tcp and not case.seen.apart:
            stalled = max(stalled, min(self._left_out, self._explained) + tolerance)
        return stalled + (case.interval if case.stalls or case.machine >= 2 * tolerance else 0)

    def figures(self):
        """For the journal, in milliseconds."""
        return {"latency": self.latency * 1000, "limit": self.limit * 1000, "silence": self.silence * 1000,
                "excess": self.excess * 1000, "beyond": None if self.beyond is None else self.beyond * 1000,
                "stalled": bool(self.case.stalls)}


def heartbeat_missing(quiet, interval, late):
    """Why a connection that lives is not one on which heartbeats go on, in one sentence; None if they do.

    quiet: seconds since the kernel last took data from the peer; None where it has no such connection.
    """
    if quiet is None:
        return "the kernel has no such connection"
    if quiet > interval + TICK + late:
        return "no heartbeat for %.0f ms, while the machine was late by %.0f ms" % (quiet * 1000, late * 1000)
    return None


def spread(values):
    """Median and worst."""
    ordered = sorted(values)
    return (ordered[len(ordered) // 2], ordered[-1]) if ordered else (None, None)
