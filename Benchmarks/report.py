# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""The table of a run, on the screen and in RESULTS.md: medians, ratios within each interleaved run, and the targets."""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
from pathlib import Path

BESIDE = "epoll-loop"


def median(runs, figure):
    values = [run[figure] for run in runs if run and figure in run]
    return statistics.median(values) if values else None


def ratio(results, figure, server, over):
    """The median of the ratios of two servers, each within one run."""
    pairs = [(one[figure], other[figure]) for one, other in zip(results.get(server, []), results.get(over, []))
             if one and other and figure in one and figure in other]
    return statistics.median(one / other for one, other in pairs if other) if any(b for _, b in pairs) else None


def number(value):
    if value is None:
        return ""
    return "{:,.0f}".format(value) if abs(value) >= 100 else "%.3g" % value


def verdict(target, results):
    """(what was measured, whether it is reached) of a target; twice None where it was not measured."""
    if target.over:
        measured = ratio(results, target.figure, "belay", target.over)
    else:
        measured = median(results.get("belay", []), target.figure)
    return measured, None if measured is None else target.reached(measured)


def rows(benchmark, results):
    """Each figure: its values by server, as a multiple of Belay's where there is another, and its targets."""
    for figure, label in benchmark.figures:
        cells = []
        for server in benchmark.contenders:
            value = median(results.get(server, []), figure)
            times = ratio(results, figure, server, "belay") if server != "belay" else None
            cells.append(number(value) + (" (%s x)" % number(times) if times is not None else ""))
        told = []
        for target in benchmark.targets:
            if target.figure == figure:
                measured, reached = verdict(target, results)
                said = "not measured" if reached is None else number(measured) + (", yes" if reached else ", NO")
                told.append("%s: %s" % (target, said))
        yield [label, *cells, "; ".join(told)]


def table(benchmark, results):
    head = ["", *benchmark.contenders, "target: measured, reached"]
    lines = ["| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows(benchmark, results))]
    return "### %s\n\n%s\n" % (benchmark.title, "\n".join(lines))


def share_of_nio(results):
    """What SwiftNIO costs by itself, in a sentence."""
    best, belay = (ratio(results, "cpu_us", name, BESIDE) for name in ("nio-best", "belay"))
    if best is None or belay is None:
        return ""
    return ("SwiftNIO by itself, with one handler that decides nothing, costs %.2f x the epoll loop; Belay on it costs "
            "%.2f x. Of what Belay costs beyond the system calls, SwiftNIO's share is %.0f %%.\n" %
            (best, belay, 100 * (best - 1) / (belay - 1) if belay > max(1, best) else 100))


def machine():
    names = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
             if line.startswith("model name")]
    gibibytes = os.sysconf("SC_PAGESIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return "%d x %s, %.0f GiB, Linux %s, %s" % (os.cpu_count(), names[0] if names else platform.machine(), gibibytes,
                                                platform.release(), ", ".join(filter(None, map(version, TOOLS))))


TOOLS = [("swift", "--version"), ("go", "version"), ("cc", "--version"), ("valgrind", "--version")]


def version(command):
    if not shutil.which(command[0]):
        return None
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.split("\n")[0]


def document(benchmarks, results, errors, command, runs):
    parts = ["# Results\n", "Written by `%s`: medians of %d interleaved runs; in parentheses how many times Belay's "
             "figure that is, as the median of the ratios within each run. Only the ratios say something about other "
             "machines. [README.md](README.md) tells what each is.\n" % (command, runs), machine() + ".\n"]
    parts += [table(benchmark, results[benchmark.name]) for benchmark in benchmarks]
    parts.append(share_of_nio(results.get("cpu15k", {})))
    if errors:
        parts.append("### Not counted: left out, or did not do the work\n\n" +
                     "\n".join("* " + error for error in errors) + "\n")
    return "\n".join(part for part in parts if part)
