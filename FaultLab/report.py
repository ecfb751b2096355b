# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""docs/faults.md: what was made, what was seen, what cannot be known, and what is not run."""

import os
import platform

import coverage
import table
from resources import ALLOWED
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
  each is true by chance, or where more cannot be known; *why* says so. The evidence in the event must bear the reason
  out: a lost path has something that nobody acknowledges, a frozen peer nothing, a reset its errno.
* The time counts from the fault to the line that was read, in milliseconds, so that it holds the silence before the
  fault as well as the way of the line. The limit is what the policy allows. A line may be later than that by 50 ms for
  its way, by twice what the machine was late by since the fault (how long the programs of the run waited for a core,
  as the kernel counts, or how late a program on each core woke; 20 ms at least for a program that has ended since,
  whose count is gone), and, where an end did not run for an eighth of an
  interval or more, by that time and one interval, in which it asks its peer afresh. A verdict on silence may not come
  sooner after the fault than the bound less an interval (in the handshake: after `connection.opened` than the bound
  less 50 ms), less 2 % of the bound (or 5 ms) and what the machine was late by.
* The verdict's own `silenceMs` may be ahead of the bound by 2 % of it (or 5 ms), and beyond it by what the machine
  was late by and such a pause. It may differ from the kernel's `lastDataReceivedMs` by 20 ms, by what the machine was
  late by since a silence before the fault, and by the stalls that the end reported. Other times are allowed where
  something else proves life than a byte that has just come: bytes that a peer took (bulk), a pong that was sent again
  (loss).
* Who *lives* has no `connection.closed`, and its kernel took bytes from the peer within the last interval when the run
  ended.
* In each run: exactly one `connection.closed` for each `connection.opened` at the end, sequence numbers without gap,
  the descriptors of the server back to what they were before the first connection, clients that end by themselves.
  Over all runs: the server's resident memory does not grow.
"""

NOT_RUN = [
    ("suspended machine",
     "Nobody may suspend this machine. Both programs stopped at once is the same to them, but for "
     "CLOCK_BOOTTIME; in virtual time the simulation of `BelayTesting` does it (`suspend`)."),
    ("a message that is never finished",
     "Its limit is the longer of the bound and 60 s; in virtual time `LimitTests`, \"a message that stays "
     "unfinished breaks the protocol, though its bytes prove life one by one\"."),
    ("half a message from our own client",
     "`belay connect` never stops in the middle of one; scripted peers do. Under bulk it is struck in the "
     "middle all the same."),
    ("a server that reads a byte a second while bulk waits",
     "'server never reads' is the same to the client: a byte that is read opens no window."),
    ("own host's faults on the client",
     "The client has one connection: without a descriptor for it there is none."),
    ("end of memory",
     "The machine is shared; what bounds each queue is in [the threat model](../THREAT_MODEL.md)."),
]


def text(tally, took):
    groups = {}
    for fault in table.FAULTS:
        if tally.of(fault):
            groups.setdefault(fault.group, []).append(fault)
    parts = [HEAD, _outcome(tally, took), READING]
    for group, faults in groups.items():
        parts.append("## %s\n\n%s" % (group[0].upper() + group[1:], _table(tally, faults)))
    observed = [fault for faults in groups.values() for fault in faults]
    parts.append("## Which kinds are made when\n\n%s" % _matrix(observed))
    parts.append("## Which cells are run\n\n%s" % _cells(tally, observed))
    parts.append("## What cannot be known\n\n%s" % _whys(tally))
    parts.append("## Memory\n\n%s" % _memory(tally))
    parts.append("## What is not run\n\n%s\n" % "\n".join("* **%s.** %s" % one for one in _not_run()))
    return "\n".join(parts)


def _outcome(tally, took):
    rows = list(tally.rows.values())
    green = "every one as expected" if not tally.wrong else "**%d wrong**" % len(tally.wrong)
    suspected = sum(row.suspected for row in rows if row.lives)
    lived = sum(row.count for row in rows if row.lives)
    faults = len({row.fault.name for row in rows})
    machine = "Linux %s, %d cores, %.0f minutes" % (platform.release().split("-")[0], os.cpu_count(), took / 60)
    lines = ["%s. %d faults, %d cells (fault, protocol, who pings, end), %s runs of each: %d observations, %s." %
             (machine, faults, tally.cells, tally.runs, tally.observations, green),
             "Of %d connections that lived through a fault %d were declared dead; %d were suspected for a while." %
             (lived, tally.false_verdicts, suspected)]
    late = [excess for row in rows for excess in row.excess if excess > 0]
    if late:
        lines.append("%d lines came after their limit, the latest by %.0f ms; %d verdicts came after a `node.stalled` "
                     "of their end, as of programs that were stopped." %
                     (len(late), max(late), sum(row.stalled for row in rows)))
    beyond = [figure for row in rows for figure in row.beyond]
    if beyond:
        lines.append("Of %d verdicts at a bound, the longest `silenceMs` was %s, the shortest %s." %
                     (len(beyond), _aside(max(beyond)), _aside(min(beyond))))
    for line in tally.wrong[:20]:
        lines.append("* %s, %s %s/%s: %s" % (line["fault"], line.get("observer", ""), line.get("protocol", ""),
                                             line.get("pinger", ""), "; ".join(line["wrong"])[:300]))
    return "\n".join(lines) + "\n"


def _aside(milliseconds):
    return "%.1f ms %s its bound" % (abs(milliseconds), "beyond" if milliseconds > 0 else "ahead of")


def _table(tally, faults):
    lines = ["| fault | end | reason | median | worst | limit |", "|---|---|---|--:|--:|--:|"]
    notes = []
    for fault in faults:
        rows = tally.of(fault)
        notes += ["* %s: %s." % (fault.name, note) for note in (fault.note, tally.notes.get(fault.name)) if note]
        for row in _merged(rows):
            lines.append("| %s |" % " | ".join([fault.name, row[0], row[1], *row[2]]))
    return "\n".join(lines + ([""] + notes if notes else [])) + "\n"


def _merged(rows):
    """An end that lives whether it asks or not has one row, unless something is wrong."""
    for observer in ("server", "client"):
        mine = [row for row in rows if row.observer == observer]
        if len(mine) == 2 and all(row.lives and not row.wrong for row in mine):
            yield observer, "lives %d" % sum(row.count for row in mine), ("", "", "")
        else:
            for row in mine:
                mark = "**%d wrong:** " % row.wrong if row.wrong else ""
                yield row.who, mark + row.verdicts, row.times


def _matrix(faults):
    """How many faults of each kind were made in each stage; where there is none, the reason is further down."""
    lines = ["| | %s |" % " | ".join(coverage.STAGES), "|---|%s|" % "|".join("--:" for _ in coverage.STAGES)]
    for kind, called in coverage.KINDS.items():
        counts = [len(coverage.made(faults, kind, stage)) for stage in coverage.STAGES]
        lines.append("| %s | %s |" % (called, " | ".join(str(count or "") for count in counts)))
    return "\n".join(lines) + "\n\nWhy the others are not is under [what is not run](#what-is-not-run).\n"


def _not_run():
    """What is left out, and why: kinds in stages, then who is left out of a fault, then the rest."""
    yield from (("%s" % where, "%s." % _sentence(why)) for where, why in coverage.reasons())
    fewer = {}
    for fault in table.FAULTS:
        if fault.fewer:
            fewer.setdefault((fault.fewer, tuple(str(pair) for pair in fault.pairs)), []).append(fault.name)
    for (why, pairs), names in fewer.items():
        yield "only %s: %s" % (", ".join(pairs), "; ".join(names)), "%s." % _sentence(why)
    yield from NOT_RUN


def _sentence(text):
    return text[0].upper() + text[1:]


def _cells(tally, faults):
    """Which protocols, pingers, stages and ends, by what was observed."""
    kinds = {}
    for fault in faults:
        rows = tally.of(fault)
        protocols = ", ".join(name for name in PROTOCOLS if any(name in row.protocols for row in rows))
        pingers = ", ".join(name for name in PINGERS if any(name == one for row in rows for _, one in row.cells))
        ends = " and ".join(dict.fromkeys(row.observer for row in rows))
        kinds.setdefault((fault.stage, protocols, pingers, ends), []).append(fault.name)
    lines = ["| stage | protocols | who pings | judged | faults |", "|---|---|---|---|---|"]
    lines += ["| %s | %s |" % (" | ".join(kind), "; ".join(names)) for kind, names in kinds.items()]
    return "\n".join(lines) + "\n"


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
    if not tally.growths:
        return "Too few runs to tell whether memory grows.\n"
    worst = {name: max(growths, key=lambda one: one[0] - one[1]) for name, growths in tally.growths.items()}
    most = max(worst, key=lambda name: worst[name][0])
    lines = ["Resident memory of a server after each run, from the fourth on: it grows by %.1f KiB a run at most (%s, "
             "where %.1f are allowed), and not at all in %d of %d faults. Allowed are %d bytes for each connection of "
             "a run, of which one that is forgotten would cost some 2.6 KB." % (max(0, worst[most][0]), most, worst[most][1],
                                           sum(growth <= 0 for growth, _ in worst.values()), len(worst), ALLOWED)]
    rest = dict.fromkeys(row.fault.name for row in tally.rows.values() if row.fault.name not in worst)
    if rest:
        lines.append("Without a figure, because a server lives for too few runs, or is no `belay serve`: %s." %
                     "; ".join(rest))
    return "\n\n".join(lines) + "\n"


def listing():
    """For --list."""
    lines = ["%-26s %-46s %-12s %d pairs%s" % (fault.group, fault.name, fault.phase, len(fault.pairs),
                                               "" if fault.quick else ", not in the quick part")
             for fault in table.FAULTS]
    return "\n".join(lines + ["", "Not run:"] + ["  %s. %s" % one for one in _not_run()])
