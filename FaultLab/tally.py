# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""What was observed, counted by fault and by what an end could know: whether it asks or only answers."""

import collections

from ground import ENDS  # first: it says where the modules of the scenarios are
from judgement import spread

SHOWN = 3  # of the same mistake, with all that is known about it


class Row:
    """One end of one fault, over all runs and protocols."""

    def __init__(self, fault, observer, asks):
        self.fault, self.observer, self.asks = fault, observer, asks
        self.reasons, self.latencies, self.limits = collections.Counter(), [], set()
        self.cells = collections.Counter()  # how often each (protocol, who pings) was seen
        self.excess, self.beyond = [], []
        self.expected, self.why, self.count, self.wrong = [], "", 0, 0
        self.stalled, self.suspected = 0, 0

    def add(self, line):
        self.count += 1
        self.wrong += bool(line["wrong"])
        self.stalled += line["stalled"]
        self.suspected += "suspected" in line["facts"]
        self.cells[line["protocol"], line["pinger"]] += 1
        self.expected, self.why = line["expected"] or self.expected, line["why"] or self.why
        if line["reason"]:
            self.reasons[line["reason"]] += 1
        if line["latency"] is not None:
            self.latencies.append(line["latency"])
            self.limits.add(line["limit"])
            self.excess.append(line["excess"])
        if line["beyond"] is not None:
            self.beyond.append(line["beyond"])

    @property
    def lives(self):
        return not self.expected

    @property
    def protocols(self):
        return {protocol for protocol, _ in self.cells}

    @property
    def who(self):
        return "%s, %s" % (self.observer, "asks" if self.asks else "answers")

    @property
    def verdicts(self):
        """What was told, and how often; of those who should live, how many did."""
        counted = ["%s %d" % pair for pair in self.reasons.most_common()]
        if self.lives:
            counted.insert(0, "lives %d" % (self.count - sum(self.reasons.values())))
        return ", ".join(counted) or "nothing"

    @property
    def times(self):
        """Median, worst and limit in milliseconds, as text."""
        if not self.latencies:
            return "", "", ""
        middle, worst = spread(self.latencies)
        return "%.0f" % middle, "%.0f" % worst, "/".join("%.0f" % limit for limit in sorted(self.limits))


class Tally:
    """All observations of a run of the laboratory."""

    def __init__(self):
        self.rows, self.wrong, self.growths, self.notes = {}, [], {}, {}
        self.due = collections.Counter()  # how often each cell of a fault is to be seen

    def add(self, fault, lines, summary, pairs, runs):
        """What a lane told that made a fault so often for these pairs."""
        for pair in pairs:
            for end in ENDS:
                if fault.seen(end, pair):
                    self.due[fault.name, end, pair.protocol, pair.pinger] += runs
        for line in lines:
            if line["wrong"]:
                self.wrong.append(line)
            if line.get("observer"):
                asks = line["pinger"] in (line["observer"], "both")
                key = (fault.name, line["observer"], asks)
                self.rows.setdefault(key, Row(fault, line["observer"], asks)).add(line)
        if summary.get("growth"):
            self.growths.setdefault(fault.name, []).append(summary["growth"])
        if summary.get("notes"):
            self.notes[fault.name] = summary["notes"][0]

    def complete(self, fault):
        """All lanes of a fault have ended: a cell that was not seen as often as the fault was made is wrong."""
        for (name, end, protocol, pinger), due in self.due.items():
            if name == fault.name:
                row = self.rows.get((name, end, pinger in (end, "both")))
                seen = row.cells[protocol, pinger] if row else 0
                if seen != due:
                    self.wrong.append({"fault": name, "observer": end, "protocol": protocol, "pinger": pinger,
                                       "wrong": ["seen %d of %d times" % (seen, due)], "facts": []})

    def of(self, fault):
        return [self.rows[key] for observer in ("server", "client") for asks in (True, False)
                for key in [(fault.name, observer, asks)] if key in self.rows]

    def show(self, fault):
        """The lines of one fault, for people who wait."""
        wrong = [line for line in self.wrong if line["fault"] == fault.name]
        for row in self.of(fault):
            middle, worst, limit = row.times
            times = "median %s, worst %s of %s ms" % (middle, worst, limit) if middle else ""
            print("%s %-12s %-46s %-16s %-52s %s" % ("FAIL" if row.wrong else "ok  ", fault.group[:12], fault.name[:46],
                                                    row.who, row.verdicts, times), flush=True)
        if sum(row.wrong for row in self.of(fault)) < len(wrong):
            print("FAIL %-12s %-46s as a whole" % (fault.group[:12], fault.name), flush=True)
        shown = collections.Counter()
        for line in wrong:
            what = "; ".join(line["wrong"])
            shown[what] += 1
            if shown[what] <= SHOWN:
                print("     %s %s/%s, run %s: %s" % (line.get("observer", ""), line.get("protocol", ""),
                                                     line.get("pinger", ""), line.get("run", ""), what))
                for fact in line["facts"]:
                    print("       %s" % fact)
        hidden = sum(shown.values()) - sum(min(count, SHOWN) for count in shown.values())
        if hidden:
            print("     and %d more like these" % hidden, flush=True)

    @property
    def cells(self):
        return sum(len(row.cells) for row in self.rows.values())

    @property
    def observations(self):
        return sum(row.count for row in self.rows.values())

    @property
    def false_verdicts(self):
        """Of those who lived."""
        return sum(sum(row.reasons.values()) for row in self.rows.values() if row.lives)

    @property
    def runs(self):
        """How often cells were seen, as text."""
        counts = sorted({count for row in self.rows.values() for count in row.cells.values()})
        return " to ".join(str(count) for count in dict.fromkeys(counts[:1] + counts[-1:]))

    def summary(self, took):
        return "faultlab: %d faults, %d cells, %d observations in %.0f s: %d wrong" % (
            len({key[0] for key in self.rows}), self.cells, self.observations, took, len(self.wrong))
