# ===----------------------------------------------------------------------===
# This source file is part of the Belay open source project.
# Copyright (c) 2026 the Belay project authors.
# Licensed under Apache License v2.0; see LICENSE for details.
# SPDX-License-Identifier: Apache-2.0
# ===----------------------------------------------------------------------===
"""What is measured, with whom Belay is compared in it, and what DESIGN section 10 asks for."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time

import instructions
from digest import Wrong, check_verdicts, check_work, quantile, steady
from servers import BUILT, PROCESSORS, SWIFT, pinned
from trial import Trial

NIO = ["nio-best", "nio-best-direct", "nio-idle-state"]
GO = ["go-lazy", "go-tutorial"]


class Target:
    """`figure` of Belay is at most (or at least) `limit`, or `limit` times that of `over`."""

    def __init__(self, figure, limit, over=None, least=False):
        self.figure, self.limit, self.over, self.least = figure, limit, over, least

    def __str__(self):
        return "%s %g%s" % (">=" if self.least else "<=", self.limit, " x " + self.over if self.over else "")

    def reached(self, measured):
        return measured >= self.limit if self.least else measured <= self.limit


class Benchmark:
    """Something that `measure(server, folder)` turns into figures; one that is `Wrong` is not counted."""

    def __init__(self, name, title, contenders, figures, measure, seconds, targets=(), most_runs=5, others_once=False,
                 part_of_quick=True):
        self.name, self.title, self.contenders = name, title, contenders
        self.figures, self.measure, self.seconds = figures, measure, seconds
        self.targets, self.most_runs, self.part_of_quick = targets, most_runs, part_of_quick
        self.once = set(contenders) - {"belay"} if others_once is True else set(others_once or ())

    def turns(self, runs):
        """Who runs in which order: A B C A B C."""
        for turn in range(min(runs, self.most_runs)):
            for name in self.contenders:
                if turn == 0 or name not in self.once:
                    yield turn, name


def cpu(connections, interval, seconds, warm_up, tolerant):
    """CPU time of the server per heartbeat, with some faults under way, all of which it has to report.

    `tolerant` where the run is too short for all servers to make the same number of heartbeats.
    """
    few = max(2, connections // 1000)
    # A silence strikes who has answered once, and early enough to show; before, it would be a handshake not done.
    answered, by_bound = int(300 + 1.3 * interval), int(1000 * (seconds - 1) - 2 * interval)
    faults = ["%s,%d,500,%d" % (kind, few, 1000 * (seconds - 2)) for kind in ("fin", "rst")]
    if answered < by_bound:
        faults.append("silent,%d,%d,%d" % (few, answered, by_bound - answered))

    paces = {}  # by server: what its nominal interval is to be multiplied with

    def measure(server, folder):
        expected = 1000 * connections / interval
        for _ in range(1 if tolerant else 3):
            server.pace = paces.get(server.name, 1.0)
            try:
                result = Trial(connections, interval, seconds, faults).run(server, folder)
            finally:
                server.pace = 1.0
            found = steady(result["samples"], warm_up)
            # A sixth less is no matter of pace: the server or this machine cannot do more.
            if server.name != "belay" or abs(found["rate"] / expected - 1) < 0.02 or found["rate"] < expected / 1.2:
                break
            paces[server.name] = paces.get(server.name, 1.0) * found["rate"] / expected
        if not tolerant:
            check_work(found["rate"], expected, found["unanswered"] / found["heartbeats"])
        check_verdicts(result["matched"], named=server.name == "belay")
        connected = result["connected"]
        return {"cpu_us": found["cpu_us"], "rate": found["rate"],
                "accepts": connected["count"] / ((connected["ended"] - connected["began"]) / 1e9),
                "accept_us": connected["cpu"] / 1e3 / connected["count"]}

    return measure, seconds + 2 + connections / 12000


def cpu_benchmark(name, title, connections, interval, seconds, contenders, targets=(), more=(), warm_up=1,
                  tolerant=False, **options):
    measure, lasts = cpu(connections, interval, seconds, warm_up, tolerant)
    figures = [("cpu_us", "CPU per heartbeat, us"), ("rate", "heartbeats a second"), *more]
    return Benchmark(name, title, contenders, figures, measure, lasts, targets, **options)


def memory(server, folder):
    """Resident memory per connection: the slope between 5,000 and 15,000 that have had heartbeats."""
    figures = {}
    for protocol in ("raw", "lines", "frames") if server.name == "belay" else ("raw",):
        few, many = (Trial(count, 1000, 3, protocol=protocol).run(server, folder) for count in (5000, 15000))
        slope = 1024 * (many["samples"][-1]["kib"] - few["samples"][-1]["kib"]) / 10000
        figures["memory_" + protocol] = slope
    return figures


def latencies(trial, server, folder):
    """What a trial took to tell each kind of end.

    A peer may take a reset for a FIN: one that pings learns of it by its send, and then reads the end of the stream.
    """
    matched = trial.run(server, folder)["matched"]
    check_verdicts(matched, named=server.name == "belay")
    return matched["latencies"]


def lateness(values):
    late, early = [value for value in values if value > 0], [-value for value in values if value <= 0]
    return {"late_most": max(late, default=0), "early_p50": quantile([-value for value in values], 0.5),
            "early_p99": quantile(early, 0.99) or 0, "early_p999": quantile(early, 0.999) or 0,
            "early_most": max(early, default=0)}


def ends(server, folder):
    found = latencies(Trial(15000, 1000, 9, ["fin,1000,1500,4000", "rst,1000,1500,4000", "silent,1000,1500,4000"]),
                      server, folder)
    figures = lateness(found["silent"])
    for kind in ("fin", "rst"):
        figures.update((kind + "_p%d" % (100 * share), quantile(found[kind], share)) for share in (0.5, 0.99))
    return figures


def storm(server, folder):
    found = latencies(Trial(15000, 1000, 4, ["rst,5000,1500,0"]), server, folder)
    return {"storm_p50": quantile(found["rst"], 0.5), "storm_last": max(found["rst"])}


def churn(server, folder):
    others = (5000, 6, ["fin,2500,0,5000", "rst,2500,0,5000"])
    trial = Trial(10000, 1000, 9, ["silent,1000,1500,4000"], others=others)
    return lateness(latencies(trial, server, folder)["silent"])


def wronged(**options):
    """How many of 15,000 live peers the server ended."""

    def measure(server, folder):
        trial = Trial(15000, 500, 7, **options)
        result = trial.run(server, folder)
        return {"wronged": sum(kind.startswith("live") for _, kind in result["closed"].values())}

    return measure


def allocations(server, folder):
    """Calls of malloc and its kin per heartbeat, in steady state, of the whole process."""
    counts = folder / "allocations"
    counts.unlink(missing_ok=True)

    def ask(running, main):
        for _ in range(2):
            time.sleep(2.0)
            os.kill(running.pid, signal.SIGUSR2)

    environment = {"LD_PRELOAD": str(BUILT / "allocations.so"), "ALLOCATIONS": str(counts)}
    result = Trial(2000, 200, 6, during=ask).run(server, folder, environment)
    first, last = map(int, counts.read_text().split())
    if first == 0:
        raise Wrong("nothing was counted")
    return {"allocations": (last - first) / (2.0 * steady(result["samples"], 1)["rate"])}


def instructions_of(server, folder):
    if instructions.lacking():
        raise Wrong(instructions.lacking())
    try:
        return {"instructions": instructions.measure(server.name, folder)}
    except (ChildProcessError, subprocess.SubprocessError) as error:
        raise Wrong(str(error)) from error


def program(*command):
    """Figures of a program that prints lines of `PHASE nanoseconds allocations`."""

    def measure(server, folder):
        done = subprocess.run([str(SWIFT / command[0]), *command[1:]], timeout=120, stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "LD_PRELOAD": str(BUILT / "allocations.so")},
                              preexec_fn=pinned(PROCESSORS[0]))
        if done.returncode != 0:
            raise Wrong("%s ended with %d" % (command[0], done.returncode))
        figures = {}
        for phase, nanoseconds, each in re.findall(r"^(\w+) (\S+) (\S+)$", done.stdout, re.MULTILINE):
            figures[phase + "_ns"] = float(nanoseconds)
            if each != "-":
                figures[phase + "_allocations"] = float(each)
        return figures

    return measure


def timers(server, folder):
    if server.name == "c-wheel":
        return program(BUILT / "c-wheel")(server, folder)
    command = {"belay": "wheel", "nio-scheduleTask": "task", "nio-scheduleCallback": "callback"}[server.name]
    return program("timers", command)(server, folder)


def machine(server, folder):
    return program("machine")(server, folder)


LATENESS = [("late_most", "most after the bound, ms"), ("early_p50", "before it, p50, ms"),
            ("early_p99", "p99"), ("early_p999", "p99.9"), ("early_most", "most")]

ALL = [
    Benchmark("instructions", "Instructions in user mode per heartbeat (callgrind)", instructions.CONTENDERS,
              [("instructions", "instructions")], instructions_of, 17, most_runs=1),
    Benchmark("machine", "Deciding alone: a connection machine, no IO", ["belay"],
              [("heartbeat_ns", "per heartbeat, ns"), ("heartbeat_allocations", "allocations")], machine, 4,
              [Target("heartbeat_allocations", 0)]),
    Benchmark("timers", "Deadlines within 2 s, 1,000,000 of them (SwiftNIO: 100 moves and 100,000 expiries)",
              ["belay", "c-wheel", "nio-scheduleTask", "nio-scheduleCallback"],
              [("heard_ns", "heard, ns"), ("insert_ns", "insert, ns"), ("insert_allocations", "allocations"),
               ("move_ns", "move, ns"), ("move_allocations", "allocations"), ("expire_ns", "expire, ns"),
               ("expire_allocations", "allocations"), ("move_far_ns", "move within 30 s, ns"),
               ("expire_far_ns", "expire within 30 s, ns")], timers, 9,
              [Target("move_ns", 30), Target("expire_ns", 30), Target("move_allocations", 0),
               Target("expire_allocations", 0)], others_once=["nio-scheduleTask", "nio-scheduleCallback"]),
    Benchmark("allocations", "Allocations per heartbeat, whole process, SwiftNIO's own included",
              ["belay", "nio-best", "nio-idle-state"], [("allocations", "allocations")], allocations, 9,
              [Target("allocations", 0.01)], most_runs=1),
    cpu_benchmark("cpu1k", "1,000 connections, 15,000 heartbeats a second", 1000, 66, 5,
                  ["belay", "epoll-loop", "nio-best"], most_runs=3),
    cpu_benchmark("cpu5k", "5,000 connections, 20,000 heartbeats a second", 5000, 250, 5,
                  ["belay", "epoll-loop", "nio-best"], most_runs=3),
    cpu_benchmark("cpu15k", "15,000 connections, 30,000 heartbeats a second", 15000, 500, 6,
                  ["belay", "epoll-loop", *NIO, "go-tutorial"],
                  [Target("cpu_us", 1.30, "epoll-loop"), Target("cpu_us", 0.80, "go-tutorial"),
                   Target("cpu_us", 0.50, "nio-idle-state")],
                  [("accepts", "accepts a second"), ("accept_us", "CPU per accept, us")]),
    cpu_benchmark("sustained", "15,000 connections, 61,000 heartbeats a second: sustained", 15000, 245, 6,
                  ["belay", "epoll-loop", "nio-best"], [Target("rate", 60000, least=True)]),
    cpu_benchmark("relaxed", "15,000 connections, a heartbeat each 15 s", 15000, 15000, 33,
                  ["belay", "epoll-loop", "nio-best"], warm_up=16, tolerant=True, most_runs=1, part_of_quick=False),
    Benchmark("memory", "Resident memory per connection (slope from 5,000 to 15,000), bytes",
              ["belay", "epoll-loop", "nio-best", "nio-idle-state", *GO],
              [("memory_raw", "raw"), ("memory_lines", "lines"), ("memory_frames", "frames")], memory, 16,
              [Target("memory_" + protocol, 2600) for protocol in ("raw", "lines", "frames")], most_runs=2,
              others_once=True),
    Benchmark("ends", "1,000 FIN, RST, silences each among 15,000 connections, bound 2 s: from the act, or the bound",
              ["belay", "epoll-loop", "nio-best"],
              [("fin_p50", "FIN p50, ms"), ("fin_p99", "p99"), ("rst_p50", "RST p50, ms"), ("rst_p99", "p99"),
               *LATENESS], ends, 13,
              [Target("fin_p50", 1), Target("fin_p99", 5), Target("rst_p50", 1), Target("rst_p99", 5),
               Target("late_most", 0), Target("early_p999", 40)]),
    Benchmark("storm", "5,000 of 15,000 reset at once", ["belay", "epoll-loop", "nio-best"],
              [("storm_p50", "p50, ms"), ("storm_last", "the last, ms")], storm, 8, [Target("storm_last", 60)]),
    Benchmark("churn", "Silences while 5,000 others connect and die: 10,000 connections, bound 2 s",
              ["belay", "epoll-loop"], LATENESS, churn, 12, [Target("late_most", 0), Target("early_p999", 40)]),
    Benchmark("stopped", "Live peers of 15,000 that were ended: the server stopped for 2.5 bounds",
              ["belay", "epoll-loop", "nio-best", "nio-idle-state", "go-tutorial"], [("wronged", "wronged")],
              wronged(stop=(1.0, 2.5)), 11, [Target("wronged", 0)], others_once=True),
    Benchmark("starved", "Live peers of 15,000 that were ended: four busy loops on the server's processor",
              ["belay", "epoll-loop", "nio-best", "nio-idle-state", "go-tutorial"], [("wronged", "wronged")],
              wronged(hogs=4), 11, [Target("wronged", 0)], others_once=True),
]
