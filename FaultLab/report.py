# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""docs/faults.md: what was made, what was seen, what cannot be known, and what is not run."""

import os
import platform

import table
from scene import PINGERS, PROTOCOLS

HEAD = """# Faults

What Belay says when something goes wrong, measured: each fault was made for real, with `belay serve` and `belay
connect` in hosts of their own (network namespaces on veth, a router between them; scripted peers where our own client
cannot misbehave so), and both ends were held to their reason and their bound. This page is written by the laboratory:

```console
$ make faultlab
```

That is `FaultLab/run --report docs/faults.md`; root, `ip`, `nft` and `ss` are needed. `make test` runs `FaultLab/run
--quick`: each kind of fault once.
"""

READING = """## How to read it

* Each row is one end of one fault, over the protocols raw, lines and frames. An end *asks* when it sends pings, alone
  or as both do; else it only *answers*. What an end can know depends on that.
* The reasons are those of [the events](CommandLine.md), each with how often it was given. More than one stands where
  each is true by chance, or where more cannot be known; *why* says so.
* The time counts from the fault to the line that was read, in milliseconds, so that it holds the silence before the
  fault as well as the way of the line. The limit is what the policy allows; what a line may be later by is what the
  machine was late by at that time, measured by a program on each core. The verdict's own `silenceMs` must be within
  the bound in any case, and no more than 2 % (or 5 ms) ahead of it.
* In each run: exactly one `connection.closed` for each `connection.opened` at the end, sequence numbers without gap,
  the descriptors of the server back to what they were before the first connection, clients that end by themselves.
  Over all runs: the server's resident memory does not grow.
"""

NOT_RUN = [
    ("clock set by an hour",
     "Setting the clock would set it for everybody on this machine, and a time namespace has no wall clock"
     " of its own (only CLOCK_MONOTONIC and CLOCK_BOOTTIME, with an offset that is fixed at its start). No"
     " deadline reads it: wall time appears only in what people read. In virtual time the simulation of "
     "`BelayTesting` sets it by hours either way (`setWallClock`), and `SmartIntervalTests` does, \"a wall "
     "clock that is set back delays the next try by a week at most, one set ahead brings it early\"."),
    ("suspended machine",
     "Nobody may suspend this machine. Both programs stopped at once is the same to them, but for "
     "CLOCK_BOOTTIME; in virtual time the simulation of `BelayTesting` does it (`suspend`)."),
    ("raw, mid-message",
     "raw has no message that could be half there: any bytes are one. Under bulk it is struck all the same."),
    ("a message that is never finished",
     "Its limit is the longer of the bound and 60 s; in virtual time `LimitTests`, \"a message that stays "
     "unfinished breaks the protocol, though its bytes prove life one by one\"."),
    ("half a message from our own client",
     "`belay connect` never stops in the middle of one; scripted peers do. Under bulk it is struck in the "
     "middle all the same."),
    ("draining, NAT and MTU faults",
     "A drain ends by its own deadline whatever the path does: a lost path, stopped and killed clients "
     "stand for all of them."),
    ("own host's faults on the client",
     "The client has one connection: without a descriptor for it there is none."),
    ("end of memory",
     "The machine is shared; what bounds each queue is in [the threat model](../THREAT_MODEL.md)."),
]


def text(tally, runs, took):
    groups = {}
    for fault in table.FAULTS:
        if tally.of(fault):
            groups.setdefault(fault.group, []).append(fault)
    parts = [HEAD, _outcome(tally, runs, took), READING]
    for group, faults in groups.items():
        parts.append("## %s\n\n%s" % (group[0].upper() + group[1:], _table(tally, faults)))
    made = [fault for faults in groups.values() for fault in faults]
    parts.append("## Which cells are run\n\n%s" % _cells(tally, made))
    parts.append("## What cannot be known\n\n%s" % _whys(tally))
    parts.append("## Memory\n\n%s" % _memory(tally))
    parts.append("## What is not run\n\n%s\n" % "\n".join("* **%s.** %s" % one for one in NOT_RUN))
    return "\n".join(parts)


def _outcome(tally, runs, took):
    rows = list(tally.rows.values())
    green = "every one as expected" if not tally.wrong else "**%d wrong**" % len(tally.wrong)
    suspected = sum(row.suspected for row in rows if not row.expected)
    lived = sum(row.count for row in rows if not row.expected)
    faults = len({row.fault.name for row in rows})
    machine = "Linux %s, %d cores, %.0f minutes" % (platform.release().split("-")[0], os.cpu_count(), took / 60)
    lines = ["%s. %d faults, %d cells (fault, protocol, who pings, end), %d runs of each: %d observations, %s." %
             (machine, faults, tally.cells, runs, tally.observations, green),
             "Of %d connections that lived through a fault %d were declared dead; %d were suspected for a while." %
             (lived, tally.false_verdicts, suspected)]
    late, stalled = sum(row.late for row in rows), sum(row.stalled for row in rows)
    if late or stalled:
        lines.append("Others worked on the machine: %d lines came after their limit, none by more than 50 ms beyond "
                     "what the programs had waited for a core, and %d verdicts were put off because a program had not "
                     "run." % (late, stalled))
    for line in tally.wrong[:20]:
        lines.append("* %s, %s %s/%s: %s" % (line["fault"], line.get("observer", ""), line.get("protocol", ""),
                                             line.get("pinger", ""), "; ".join(line["wrong"])[:300]))
    return "\n".join(lines) + "\n"


def _table(tally, faults):
    lines = ["| fault | end | reason | median | worst | limit |", "|---|---|---|--:|--:|--:|"]
    notes = []
    for fault in faults:
        rows = tally.of(fault)
        notes += ["* %s: %s." % (fault.name, note) for note in (fault.note, tally.notes.get(fault.name)) if note]
        for row in _merged(rows):
            lines.append("| %s |" % " | ".join([fault.name, row[0], row[1], *row[2]]))
    return "\n".join(lines + ([""] + notes if notes else [])) + "\n"


def _cells(tally, faults):
    """Which protocols, pingers, phases and ends, by what was observed."""
    kinds = {}
    for fault in faults:
        rows = tally.of(fault)
        protocols = ", ".join(name for name in PROTOCOLS if any(name in row.protocols for row in rows))
        pingers = ", ".join(name for name in PINGERS if any(name == one for row in rows for _, one in row.cells))
        ends = " and ".join(dict.fromkeys(row.observer for row in rows))
        kinds.setdefault((fault.phase, protocols, pingers, ends), []).append(fault.name)
    lines = ["| phase | protocols | who pings | judged | faults |", "|---|---|---|---|---|"]
    lines += ["| %s | %s |" % (" | ".join(kind), "; ".join(names)) for kind, names in kinds.items()]
    return "\n".join(lines) + "\n"


def _merged(rows):
    """An end that sees the same whether it asks or not has one row."""
    for observer in ("server", "client"):
        mine = [row for row in rows if row.observer == observer]
        if len(mine) == 2 and not any(row.expected for row in mine):
            yield observer, "lives %d" % sum(row.count for row in mine), ("", "", "")
        else:
            for row in mine:
                yield row.who, row.verdicts, row.times


def _whys(tally):
    whys = {}
    for row in tally.rows.values():
        if row.why:
            whys.setdefault((row.why, tuple(row.expected)), []).append((row.fault.name, row.who))
    lines = []
    for (why, expected), where in whys.items():
        names = list(dict.fromkeys(name for name, _ in where))
        shown = "; ".join(names[:4]) + ("; and %d more" % (len(names) - 4) if len(names) > 4 else "")
        lines.append("* `%s`: %s. (%s)" % ("`, `".join(expected), why, shown))
    return "\n".join(lines) + "\n"


def _memory(tally):
    if not tally.slopes:
        return "Too few runs to tell whether memory grows.\n"
    worst = max(tally.slopes, key=tally.slopes.get)
    return ("Resident memory of the servers after each run, from the fourth on: it grows by %.1f KiB a run at most "
            "(%s), with up to nine connections in each run, of which one that is forgotten would cost some KiB.\n" %
            (max(0, tally.slopes[worst]), worst))


def listing():
    """For --list."""
    lines = ["%-26s %-46s %-12s %d pairs%s" % (fault.group, fault.name, fault.phase, len(fault.pairs),
                                               "" if fault.quick else ", not in the quick part")
             for fault in table.FAULTS]
    return "\n".join(lines + ["", "Not run:"] + ["  %s. %s" % one for one in NOT_RUN])
