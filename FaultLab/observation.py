# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""What one end told of one fault, beside what it should have told."""

from dataclasses import asdict, dataclass, field

from harness import SECOND, Failure, milliseconds, now

AT_ONCE = 0.1      # seconds: a FIN or a RST is an event of the kernel's; figures of its own have the benchmarks
LATE = 0.05        # seconds in which a line is written and read by this program, beside what the machine was late by
PATIENCE = 3       # seconds after which something is missing, and not only late
JUST_NOW = 50       # milliseconds in which an answer is on its way
LEFT_OUT = 0.01     # seconds; the kernel's figures are as coarse as its tick
EARLY = 0.02       # of the bound; or 5 ms, whichever is longer


@dataclass
class Observation:
    """One line of the laboratory's journal."""

    fault: str
    phase: str
    observer: str = ""
    protocol: str = ""
    pinger: str = ""
    run: int = 0
    expected: list = field(default_factory=list)
    why: str = ""
    reason: str = None
    latency: float = None      # milliseconds from the fault to the line
    limit: float = None        # milliseconds that it may take
    silence: float = None      # milliseconds, as the event says
    stalled: bool = False      # the end noticed that it had not run, and gave the peer time for an answer
    wrong: list = field(default_factory=list)
    facts: list = field(default_factory=list)

    @classmethod
    def of_run(cls, scene, what, facts=(), **about):
        return cls(scene.fault.name, scene.fault.phase, wrong=[what], facts=[str(fact) for fact in facts], **about)

    def as_json(self):
        return asdict(self)


class Watch:
    """One end of a connection, and what it should see."""

    def __init__(self, scene, link, end, seen, run):
        self.scene, self.link, self.end, self.seen = scene, link, end, seen
        self.log = scene.program(link, end).log
        self.connection = link.connections[end]
        self.bound = scene.bound
        self.result = Observation(scene.fault.name, scene.fault.phase, end, link.pair.protocol, link.pair.pinger, run,
                                  list(seen.codes), seen.why)

    @property
    def limit(self):
        """Seconds after the fault."""
        within = self.seen.within
        named = {"at once": AT_ONCE, "next ping": self.bound / 3 + AT_ONCE, "bound": self.bound,
                 "idle": self.bound * 4 / 3}
        return named[within] if isinstance(within, str) else within

    def death(self):
        """The one closed event, for a right reason, in time."""
        scene, result = self.scene, self.result
        left = self.limit + PATIENCE - (now() - scene.done) / SECOND
        try:
            event = self.log.wait_for("connection.closed", max(left, 0.1), connection=self.connection)
        except Failure as failure:
            return self.refuse("no closed event", *failure.events[-4:])
        result.reason = event.reason
        struck, done = scene.struck, scene.done
        if self.seen.since == "opened":
            struck = done = self.link.opened[self.end].at
        result.latency = milliseconds(event.at - struck)
        result.limit = self.limit * 1000
        result.silence = event.data["silenceMs"]
        codes = self.seen.codes + (self.seen.in_flight if self.was_answering(event) else ())
        if event.reason not in codes:
            self.refuse("%s for %s" % (event.reason, " or ".join(self.seen.codes)), event)
        if event.data["phase"] != self.seen.phase:
            self.refuse("phase %s for %s" % (event.data["phase"], self.seen.phase), event)
        machine = scene.lateness_until(event.at)
        own = self.stall(event, machine)
        late = (event.at - done) / SECOND - self.limit
        if late > LATE + 2 * machine + own:
            self.refuse("%.0f ms too late, while the machine was late by %.0f ms and the stalls allow %.0f ms" %
                        (late * 1000, machine * 1000, own * 1000), event)
        if event.at < struck:
            self.refuse("closed before the fault", event)
        if self.seen.within in ("bound", "idle") and not event.data["evidence"]["errno"]:
            self.check_silence(event, machine + own)
        return result

    @staticmethod
    def was_answering(event):
        """Whether an answer was on its way: it is not acknowledged, or an error came right behind the question."""
        evidence = event.data["evidence"]
        if evidence["tcp"]:
            return evidence["tcp"]["unacked"] > 0
        return bool(evidence["errno"]) and event.data["silenceMs"] < JUST_NOW

    def check_silence(self, event, allowed):
        """The verdict's own figure: never after the bound on a machine that runs, hardly before it."""
        silence, bound = event.data["silenceMs"], event.data["boundMs"]
        if abs(bound - self.bound * 1000) > 1:
            self.refuse("boundMs %s for %g" % (bound, self.bound * 1000), event)
        if not bound - max(EARLY * bound, 5) <= silence <= bound + allowed * 1000:
            self.refuse("silenceMs %s of %s" % (silence, bound), event)

    def stall(self, event, machine):
        """Seconds by which a verdict may be put off because the end did not run: the stall, and time for an answer.

        Stalls of an eighth of the interval count and are not reported. They show where the machine was late by as much,
        and where the kernel counts more silence than the observer clock does.
        """
        stalls = [stall.data["stallMs"] / 1000 for stall in self.log.of("node.stalled")
                  if self.scene.struck - self.bound * SECOND <= stall.at <= event.at]
        tolerance = self.scene.interval / 8
        tcp = event.data["evidence"]["tcp"]
        left_out = (tcp["lastDataReceivedMs"] - event.data["silenceMs"]) / 1000 if tcp else 0
        if left_out >= LEFT_OUT:
            stalls.append(left_out + tolerance)
        if not stalls and machine < tolerance:
            return 0
        self.result.stalled = bool(stalls)
        return sum(stalls) + self.scene.interval

    def life(self):
        """No end, and heartbeats go on."""
        events = [event for event in self.log.of("connection.closed") if event.connection == self.connection]
        if events:
            self.result.reason = events[0].reason
            self.refuse("false verdict: %s of one who lives" % events[0].reason, *events)
        if len([one for one in self.log.of("connection.suspected") if one.connection == self.connection]) > 0:
            self.result.facts.append("suspected")
        return self.result

    def refuse(self, what, *events):
        self.result.wrong.append(what)
        self.result.facts += [str(event) for event in events]
        return self.result


def spread(values):
    """Median and worst."""
    ordered = sorted(values)
    return (ordered[len(ordered) // 2], ordered[-1]) if ordered else (None, None)


