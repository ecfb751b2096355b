# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""What a run says, from the log of the load and what the server reported. Pure, so that it can be checked.

`python3 digest.py` checks it against logs made by hand, of which each expectation can fail.
"""

from __future__ import annotations

MILLISECOND = 1_000_000


class Wrong(Exception):
    """A run that did not do the work it was to be measured by: said, and not counted."""


def quantile(values, share):
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * share // 1) - 1)] if ordered else None


def read_load(lines):
    """The log of the load: its phases, samples, faults, and the connections that the server closed."""
    result = {"samples": [], "faults": {}, "closed": {}, "end": None, "connected": None}
    for line in lines:
        tag, *words = line.split()
        if tag == "S":
            result["samples"].append(dict(zip(("at", "pings", "pongs", "cpu", "kib"), map(int, words))))
        elif tag == "A":
            result["connected"] = dict(zip(("began", "ended", "count", "cpu"), map(int, words)))
        elif tag == "F":
            result["faults"][words[1]] = (int(words[0]), words[2], int(words[3]))
        elif tag == "C":
            result["closed"][words[1]] = (int(words[0]), words[2])
        elif tag == "E":
            result["end"] = int(words[0])
        elif tag == "Z":
            result["longest_turn"] = int(words[2])
    if result["end"] is None or result["connected"] is None:
        raise Wrong("the load did not come to its end")
    return result


def match(faults, ends, end, bound):
    """Matches what was done to connections with what the server said of them.

    faults: connection -> (time, kind, last pong); ends: (time, connection, kind); end: when the load ended; bound in
    nanoseconds. Returns latencies in milliseconds by kind (of a silence: from the bound, early is negative), and how
    many faults were missed, named otherwise, told twice, and how many others were declared dead.
    """
    result = {"latencies": {}, "missed": 0, "renamed": {}, "repeated": 0, "false": 0}
    seen = set()
    for at, connection, kind in ends:
        if connection in seen:
            result["repeated"] += 1
        elif connection in faults:
            began, expected, last_pong = faults[connection]
            if kind != expected:
                result["renamed"][expected + " as " + kind] = result["renamed"].get(expected + " as " + kind, 0) + 1
            since = last_pong + bound if expected == "silent" else began
            result["latencies"].setdefault(expected, []).append((at - since) / MILLISECOND)
        elif at < end:
            result["false"] += 1
        seen.add(connection)
    result["missed"] = len(faults.keys() - seen)
    return result


def steady(samples, warm_up):
    """Heartbeats, their rate and their cost between the end of the warm-up and the last sample."""
    if len(samples) < warm_up + 2:
        raise Wrong("only %d samples" % len(samples))
    first, last = samples[warm_up], samples[-1]
    heartbeats, seconds = last["pongs"] - first["pongs"], (last["at"] - first["at"]) / 1e9
    if not heartbeats:
        raise Wrong("no heartbeats")
    return {"heartbeats": heartbeats, "rate": heartbeats / seconds,
            "cpu_us": (last["cpu"] - first["cpu"]) / 1e3 / heartbeats,
            "unanswered": last["pings"] - first["pings"] - heartbeats}


def check_verdicts(matched, named=True):
    """Whether every fault was told once, nobody else was declared dead, and, where `named`, each end by its name."""
    problems = ["%d %s" % (matched[key], key) for key in ("missed", "repeated", "false") if matched[key]]
    problems += ["%d %s" % (count, name) for name, count in sorted(matched["renamed"].items()) if named]
    if problems:
        raise Wrong(", ".join(problems))


def check_work(rate, expected, unanswered_share):
    """Whether this run made the heartbeats that all are measured by."""
    problems = []
    if abs(rate / expected - 1) > 0.02:
        problems.append("%.0f heartbeats a second in place of %.0f" % (rate, expected))
    if unanswered_share > 0.02:
        problems.append("%.1f %% of the pings were not answered" % (100 * unanswered_share))
    if problems:
        raise Wrong(", ".join(problems))


def self_check():
    assert quantile([5, 1, 3], 0.5) == 3 and quantile([1, 2], 0.5) == 1 and quantile([], 0.5) is None
    assert quantile(range(1, 1001), 0.999) == 999 and quantile(range(1, 1001), 1) == 1000
    assert quantile(range(1, 101), 0.99) == 99 and quantile([7], 0.01) == 7
    load = read_load("""A 0 5 4 9
        S 1000000000 10 10 1000000 100
        S 2000000000 110 108 2000000 100
        S 3000000000 210 208 3000000 104
        F 7 1:1 fin 3
        F 8 1:2 silent 6000000
        F 9 1:3 rst 3
        C 2 1:4 live
        E 900000000""".splitlines())
    assert load["connected"]["count"] == 4 and len(load["samples"]) == 3 and load["closed"] == {"1:4": (2, "live")}
    ends = [(1000007, "1:1", "fin"), (14000000, "1:2", "silent"), (15000000, "1:2", "silent"),
            (20000000, "1:4", "silent"), (900000001, "1:5", "fin")]
    matched = match(load["faults"], ends, load["end"], bound=10 * MILLISECOND)
    assert matched == {"latencies": {"fin": [1.0], "silent": [-2.0]}, "missed": 1, "renamed": {},
                       "repeated": 1, "false": 1}
    assert match(load["faults"], [(9, "1:3", "fin")], 99, 1)["renamed"] == {"rst as fin": 1}
    found = steady(load["samples"], 1)
    assert found == {"heartbeats": 100, "rate": 100.0, "cpu_us": 10.0, "unanswered": 0}, found
    right = {"missed": 0, "renamed": {}, "repeated": 0, "false": 0}
    check_work(99, 100, 0.01)
    check_verdicts(right)
    check_verdicts({**right, "renamed": {"rst as fin": 1}}, named=False)
    for check, values in ((check_work, (97, 100, 0)), (check_work, (103, 100, 0)), (check_work, (100, 100, 0.03)),
                          (check_verdicts, ({**right, "false": 1},)), (check_verdicts, ({**right, "missed": 1},)),
                          (check_verdicts, ({**right, "repeated": 1},)),
                          (check_verdicts, ({**right, "renamed": {"rst as fin": 1}},))):
        try:
            check(*values)
        except Wrong:
            continue
        raise AssertionError("accepted: %s" % (values,))
    for cut in (["A 0 5 4 9"], ["E 1"]):
        try:
            read_load(cut)
        except Wrong:
            continue
        raise AssertionError("accepted half a log")


if __name__ == "__main__":
    self_check()
    print("the digest is right")
