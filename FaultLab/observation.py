# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""What one end told of one fault, beside what it should have told."""

from dataclasses import asdict, dataclass, field

from harness import SECOND, Failure, now
from judgement import Case, Judgement, heartbeat_missing

UNSEEN = 0.04      # seconds that a program which has ended may have waited for a core, without a stall: the kernel forgets
PATIENCE = 3       # seconds after which something is missing, and not only late


@dataclass
class Observation:
    """One line of the laboratory's journal; times in milliseconds."""

    fault: str
    phase: str
    observer: str = ""
    protocol: str = ""
    pinger: str = ""
    run: int = 0
    expected: list = field(default_factory=list)
    why: str = ""
    reason: str = None
    latency: float = None      # from the fault to the line
    limit: float = None        # that it may take
    excess: float = None       # by which it was later than that
    silence: float = None      # as the event says
    beyond: float = None       # by which that is longer than the bound, where the bound is waited for
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
        self.sockets = link.sockets(end)
        self.result = Observation(scene.fault.name, scene.fault.phase, end, link.pair.protocol, link.pair.pinger, run,
                                  list(seen.codes), seen.why)

    def death(self):
        """The one closed event, for a right reason, in time."""
        limit = self.seen.latest(self.scene.bound, self.scene.interval)
        left = limit + PATIENCE - (now() - self.scene.done) / SECOND
        try:
            event = self.log.wait_for("connection.closed", max(left, 0.1), connection=self.connection)
        except Failure as failure:
            self.refuse("no closed event")
            return self.add_facts(*failure.events[-4:])
        judgement = Judgement(event, self.case(event))
        self.result.reason = event.reason
        for name, figure in judgement.figures().items():
            setattr(self.result, name, figure)
        for what in judgement.wrong:
            self.refuse(what)
        return self.result if not judgement.wrong else self.add_facts(event)

    def case(self, event):
        scene = self.scene
        struck, done = scene.struck, scene.done
        if self.seen.since == "opened":
            struck = done = self.link.opened[self.end].at
        stalls = tuple(stall.data["stallMs"] / 1000 for stall in self.log.of("node.stalled")
                       if scene.struck - scene.bound * SECOND <= stall.at <= event.at)
        machine = scene.lateness_until(event.at)
        if scene.program(self.link, self.end).process.poll() is not None:
            machine = max(machine, UNSEEN)
        return Case(self.seen, scene.bound, scene.interval, struck, done, machine,
                    scene.lateness_until(event.at, scene.settled), stalls)

    def life(self, quiet):
        """No end, and heartbeats go on: `quiet` are the seconds since the kernel last took data from the peer."""
        events = [event for event in self.log.of("connection.closed") if event.connection == self.connection]
        if events:
            self.result.reason = events[0].reason
            self.refuse("false verdict: %s of one who lives" % events[0].reason)
            return self.add_facts(*events)
        if len([one for one in self.log.of("connection.suspected") if one.connection == self.connection]) > 0:
            self.result.facts.append("suspected")
        late = self.scene.lateness_until(now(), self.scene.settled)
        doubt = heartbeat_missing(quiet, self.scene.interval, late)
        return self.refuse(doubt) if doubt else self.result

    def refuse(self, what):
        self.result.wrong.append(what)
        return self.result

    def add_facts(self, *events):
        self.result.facts += [str(event) for event in events]
        return self.result
