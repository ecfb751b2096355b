# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""Which kinds of fault are made in which stage of a connection's life, and why the others are not.

A kind that is not made in a stage needs a reason here, and a reason that is no longer true is refused as well: see
`judge_tests.py`. Whoever is left out of a fault that is made, of those who ping or of the protocols, has the reason at
the fault (`fewer`).
"""

STAGES = ("handshake", "active", "mid-message", "draining")
NONE = "no fault beside it"

# By what they are called in the table of faults: what they are.
KINDS = {
    "cable": "cable pulled or interface down, at either end",
    "drop": "everything dropped, both ways",
    "one way": "everything dropped, one way",
    "loss": "loss of 2, 10 and 30 %",
    "refused with RST": "REJECT with RST",
    "refused with ICMP": "REJECT with ICMP",
    "RST": "RST, forged or the peer's own",
    "host deleted": "host deleted",
    "host back without memory": "host back without memory (half-open)",
    "stopped": "one program stopped (SIGSTOP, SIGCONT)",
    "both stopped": "both programs stopped together",
    "killed": "one program killed (SIGKILL)",
    "never reads": "peer never reads",
    "a byte a second": "peer reads a byte a second",
    "bulk": "bulk both ways at full speed",
    "NAT entry dropped": "NAT entry dropped",
    "idle entry expired": "conntrack entry expired idle",
    "MTU black hole": "MTU black hole",
    "descriptors": "no file descriptor left",
    "disk": "disk full under the event file",
    "consumer": "consumer of the events stops or goes away",
    "clock": "clock set by an hour",
}

HOST = ("it strikes the accept queue or the events of a server, whatever its connections do: those that come and go "
        "meanwhile are in all stages")
CLOCK = ("setting the clock would set it for everybody on this machine, and a time namespace has no wall clock of its "
         "own; no deadline reads it. In virtual time `BelayTesting` sets it by hours either way (`setWallClock`); the "
         "mutation `wall-clock` shows that the simulation notices a loop that tells time by it "
         "([mutations](mutations.md))")
LATE_RST = "the RST comes for the farewell, after the reason was told, as in 'RST while draining'"
NAT = "from both ends it is a path that drops everything both ways, which is made"
SMALL = "what is said then is smaller than any path's limit"
ABSENT = ("the clock that leaves a stall out is one for all stages; in virtual time the simulation freezes programs at "
          "any moment")

# By kind and stage: why it is not made.
NOT_MADE = {
    ("loss", "handshake"): "a first byte that is sent again comes late or never, and the second is 'dropped both ways'",
    ("loss", "mid-message"): "TCP knows no messages, so that heartbeats are lost in their middle as well; 'under bulk' "
                             "overruns the queue of a slow path and so loses packets",
    ("loss", "draining"): "TCP sends the farewell again until the deadline; 'drained behind a lost path' is the worst",
    ("host back without memory", "handshake"): "it answers with RST, as in 'refused with RST before the first byte'",
    ("host back without memory", "mid-message"): "it answers with RST, as in 'refused with RST in a message'",
    ("host back without memory", "draining"): LATE_RST,
    ("refused with RST", "draining"): LATE_RST,
    ("both stopped", "handshake"): ABSENT,
    ("both stopped", "mid-message"): ABSENT,
    ("both stopped", "draining"): "a server that is stopped does not drain; when it goes on, it does",
    ("never reads", "handshake"): "there is nothing to read but a ping; who says nothing is 'client says nothing'",
    ("never reads", "mid-message"): "'client never reads' always stands in the middle of an echo",
    ("a byte a second", "handshake"): "as for who never reads; who *says* a byte a second is in `Scenarios/garbage.py`",
    ("a byte a second", "mid-message"): "'bulk waits' always stands in the middle of an echo",
    ("a byte a second", "draining"): "'drained with clients that never read' is the harder case",
    ("bulk", "handshake"): "nothing is sent before the first byte but pings",
    ("bulk", "mid-message"): "it always is; what strikes under it is 'under bulk'",
    ("bulk", "draining"): "'drained with clients that never read' drains with full queues",
    ("NAT entry dropped", "handshake"): NAT,
    ("NAT entry dropped", "mid-message"): NAT,
    ("NAT entry dropped", "draining"): NAT,
    ("idle entry expired", "handshake"): NAT,
    ("idle entry expired", "mid-message"): NAT,
    ("idle entry expired", "draining"): NAT,
    ("MTU black hole", "handshake"): SMALL,
    ("MTU black hole", "mid-message"): "it strikes nowhere else: a large message gets stuck half way (under 'active')",
    ("MTU black hole", "draining"): SMALL,
    **{(kind, stage): HOST for kind in ("descriptors", "disk", "consumer") for stage in STAGES if stage != "active"},
    **{("clock", stage): CLOCK for stage in STAGES},
}


def made(faults, kind, stage):
    """The names of the faults of a kind that strike in a stage."""
    return [fault.name for fault in faults if (fault.kind, fault.stage) == (kind, stage)]


def unexplained(faults):
    """Kinds and stages that are neither made nor explained."""
    return [(kind, stage) for kind in KINDS for stage in STAGES
            if not made(faults, kind, stage) and (kind, stage) not in NOT_MADE]


def stale(faults):
    """Kinds and stages that are explained although they are made, or that do not exist."""
    return [(kind, stage) for kind, stage in NOT_MADE
            if kind not in KINDS or stage not in STAGES or made(faults, kind, stage)]


def reasons():
    """Each reason with the kinds and stages that it is for, in the order of the table."""
    found = {}
    for (kind, stage), why in NOT_MADE.items():
        found.setdefault(why, {}).setdefault(KINDS[kind], []).append(stage)
    for why, kinds in found.items():
        where = "; ".join("%s: %s" % (kind, "any stage" if len(stages) == len(STAGES) else ", ".join(stages))
                          for kind, stages in kinds.items())
        yield where, why
